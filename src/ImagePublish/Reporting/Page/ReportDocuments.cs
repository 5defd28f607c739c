using System.Text.Json.Serialization;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting.Page;

/// <summary>The page's part for the whole publish.</summary>
internal sealed record HeadDocument(
    string Project,
    string Reference,
    string Name,
    string Digest,
    string MediaType,
    bool Unchanged,
    IReadOnlyList<DeliveryDocument> Deliveries,
    IReadOnlyList<CommandDocument> Commands
)
{
    /// <summary>How long the publish took; null for a plan.</summary>
    public double? Seconds { get; init; }

    /// <summary>For a plan, the tags of the first destination that would move; null for a publish.</summary>
    public IReadOnlyList<PlannedTagDocument>? Planned { get; init; }
}

/// <summary>A command to copy.</summary>
internal sealed record CommandDocument(string Title, string Text);

/// <summary>The page's part for the image of one platform.</summary>
internal sealed record PlatformDocument(
    string Platform,
    string Digest,
    long Size,
    long Uploaded,
    long Mounted,
    long Reused,
    BaseDocument Base,
    IReadOnlyList<PageLayerDocument> Layers,
    ConfigDocument Config,
    string? Dockerfile,
    ChangesDocument? Changes
)
{
    public IReadOnlyList<AttachmentDocument>? Attachments { get; init; }
}

internal sealed record BaseDocument(string? Name, string? Digest, int Layers);

/// <summary>
/// A layer; its files as columns, which are half the size of objects: <c>Sizes[i]</c> and <c>Packages[i]</c> (an index of
/// <c>PackageNames</c>, or -1) belong to <c>Paths[i]</c>.
/// </summary>
internal sealed record PageLayerDocument(
    string Name,
    string Digest,
    string DiffId,
    string MediaType,
    long Size,
    bool OfBase,
    string Fate,
    long UploadedBytes,
    string? From,
    IReadOnlyList<string> PackageNames,
    IReadOnlyList<string> Paths,
    IReadOnlyList<long> Sizes,
    IReadOnlyList<int> Packages
);

internal sealed record ConfigDocument(
    string? Created,
    string? User,
    string? WorkingDirectory,
    IReadOnlyList<string> Entrypoint,
    IReadOnlyList<string> Command,
    IReadOnlyList<string> Ports,
    IReadOnlyList<string> Volumes,
    IReadOnlyList<string> Environment,
    IReadOnlyDictionary<string, string> Labels,
    string? StopSignal,
    IReadOnlyList<string> Healthcheck
);

internal sealed record ChangesDocument(
    string Name,
    string Digest,
    long Size,
    IReadOnlyList<FileDocument> Files,
    IReadOnlyList<ConfigChange> Packages,
    IReadOnlyList<ConfigChange> Config
);

/// <summary>A file that came, went or changed: it has no length where it is not.</summary>
internal sealed record FileDocument(string Path, long? Before, long? After);

[JsonSerializable(typeof(HeadDocument))]
[JsonSerializable(typeof(PlatformDocument))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Reproducing;

/// <summary>What is known before the build of the image that it is compared with.</summary>
internal sealed record ReproductionPlan
{
    /// <summary>As the user named it, for messages.</summary>
    public required string Name { get; init; }

    /// <summary>How tasks read it again: by its digest where it is in a registry.</summary>
    public required string Source { get; init; }

    /// <summary>The digest of what the name points at.</summary>
    public required string Digest { get; init; }

    /// <summary>The commit that is checked out; null where there is no git.</summary>
    public string? Head { get; init; }

    /// <summary>Files of the checkout that are not as the commit has them.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>The root of the checkout, where sources are read whose line ends may differ.</summary>
    public string? Root { get; init; }

    /// <summary>Versions that the image's provenance names; null where it has none.</summary>
    public string? NamedSdk { get; init; }

    public string? NamedTool { get; init; }

    /// <summary>Versions of this build.</summary>
    public string? Sdk { get; init; }

    public string? Tool { get; init; }
}

/// <summary>One platform of an image beside the one that was built for it.</summary>
internal sealed record PlatformReproduction
{
    public required string Platform { get; init; }

    /// <summary>The digest of the image that was named.</summary>
    public required string Digest { get; init; }

    public required string RebuiltDigest { get; init; }

    public string? Base { get; init; }

    /// <summary>What explains the differences, the likeliest first.</summary>
    public IReadOnlyList<Cause> Causes { get; init; } = [];

    public IReadOnlyList<Difference> Differences { get; init; } = [];

    /// <summary>The names of variants that the project publishes besides. They are not compared.</summary>
    public IReadOnlyList<string> Variants { get; init; } = [];

    [JsonIgnore]
    public Cause? Likeliest => Causes.Count > 0 ? Causes[0] : null;

    [JsonIgnore]
    public bool IsEqual => Digest == RebuiltDigest;
}

/// <summary>An image beside what was built, for all its platforms.</summary>
/// <param name="Index">The digest of the index that the built images make; null where they make none.</param>
internal sealed record ComparedImage(ReproductionPlan Plan, IReadOnlyList<PlatformReproduction> Platforms, string? Index)
{
    /// <summary>How the index that was named differs where its images are equal, in sentences.</summary>
    public IReadOnlyList<string> IndexNotes { get; init; } = [];

    /// <summary>Whether each platform is equal. An index may have other annotations, or attestations, beside the same images.</summary>
    public bool IsEqual => Platforms.All(platform => platform.IsEqual);

    public bool IsSameDigest => IsEqual && Plan.Digest == (Index ?? Platforms[0].RebuiltDigest);
}

/// <summary>Something that explains why two images differ: a clause, and what to do.</summary>
internal sealed record Cause(CauseKind Kind, string Text, string Advice);

/// <summary>A single difference: a layer or "config", a path or setting in it, and how it differs.</summary>
internal sealed record Difference(string Place, string? Name, string Text);

/// <summary>Kinds of causes, the one that others follow from first.</summary>
internal enum CauseKind
{
    Commit,
    LineEnds,
    WorkingTree,
    Source,
    Version,
    Sdk,
    Base,
    Package,
    Paths,
    Options,
    NotDeterministic,
    File,
    FileAttributes,
    Setting,
    Label,
    Created,
    Layout,
    LayerOrder,
    Proofs,
    Tool,
    Compression,
    Format,
    Annotation,
    Unreadable,
    Unknown,
}

/// <summary>The documents that the tasks of one command hand to each other.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ReproductionPlan))]
[JsonSerializable(typeof(PlatformReproduction))]
[JsonSerializable(typeof(IReadOnlyList<Cause>))]
[JsonSerializable(typeof(IReadOnlyList<Difference>))]
internal sealed partial class ReproductionJson : JsonSerializerContext
{
    public static byte[] Write(ReproductionPlan plan) => JsonSerializer.SerializeToUtf8Bytes(plan, Default.ReproductionPlan);

    public static byte[] Write(PlatformReproduction platform) =>
        JsonSerializer.SerializeToUtf8Bytes(platform, Default.PlatformReproduction);

    public static byte[] Write(IReadOnlyList<Cause> causes) => JsonSerializer.SerializeToUtf8Bytes(causes, Default.IReadOnlyListCause);

    public static byte[] Write(IReadOnlyList<Difference> differences) =>
        JsonSerializer.SerializeToUtf8Bytes(differences, Default.IReadOnlyListDifference);

    public static ReproductionPlan ReadPlan(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Default.ReproductionPlan)!;

    public static PlatformReproduction ReadPlatform(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, Default.PlatformReproduction)!;
}

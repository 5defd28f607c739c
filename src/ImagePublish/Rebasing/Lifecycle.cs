using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Rebasing;

/// <summary>From when on images get no more fixes, as their registry says: Microsoft's attaches that to its images.</summary>
/// <remarks>A registry that does not say it, or that fails, is no reason to fail.</remarks>
internal sealed class Lifecycle(RegistryClient registries, IPublishLog log)
{
    /// <summary>The artifact type of a manifest that says so.</summary>
    public const string ArtifactType = "application/vnd.microsoft.artifact.lifecycle";

    /// <summary>The annotation with the day, <c>2026-11-10</c>.</summary>
    public const string EndOfLife = "vnd.microsoft.artifact.lifecycle.end-of-life.date";

    private const int MaxRead = 4;

    private readonly ConcurrentDictionary<(Repository, Digest), Lazy<Task<DateOnly?>>> known = new();

    /// <summary>The first day without fixes; null where nothing says it. Each image is asked for once.</summary>
    public Task<DateOnly?> FindAsync(Repository repository, Digest image, CancellationToken cancellationToken) =>
        known.GetOrAdd((repository, image), _ => new(() => AskAsync(repository, image, cancellationToken))).Value;

    private async Task<DateOnly?> AskAsync(Repository repository, Digest image, CancellationToken cancellationToken)
    {
        try
        {
            var attached = await ReferrersTag.ListAllAsync(registries, repository, image, cancellationToken);
            foreach (var entry in attached.Where(one => one.ArtifactType == ArtifactType).Take(MaxRead))
            {
                if (ReadDate(entry.Annotations ?? await AnnotationsOfAsync(repository, entry, cancellationToken)) is { } date)
                    return date;
            }
        }
        catch (Exception exception) when (exception is ImagePublishException or JsonException)
        {
            log.Detail($"It is not known until when {repository}@{image} gets fixes: {exception.Message}");
        }

        return null;
    }

    private async Task<IReadOnlyDictionary<string, string>?> AnnotationsOfAsync(
        Repository repository,
        Descriptor entry,
        CancellationToken cancellationToken
    )
    {
        var manifest = await registries.TryGetManifestAsync(repository.ReferenceTo(entry.Digest), cancellationToken);
        return manifest is null ? null : OciJson.ReadManifest(manifest.Content.Content.Span).Annotations;
    }

    private static DateOnly? ReadDate(IReadOnlyDictionary<string, string>? annotations) =>
        DateTimeOffset.TryParse(
            annotations?.GetValueOrDefault(EndOfLife),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var instant
        )
            ? DateOnly.FromDateTime(instant.UtcDateTime)
            : null;
}

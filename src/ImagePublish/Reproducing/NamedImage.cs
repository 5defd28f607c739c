using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Reproducing;

/// <summary>The image that a build is compared with, with the documents of all its platforms.</summary>
internal sealed record NamedImage(string Name, MemoryBlobSource Root, IReadOnlyList<Image> Platforms)
{
    private const int MaxEntries = 64;

    /// <summary>Reads an image: documents only.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2003</c>: it is damaged; <c>IMG4031</c>: it is something else than an image; or what
    /// the source fails with.</exception>
    public static async Task<NamedImage> LoadAsync(string name, IImageContent content, CancellationToken cancellationToken)
    {
        try
        {
            var platforms = new List<Image>();
            foreach (var entry in Entries(content.Root))
            {
                if (
                    await content.TryReadAsync(entry, cancellationToken) is { } document
                    && await ReadAsync(content, document, entry.Platform, cancellationToken) is { } image
                )
                    platforms.Add(image);
            }

            return platforms.Count > 0
                ? new NamedImage(name, content.Root, platforms)
                : throw NotComparable(name, "it is an artifact, not an image with files", "Name an image that a publish made");
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{Text.Sanitize(name)}' is malformed: {Text.Sanitize(exception.Message).TrimEnd('.')}.",
                exception
            );
        }
    }

    public static ImagePublishException NotComparable(string name, string reason, string advice) =>
        new(DiagnosticCodes.NotComparable, $"'{Text.Sanitize(name)}' can't be compared with a build: {reason}. {advice}.");

    /// <summary>Makes sure that a publish may have made it, before something is built for it.</summary>
    /// <param name="expected">The platforms that the project makes an image for.</param>
    /// <exception cref="ImagePublishException"><c>IMG4031</c>: it is for other platforms, or another tool made it.</exception>
    public void Check(IReadOnlyList<Platform> expected)
    {
        // Some engines would run the one that was compared, and others the other.
        if (Platforms.DistinctBy(image => image.Digest).GroupBy(image => NameOf(image.Platform)).FirstOrDefault(IsSeveral) is { } twins)
            throw NotComparable(
                Name,
                $"it has several images for {Text.Sanitize(twins.Key)}: {string.Join(", ", twins.Take(3).Select(image => image.Digest))}",
                "Compare each of them by its digest"
            );
        if (Platforms.FirstOrDefault(IsOfAnotherTool) is { } foreign)
            throw NotComparable(
                Name,
                $"its history has {foreign.Config.History!.Count} steps, and none is a publish of this package. Something else made it, "
                    + "such as docker build, or it was squashed",
                "Name an image that a publish made"
            );
        var (has, makes) = (Shown(Platforms.Select(image => image.Platform)), Shown(expected));
        if (has == makes)
            return;
        var kind = MediaTypes.IsIndex(Root.Descriptor.MediaType) ? "an index" : "a single image";
        throw NotComparable(
            Name,
            $"it is {kind} for {has}, and the project makes one for {makes}",
            "Set ImageRuntimeIdentifiers as its publish did"
        );
    }

    private static bool IsSeveral(IEnumerable<Image> images) => images.Skip(1).Any();

    /// <summary>The image for a platform.</summary>
    public Image? Find(Platform platform) => Platforms.FirstOrDefault(image => NameOf(image.Platform) == NameOf(platform));

    private static string Shown(IEnumerable<Platform> platforms) =>
        Text.Sanitize(string.Join(", ", platforms.Select(NameOf).Distinct().Order(StringComparer.Ordinal)));

    // A version of Windows is the base's. The variant of arm64 is v8 where one is named.
    private static string NameOf(Platform platform) =>
        (
            platform with
            {
                OsVersion = null,
                Variant = platform is { Architecture: "arm64", Variant: "v8" } ? null : platform.Variant,
            }
        ).ToString();

    // An image on a base without history has none either.
    private static bool IsOfAnotherTool(Image image) =>
        image.Config.History is { Count: > 0 } && ImageComposer.LayerNames(image.Config).All(name => name is null);

    // Attestations stand in an index as images for 'unknown/unknown'.
    private static IEnumerable<Descriptor> Entries(MemoryBlobSource root)
    {
        if (!MediaTypes.IsIndex(root.Descriptor.MediaType))
            return [root.Descriptor];
        var entries = OciJson.ReadIndex(root.Content.Span).Manifests;
        return entries.Count <= MaxEntries
            ? entries.Where(entry => MediaTypes.IsManifest(entry.MediaType) && entry.Platform?.Os != "unknown")
            : throw new JsonException($"it has {entries.Count} entries; at most {MaxEntries} are read");
    }

    private static async Task<Image?> ReadAsync(
        IImageContent content,
        MemoryBlobSource document,
        Platform? indexed,
        CancellationToken cancellationToken
    )
    {
        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Span);
        if (manifest.Config.MediaType is not (MediaTypes.OciConfig or MediaTypes.DockerConfig))
            return null;
        if (await content.TryReadAsync(manifest.Config, cancellationToken) is not { } configBlob)
            throw new JsonException($"its config {manifest.Config.Digest} is missing");
        var config = OciJson.ReadConfig(configBlob.Content.Span).WithPlatform(indexed);
        if (manifest.Layers.Count != config.RootFs.DiffIds.Count)
            throw new JsonException($"it has {manifest.Layers.Count} layers but {config.RootFs.DiffIds.Count} diff ids");
        var layers = manifest.Layers.Zip(config.RootFs.DiffIds, (layer, diffId) =>
            new Layer(layer, diffId, MediaTypes.IsForeign(layer.MediaType) ? null : content.Blob(layer))
        );
        return new Image(document, configBlob, config, [.. layers]);
    }
}

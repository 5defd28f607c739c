using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What an entry of the list reaches: its blobs, those that are missing, and what its documents say.</summary>
internal sealed class StoreContent
{
    public Dictionary<Digest, Descriptor> Reached { get; } = [];

    /// <summary>What is not there or has another size, in the order of reading.</summary>
    public List<Descriptor> Missing { get; } = [];

    public List<Descriptor> Damaged { get; } = [];

    public List<ImageConfig> Configs { get; } = [];

    public bool IsWhole => Missing.Count == 0 && Damaged.Count == 0;
}

/// <summary>Follows manifests through a store, without counting as a use.</summary>
internal sealed class StoreWalker(ImageStore store, bool readConfigs = false, IReadOnlySet<Digest>? without = null)
{
    public async Task<StoreContent> WalkAsync(Descriptor root, CancellationToken cancellationToken)
    {
        var content = new StoreContent();
        var open = new Stack<Descriptor>([root]);
        while (open.TryPop(out var descriptor))
        {
            // Each digest once: an index that contains itself ends here too.
            if (
                !content.Reached.TryAdd(descriptor.Digest, descriptor)
                || (MediaTypes.IsForeign(descriptor.MediaType) && Find(descriptor) is null)
            )
                continue;
            if (Find(descriptor) is null)
                content.Missing.Add(descriptor);
            else
                await ReadAsync(descriptor, content, open, cancellationToken);
        }

        return content;
    }

    public async Task<StoreContent> WalkRequiredAsync(Descriptor entry, CancellationToken cancellationToken)
    {
        var all = await WalkAsync(entry, cancellationToken);
        if (
            all.IsWhole
            || !ReferenceNames.HasSomePlatforms(entry)
            || Find(entry) is null
            || all.Damaged.Exists(damaged => damaged.Digest == entry.Digest)
        )
            return all;
        foreach (
            var platform in OciJson
                .ReadIndex((await store.ReadAsync(entry, OciJson.MaxManifestSize, cancellationToken)).Content.Span)
                .Manifests
        )
        {
            var one = await WalkAsync(platform, cancellationToken);
            if (one.IsWhole)
                return one;
        }

        return all;
    }

    private async Task ReadAsync(Descriptor descriptor, StoreContent content, Stack<Descriptor> open, CancellationToken cancellationToken)
    {
        try
        {
            if (MediaTypes.IsIndex(descriptor.MediaType))
            {
                foreach (var child in OciJson.ReadIndex(await BytesAsync(descriptor, cancellationToken)).Manifests.Reverse())
                    open.Push(child);
            }
            else if (MediaTypes.IsManifest(descriptor.MediaType))
            {
                var manifest = OciJson.ReadManifest(await BytesAsync(descriptor, cancellationToken));
                foreach (var part in manifest.Layers.Reverse())
                    open.Push(part);
                open.Push(manifest.Config);
            }
            else if (readConfigs && descriptor.MediaType is MediaTypes.OciConfig or MediaTypes.DockerConfig)
            {
                content.Configs.Add(OciJson.ReadConfig(await BytesAsync(descriptor, cancellationToken)));
            }
        }
        catch (Exception exception)
            when (exception is JsonException || (exception is ImagePublishException failure && failure.Code == DiagnosticCodes.StoreDamaged)
            )
        {
            content.Damaged.Add(descriptor);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.StoreIncomplete)
        {
            // Pruned since it was seen: only a reader without the lock meets this.
            content.Missing.Add(descriptor);
        }
    }

    private FileBlobSource? Find(Descriptor descriptor) =>
        without?.Contains(descriptor.Digest) == true ? null : store.FindWithoutTouch(descriptor);

    private async Task<byte[]> BytesAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        (await store.ReadAsync(descriptor, OciJson.MaxManifestSize, cancellationToken)).Content.ToArray();
}

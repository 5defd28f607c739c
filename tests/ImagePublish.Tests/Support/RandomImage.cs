using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Tests.Support;

/// <summary>An image of random layers, pushed as the product does: blobs at once, then the manifest.</summary>
internal sealed class RandomImage
{
    public RandomImage(int layers = 6, int layerSize = 64 * 1024, int seed = 1)
    {
        Layers = [.. Enumerable.Range(0, layers).Select(index => RegistryBench.Layer(layerSize + index, (seed * 1000) + index))];
        Config = MemoryBlobSource.Create(
            MediaTypes.OciConfig,
            System.Text.Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","seed":{{seed}}}""")
        );
        Manifest = MemoryBlobSource.Create(
            MediaTypes.OciManifest,
            OciJson.Write(
                new ImageManifest(Config.Descriptor, [.. Layers.Select(layer => layer.Descriptor)]) { MediaType = MediaTypes.OciManifest }
            )
        );
    }

    public IReadOnlyList<MemoryBlobSource> Layers { get; }

    public MemoryBlobSource Config { get; }

    public MemoryBlobSource Manifest { get; }

    public IEnumerable<MemoryBlobSource> Blobs => [.. Layers, Config];

    public async Task PushAsync(RegistryClient client, Reference target, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Blobs.Select(blob => client.PushBlobAsync(target.Repository, blob, cancellationToken)));
        await client.PushManifestAsync(target, Manifest, cancellationToken);
    }

    public async Task PullAndCompareAsync(RegistryClient client, Reference target, CancellationToken cancellationToken)
    {
        var manifest = await client.GetManifestAsync(target, cancellationToken);
        Assert.Equal(Manifest.Descriptor, manifest.Descriptor);
        foreach (var blob in Blobs)
        {
            var bytes = await client.GetBlobAsync(target.Repository, blob.Descriptor, int.MaxValue, cancellationToken);
            Assert.True(bytes.Span.SequenceEqual(blob.Content.Span));
        }
    }

    /// <summary>Puts it into a registry without a client.</summary>
    public void PutInto(ImagePublish.Testing.RegistryContent content, string repository, string tag)
    {
        foreach (var blob in Blobs)
            content.PutBlob(repository, blob.Content.Span);
        content.PutManifest(repository, tag, Manifest.Content.Span, Manifest.Descriptor.MediaType);
    }
}

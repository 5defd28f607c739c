using System.Text;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Support;

/// <summary>A store in a folder of its own, with a clock that stands still until it is moved.</summary>
internal sealed class TestStore : IDisposable
{
    public TestStore(Func<StoreOptions, StoreOptions>? configure = null)
    {
        var options = new StoreOptions { Time = Clock, LockTimeout = TimeSpan.FromSeconds(30) };
        Store = ImageStore.Open(Folder, configure?.Invoke(options) ?? options);
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "imagepublish-tests", Guid.NewGuid().ToString("N"));

    public MovableClock Clock { get; } = new();

    public ImageStore Store { get; }

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public string BlobFile(Descriptor descriptor) => Path.Combine(Folder, "blobs", descriptor.Digest.Algorithm, descriptor.Digest.Hex);

    public IEnumerable<string> Blobs => Directory.EnumerateFiles(Path.Combine(Folder, "blobs"), "*", SearchOption.AllDirectories).Order();

    public IEnumerable<string> TemporaryFiles
    {
        get
        {
            var folder = Path.Combine(Folder, ".imagepublish", "tmp");
            return Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [];
        }
    }

    /// <summary>Puts an image with these layers into the store and returns its manifest.</summary>
    public async Task<Descriptor> PutImageAsync(string architecture, params string[] layers)
    {
        var image = SmallImage.Create(architecture, layers);
        foreach (var layer in image.Layers)
            await Store.PutAsync(layer.Source!, Cancelled);
        await Store.PutAsync(image.ConfigBlob, Cancelled);
        await Store.PutAsync(image.Manifest, Cancelled);
        return image.Manifest.Descriptor;
    }

    /// <summary>Puts an index of these manifests into the store.</summary>
    public async Task<Descriptor> PutIndexAsync(params Descriptor[] manifests)
    {
        var index = MemoryBlobSource.Create(
            MediaTypes.OciIndex,
            OciJson.Write(new ImageIndex(manifests) { MediaType = MediaTypes.OciIndex })
        );
        return (await Store.PutAsync(index, Cancelled)).Descriptor;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>Small images with real documents; a layer's bytes are just its text.</summary>
internal static class SmallImage
{
    public static Image Create(string architecture, params IReadOnlyList<string> layers) =>
        Create(architecture, [.. layers.Select(Encoding.UTF8.GetBytes)]);

    public static Image Create(string architecture, IReadOnlyList<byte[]> tars)
    {
        Layer[] layers =
        [
            .. tars.Select(tar => MemoryBlobSource.Create(MediaTypes.OciLayer, tar))
                .Select(blob => new Layer(blob.Descriptor, blob.Descriptor.Digest, blob)),
        ];
        var config = new ImageConfig(architecture, "linux", new RootFs("layers", [.. layers.Select(layer => layer.DiffId)]))
        {
            Created = "2026-01-01T00:00:00Z",
        };
        var configBlob = MemoryBlobSource.Create(MediaTypes.OciConfig, OciJson.Write(config));
        var manifest = new ImageManifest(configBlob.Descriptor, [.. layers.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.OciManifest,
        };
        return new Image(MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest)), configBlob, config, layers);
    }
}

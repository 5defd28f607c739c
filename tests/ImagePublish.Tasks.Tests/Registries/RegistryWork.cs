using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Tasks.Tests.Registries;

/// <summary>What a client is put to in front of a real registry.</summary>
internal static class RegistryWork
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static Reference Target(string host, string name = "acme/shop") =>
        Repository.Create(Registry.Parse(host), name).ReferenceTo(Tag.Parse("1.0"));

    public static async Task PushAsync(
        RegistryClient client,
        Reference target,
        IReadOnlyList<MemoryBlobSource> blobs,
        MemoryBlobSource manifest
    )
    {
        await Task.WhenAll(blobs.Select(blob => client.PushBlobAsync(target.Repository, blob, Cancelled)));
        await client.PushManifestAsync(target, manifest, Cancelled);
    }

    public static async Task ReadAsync(
        RegistryClient client,
        Reference target,
        IReadOnlyList<MemoryBlobSource> blobs,
        MemoryBlobSource manifest
    )
    {
        Assert.Equal(manifest.Descriptor, (await client.GetManifestAsync(target, Cancelled)).Descriptor);
        foreach (var blob in blobs)
        {
            var bytes = await client.GetBlobAsync(target.Repository, blob.Descriptor, int.MaxValue, Cancelled);
            Assert.True(bytes.Span.SequenceEqual(blob.Content.Span));
        }
    }

    public static (IReadOnlyList<MemoryBlobSource> Blobs, MemoryBlobSource Manifest) Image(int[] sizes)
    {
        var layers = sizes
            .Select((size, seed) => MemoryBlobSource.Create(MediaTypes.Layer(ImageFormat.Oci, Compression.Gzip), Bytes(size, seed)))
            .ToArray();
        var config = MemoryBlobSource.Create(MediaTypes.OciConfig, """{"architecture":"amd64","os":"linux"}"""u8.ToArray());
        var manifest = new ImageManifest(config.Descriptor, [.. layers.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.OciManifest,
        };
        return ([.. layers, config], MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest)));
    }

    public static RegistryClient Client(RegistryClientOptions? options = null, Credential? credential = null) =>
        new(options ?? new RegistryClientOptions(), new OneCredential(credential), new TestLog(), TimeProvider.System);

    private static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed class OneCredential(Credential? credential) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult(credential);
    }

    // What the client did is shown with a test that fails.
    private sealed class TestLog : Diagnostics.IPublishLog
    {
        public void Warning(Diagnostics.DiagnosticCode code, string message) => Information($"{code}: {message}");

        public void Information(string message) => TestContext.Current.TestOutputHelper?.WriteLine(message);

        public void Detail(string message) => Information(message);
    }
}

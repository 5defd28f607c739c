using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>A bench whose client sends small chunks once it has to.</summary>
internal static class UploadBench
{
    public const int ChunkSize = 256 * 1024;

    public static async Task<RegistryBench> StartAsync(Action<TestRegistryOptions>? configure = null)
    {
        var bench = await RegistryBench.StartAsync(configure);
        bench.Options = bench.Options with { ChunkSize = ChunkSize };
        return bench;
    }

    public static async Task<BlobPushResult> UploadedAsync(this RegistryBench bench, int size)
    {
        var layer = RegistryBench.Layer(size);
        var push = await bench.PushAsync(layer);
        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
        return push;
    }
}

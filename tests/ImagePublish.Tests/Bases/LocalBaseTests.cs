using System.Text;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;
using ImagePublish.Tests.Storage;

namespace ImagePublish.Tests.Bases;

public sealed class LocalBaseTests
{
    private static readonly Platform Amd64 = Platform.Parse("linux/amd64");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ABaseIsTakenFromTheStoreAnArchiveOrALayout()
    {
        await using var bench = await CommandBench.StartAsync();
        var manifest = await bench.PutAsync("acme/base:1.0", "one", "two");
        var path = Path.Combine(bench.Kept.Folder, "base.tar");
        await ArchiveWriter.WriteAsync([(await bench.Kept.Store.LoadAsync("acme/base:1.0", Cancel))!], path, Cancel);
        var resolver = new LocalBaseResolver(bench.Kept.Store);

        foreach (
            var source in (ImageSource[])
                [new StoreImage("acme/base:1.0"), new ArchivedImage(path, null), new ArchivedImage(bench.Kept.Folder, "acme/base:1.0")]
        )
        {
            var found = await resolver.ResolveAsync(source, Amd64, Cancel);
            Assert.Equal(manifest.Digest, found.Digest);
            Assert.Equal(2, found.Layers.Count);
            Assert.All(found.Layers, layer => Assert.NotNull(layer.Source));
        }

        Assert.Empty(bench.Server.Requests);
        await CommandBench.FailsAsync(DiagnosticCodes.BasePlatformMissing, () =>
            resolver.ResolveAsync(new StoreImage("acme/base:1.0"), Platform.Parse("linux/arm64"), Cancel)
        );
        await CommandBench.FailsAsync(DiagnosticCodes.NotInStore, () =>
            resolver.ResolveAsync(new StoreImage("acme/base:2.0"), Amd64, Cancel)
        );
    }

    [Fact]
    public async Task ARootFileSystemIsABaseOfOneLayer()
    {
        await using var bench = await CommandBench.StartAsync();
        var path = Path.Combine(bench.Kept.Folder, "rootfs.tar");
        await File.WriteAllBytesAsync(path, TarBuilder.Create(("etc/os-release", Encoding.UTF8.GetBytes("ID=test"))), Cancel);

        var found = await new LocalBaseResolver(bench.Kept.Store).ResolveAsync(new ArchivedImage(path, null), Amd64, Cancel);

        Assert.Equal(found.Config.RootFs.DiffIds[0], Assert.Single(found.Layers).DiffId);
        Assert.Equal("rootfs.tar", found.Name);
    }
}

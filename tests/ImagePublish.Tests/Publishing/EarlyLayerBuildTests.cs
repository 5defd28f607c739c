using System.Security.Cryptography;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Layers;

namespace ImagePublish.Tests.Publishing;

/// <summary>Layers that are begun while a project compiles: the same image, sooner, and nothing else.</summary>
public sealed class EarlyLayerBuildTests : IDisposable
{
    private const string Begun = "was built while the project was";

    private readonly string packages = Directory.CreateTempSubdirectory("imagepublish-packages-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(packages, recursive: true);

    [Theory]
    [InlineData("app", 0)]
    [InlineData("srv/shop", 1654)]
    public async Task PackagesAreTheLayersThatThePublishFolderMakes(string folder, int owner)
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        var defaults = new LayerEntryDefaults
        {
            TargetFolder = folder,
            Uid = owner,
            Gid = owner,
        };

        var before = PackageFile.LayersOf(files, defaults);
        var published = LayerLayout.Create(
            LayerTesting.ReadFolder(bench.PublishFolder, defaults, [.. files.Select(file => file.Item)]),
            [.. files.Select(file => file.Item)],
            LayeringMode.Auto
        );

        Assert.Equal(["package large", "packages"], before.Select(layer => layer.Name));
        foreach (var layer in before)
            Assert.Equal(
                await LayerTar.DiffIdAsync(published.Single(one => one.Name == layer.Name), Cancel),
                await LayerTar.DiffIdAsync(layer, Cancel)
            );
    }

    [Fact]
    public async Task APublishTakesWhatWasBegun()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        var request = Request(bench, files);
        var plain = await bench.PublishAsync(request, machine: "plain");
        bench.Server.Content.RemoveTag("acme/shop", "1.0");

        var result = await PublishAsync(bench, request, files, wait: true);

        Assert.Contains(Begun, bench.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(plain.Image.Digest, result.Image.Digest);
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task APublishWaitsForALayerThatIsUnderWay()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);

        var result = await PublishAsync(bench, Request(bench, files), files, wait: false);

        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.All(result.Image.Layers, layer => Assert.True(bench.Server.Content.HasBlob("acme/shop", layer.Descriptor.Digest.Value)));
    }

    [Fact]
    public async Task WhatARegistryHasIsTakenFromThere()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        await bench.PublishAsync(Request(bench, files), machine: "elsewhere");
        bench.Write("App.dll", "app 2");

        await PublishAsync(bench, Request(bench, files), files, wait: true);

        Assert.DoesNotContain(Begun, bench.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, bench.Moved(RegistryStep.UploadPut));
    }

    [Fact]
    public async Task APackageThatChangedIsBegunWhereTheOthersWereBuiltBefore()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        await bench.PublishAsync(Request(bench, files));
        Change(bench, files, "Small.dll", [4, 5, 6, 7]);

        var result = await PublishAsync(bench, Request(bench, files), files, wait: true);

        Assert.Contains($"Layer 'packages' {Begun}", bench.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task FilesOfPackagesAreNotReadAgainWhereNothingShowsAChange()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        Assert.Equal(["package large", "packages"], await BuiltAsync());

        var small = files.Single(file => file.Item.RelativePath == "Small.dll").File;
        var time = File.GetLastWriteTimeUtc(small);
        await File.WriteAllBytesAsync(small, [7, 8, 9], Cancel);
        File.SetLastWriteTimeUtc(small, time);
        Assert.Empty(await BuiltAsync());

        File.SetLastWriteTimeUtc(small, time.AddSeconds(1));
        Assert.Equal(["packages"], await BuiltAsync());

        async Task<List<string>> BuiltAsync()
        {
            using var start = Start(bench, files);
            await start.Completion;
            var built = new List<string>();
            foreach (var layer in PackageFile.LayersOf(files, new LayerEntryDefaults()))
            {
                if (start.HasBuilt(await LayerTar.DiffIdAsync(layer, Cancel)))
                    built.Add(layer.Name);
            }

            return built;
        }
    }

    [Fact]
    public async Task WhatAnotherProcessBuildsIsNotBegun()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench).Where(file => file.Item.Package == "Large").ToList();
        var cache = new LayerCache(bench.Store());
        var gzip = new LayerCompression(Compression.Gzip, null);
        var tags = new FileFingerprints(cache.DeriveContentTagKey(FileFingerprints.KeySize));
        var layer = Assert.Single(PackageFile.LayersOf(files, new LayerEntryDefaults()));
        using var held = await cache.LockLayerAsync((await LayerInputKey.ComputeAsync(layer, tags, Cancel))!, gzip.Key, layer.Name, Cancel);

        using var start = Start(bench, files);
        await start.Completion;

        Assert.False(start.HasBuilt(await LayerTar.DiffIdAsync(layer, Cancel)));
        Assert.True(cache.IsEmpty);
    }

    [Fact]
    public async Task ABuildThatFailsLeavesNoHalfLayer()
    {
        await using var bench = await PublishingBench.StartAsync();
        var files = Packages(bench);
        var store = bench.Store();

        Start(bench, files).Dispose();

        var left = Directory
            .EnumerateFiles(store.Folder, "*", SearchOption.AllDirectories)
            .Select(Path.GetFileName)
            .Where(name => name!.Contains("tmp", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(left);
        Assert.False(
            Directory.Exists(store.Disk.Layout.SessionsFolder) && Directory.EnumerateFiles(store.Disk.Layout.SessionsFolder).Any()
        );
    }

    [Fact]
    public async Task WhatGoesWrongIsLeftToThePublish()
    {
        await using var bench = await PublishingBench.StartAsync();
        var missing = new PackageFile(
            new PublishItem("Gone.so", PublishItemOrigin.Package) { Package = "Large" },
            Path.Combine(packages, "gone")
        );

        using var start = Start(bench, [missing]);
        var result = await bench.PublishAsync(bench.Request("1.0"));

        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    private static EarlyLayerBuild Start(PublishingBench bench, IReadOnlyCollection<PackageFile> files) =>
        EarlyLayerBuild.Start(
            new EarlyLayers(files, new LayerEntryDefaults(), new LayerCompression(Compression.Gzip, null)),
            () => bench.Store(),
            _ => Task.FromResult(false)
        );

    private static PublishRequest Request(PublishingBench bench, IReadOnlyList<PackageFile> files) =>
        bench.Request("1.0") with
        {
            Items = [.. files.Select(file => file.Item)],
        };

    private static async Task<PublishResult> PublishAsync(
        PublishingBench bench,
        PublishRequest request,
        IReadOnlyList<PackageFile> files,
        bool wait
    )
    {
        bench.Server.Requests.Clear();
        await using var connections = RegistryBench.For(bench.Server);
        using var start = EarlyLayerBuild.Start(
            new EarlyLayers(files, request.EntryDefaults, request.Compression),
            () => bench.Store(),
            cancelled => EarlyLayerBuild.HaveTagsAsync(connections.Client, request.Destinations, cancelled)
        );
        if (wait)
            await start.Completion;
        return await new ImagePublisher(bench.Context(connections.Client), start).PublishAsync(request, Cancel);
    }

    private static void Change(PublishingBench bench, IEnumerable<PackageFile> files, string path, byte[] bytes)
    {
        var source = files.Single(file => file.Item.RelativePath == path).File;
        File.WriteAllBytes(source, bytes);
        File.Copy(source, Path.Combine(bench.PublishFolder, path), overwrite: true);
    }

    /// <summary>A large package in two folders and a small one, as they lie among the packages and as they are published.</summary>
    private PackageFile[] Packages(PublishingBench bench)
    {
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        return
        [
            Package("Large", "Large.dll", content),
            Package("Large", "runtimes/linux-x64/native/large.so", content[..(3 << 20)]),
            Package("Small", "Small.dll", [1, 2, 3]),
        ];

        PackageFile Package(string name, string path, byte[] bytes)
        {
            var source = Path.Combine(packages, name, Path.GetFileName(path));
            var target = Path.Combine(bench.PublishFolder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(source)!);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(source, bytes);
            File.Copy(source, target);
            return new PackageFile(new PublishItem(path, PublishItemOrigin.Package) { Package = name }, source);
        }
    }
}

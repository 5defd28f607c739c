using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>Files and folders of other images, as <c>COPY --from</c> takes them.</summary>
public sealed class FilesOfImagesTests
{
    // Each layer changes something that the one below it has.
    private static readonly byte[][] Tools =
    [
        TreeLayer.Create(
            "d 755 0:0 usr/bin",
            "f 4755 0:0 usr/bin/tool one",
            "l 777 0:0 usr/bin/alias tool",
            "d 700 7:8 opt/agent",
            "f 640 7:8 opt/agent/config old",
            "f 600 7:8 opt/agent/gone x",
            "f 644 0:0 opt/agent/a same",
            "h 644 0:0 opt/agent/b opt/agent/a",
            "d 755 0:0 opt/agent/cache",
            "f 644 0:0 opt/agent/cache/stale x",
            "l 777 0:0 opt/current agent",
            "d 755 0:0 opt/agent/pipes",
            "d 755 0:0 var/pipes",
            "p 644 0:0 var/pipes/pipe"
        ),
        TreeLayer.Create(
            "f 600 0:0 opt/agent/.wh.gone",
            "f 600 0:0 opt/agent/cache/.wh..wh..opq",
            "f 644 0:0 opt/agent/cache/fresh y",
            "f 640 7:8 opt/agent/config new",
            "f 644 0:0 opt/agent/.wh.pipes"
        ),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AFolderIsTakenAsTheImageShowsItWithOwnersModesAndLinks()
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench, Files(bench, "opt/agent") with { Target = "srv/agent" }));

        Assert.Equal(
            [
                "d 700 7:8 srv/agent",
                "f 644 0:0 srv/agent/a same",
                "h 644 0:0 srv/agent/b srv/agent/a",
                "d 755 0:0 srv/agent/cache",
                "f 644 0:0 srv/agent/cache/fresh y",
                "f 640 7:8 srv/agent/config new",
            ],
            await ReadAsync(bench, result)
        );
    }

    [Theory]
    [InlineData("usr/bin/tool", "usr/local/bin/x", false, "f 4755 0:0 usr/local/bin/x one")]
    [InlineData("usr/bin/tool", "usr/local/bin", true, "f 4755 0:0 usr/local/bin/tool one")]
    [InlineData("usr/bin/tool", null, false, "f 4755 0:0 usr/bin/tool one")]
    [InlineData("usr/bin/alias", "usr/local/bin", true, "f 4755 0:0 usr/local/bin/alias one")]
    [InlineData("opt/current/config", "etc/agent.conf", false, "f 640 7:8 etc/agent.conf new")]
    public async Task AFileGoesWhereItIsPutAndALinkAtItsPathIsFollowed(string path, string? target, bool isInto, string expected)
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench, Files(bench, path) with { Target = target, IsIntoTarget = isInto }));

        Assert.Equal([expected], await ReadAsync(bench, result));
    }

    [Theory]
    [InlineData("opt/agent/c*", null, "d 755 0:0 opt/agent/cache;f 644 0:0 opt/agent/cache/fresh y;f 640 7:8 opt/agent/config new")]
    [InlineData("opt/agent/?", "srv", "f 644 0:0 srv/a same;h 644 0:0 srv/b srv/a")]
    [InlineData("usr/bin/a*", "usr/local/bin", "f 4755 0:0 usr/local/bin/alias one")]
    public async Task APatternTakesWhatItMatchesInItsFolder(string path, string? target, string expected)
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench, Files(bench, path) with { Target = target }));

        Assert.Equal(
            expected,
            string.Join(';', (await ReadAsync(bench, result)).Where(line => !line.EndsWith(" opt/agent", StringComparison.Ordinal)))
        );
    }

    [Fact]
    public async Task OwnerModeAndLayerAreTheItems()
    {
        await using var bench = await StartAsync();
        var files = Files(bench, "opt/agent/cache") with
        {
            Target = "opt/cache",
            Owner = FileOwner.Create(1, 2),
            Mode = (UnixFileMode)0b110_000_000,
            Layer = "own",
        };

        var result = await bench.PublishAsync(Request(bench, files));

        Assert.Equal(["d 755 1:2 opt/cache", "f 600 1:2 opt/cache/fresh y"], await ReadAsync(bench, result, "own"));
    }

    [Fact]
    public async Task AFolderThatTheBaseHasKeepsItsAttributes()
    {
        await using var bench = await StartAsync();
        bench.Server.SeedImage(
            "dotnet/aspnet",
            "10.0",
            [TreeLayer.Create("d 1777 3:4 opt/agent", "d 755 0:0 lib", "l 777 0:0 bin lib")],
            Seeding.ConfigOf("amd64")
        );

        var result = await bench.PublishAsync(
            Request(bench, Files(bench, "opt/agent"), Files(bench, "usr/bin/tool") with { Target = "bin/t" })
        );

        var lines = await ReadAsync(bench, result);
        Assert.Equal("d 1777 3:4 opt/agent", Assert.Single(lines, line => line.EndsWith(" opt/agent", StringComparison.Ordinal)));
        Assert.DoesNotContain(lines, line => line.EndsWith(" lib", StringComparison.Ordinal));
        Assert.Contains("f 4755 0:0 lib/t one", lines);
        Assert.Contains("d 755 0:0 opt/agent/cache", lines);
    }

    [Fact]
    public async Task TheLayerIsTheSameOnEveryMachineAndForEveryApp()
    {
        await using var bench = await StartAsync();
        var first = await bench.PublishAsync(Request(bench, Files(bench, "opt/agent")));
        bench.Write("App.dll", "app 2");

        var second = await bench.PublishAsync(
            Request(bench, Files(bench, "opt/agent")) with
            {
                Destinations = [bench.Named("acme/other")],
            },
            "there"
        );

        Assert.Equal(LayerOf(first).Descriptor.Digest, LayerOf(second).Descriptor.Digest);
    }

    [Fact]
    public async Task TheOtherImageIsDownloadedOnceAndNeverForAnAppThatChanged()
    {
        await using var bench = await StartAsync();
        await bench.PublishAsync(Request(bench, Files(bench, "opt/agent"), Files(bench, "usr/bin/tool")));
        var atFirst = Downloads(bench);
        bench.Write("App.dll", "app 2");

        var second = await bench.PublishAsync(Request(bench, Files(bench, "opt/agent"), Files(bench, "usr/bin/tool")));

        Assert.False(second.IsUnchanged);
        // Two layers and the config.
        Assert.Equal(3, atFirst);
        Assert.Equal(0, Downloads(bench));
        Assert.Equal(2, bench.Moved(RegistryStep.UploadPut));
    }

    [Fact]
    public async Task AnUnchangedPublishAsksWhereTheTagPoints()
    {
        await using var bench = await StartAsync();
        await bench.PublishAsync(Request(bench, Files(bench, "opt/agent")));

        var second = await bench.PublishAsync(Request(bench, Files(bench, "opt/agent")));

        Assert.True(second.IsUnchanged);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(3, bench.Moved(RegistryStep.ManifestHead));
    }

    [Fact]
    public async Task ATagThatMovedGivesANewImage()
    {
        await using var bench = await StartAsync();
        var first = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool")));
        Seed(bench, [TreeLayer.Create("f 755 0:0 usr/bin/tool two")]);

        var second = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool")));

        Assert.NotEqual(first.Image.Digest, second.Image.Digest);
        Assert.Equal(["f 755 0:0 usr/bin/tool two"], await ReadAsync(bench, second));
    }

    [Fact]
    public async Task APlanIsWhatThePublishDoesAndUploadsNothing()
    {
        await using var bench = await StartAsync();
        await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool")));
        Seed(bench, [TreeLayer.Create("f 755 0:0 usr/bin/tool two")]);

        var plan = await bench.PlanAsync(Request(bench, Files(bench, "usr/bin/tool")));
        var writes = bench.Moved(RegistryStep.UploadPut, RegistryStep.UploadPost, RegistryStep.MountPost, RegistryStep.ManifestPut);
        var result = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool")));

        Assert.Equal(0, writes);
        Assert.Equal(plan.Result.Image.Digest, result.Image.Digest);
        var layer = plan.Changes!.Layers.Single(layer => layer.Name == NameOf(bench));
        Assert.Equal("usr/bin/tool", Assert.Single(layer.Files).Path);
    }

    [Fact]
    public async Task TheFilesOfAnArchiveAreTakenToo()
    {
        await using var bench = await StartAsync();
        var archive = Path.Combine(bench.PublishFolder, "..", "tools.tar");
        await File.WriteAllBytesAsync(archive, Seeding.TarOf(("usr/bin/tool", "of an archive")), Cancel);
        var source = new ArchivedImage(Path.GetFullPath(archive), null);

        var result = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool") with { From = source }));
        var again = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool") with { From = source }));
        await File.WriteAllBytesAsync(archive, Seeding.TarOf(("usr/bin/tool", "of the archive")), Cancel);
        var changed = await bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool") with { From = source }));

        Assert.Equal(["f 644 0:0 usr/bin/tool of an archive"], await ReadAsync(bench, result, "from tools.tar"));
        Assert.True(again.IsUnchanged);
        Assert.Equal(["f 644 0:0 usr/bin/tool of the archive"], await ReadAsync(bench, changed, "from tools.tar"));
    }

    [Theory]
    [InlineData("usr/bin/nothing", "1", "IMG1048", "which it does not have")]
    [InlineData("usr/bin/tool/x", "1", "IMG1048", "do not lead there")]
    [InlineData("usr/bin/z*", "1", "IMG1048", "where nothing has such a name")]
    [InlineData("var/pipes", "1", "IMG1048", "is a device or pipe")]
    [InlineData("usr/bin/tool", "2", "IMG1045", "does not exist. Check its name and tag")]
    [InlineData("usr/bin/tool", "arm", "IMG1046", "does not exist for linux/amd64. It exists for linux/arm64.")]
    public async Task WhatCanNotBeTakenIsAnErrorThatNamesTheItem(string path, string tag, string code, string why)
    {
        await using var bench = await StartAsync();
        bench.Server.SeedImage("acme/tools", "arm", Tools, Seeding.ConfigOf("arm64"));
        var from = new RegistryImage(bench.Named("acme/tools").ReferenceTo(Tag.Parse(tag)));

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(Request(bench, Files(bench, path) with { From = from }))
        );

        Assert.Equal(code, error.Code.Id);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"ImageFile '/{path}' can't be used", error.Message, StringComparison.Ordinal);
        Assert.Equal("App.csproj", error.Item!.File);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task AnImageThatTheStoreLacksIsAnErrorThatNamesTheItem()
    {
        await using var bench = await StartAsync();

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool") with { From = new StoreImage("acme/tools:9") }))
        );

        Assert.Equal("IMG3105", error.Code.Id);
        Assert.StartsWith("ImageFile '/usr/bin/tool' can't be used: The local store", error.Message, StringComparison.Ordinal);
        Assert.Equal("App.csproj", error.Item!.File);
    }

    [Fact]
    public async Task AFileThatIsPublishedTooIsAnError()
    {
        await using var bench = await StartAsync();

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool") with { Target = "app/App.dll" }))
        );

        Assert.Equal("IMG1016", error.Code.Id);
        Assert.Contains("the publish output puts something there, too", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("f 644 0:0 ../../etc/passwd x", "leaves the image")]
    [InlineData("h 644 0:0 usr/bin/tool usr/bin/tool", "names 'usr/bin/tool', which it lacks")]
    [InlineData("h 644 0:0 usr/bin/tool etc/shadow", "names 'etc/shadow', which it lacks")]
    public async Task ALayerThatTriesToLeaveTheImageIsRefused(string line, string why)
    {
        await using var bench = await StartAsync();
        Seed(bench, [TreeLayer.Create(line)]);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool"))));

        Assert.Equal("IMG3005", error.Code.Id);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ALayerWithAnotherContentThanItsDiffIdIsRefused()
    {
        await using var bench = await StartAsync();
        var config = Seeding.ConfigOf("amd64");
        config["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest.Compute("other"u8).Value) };
        bench.Server.SeedImage("acme/tools", "1", [TreeLayer.Create("f 755 0:0 usr/bin/tool x")], config);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(Request(bench, Files(bench, "usr/bin/tool"))));

        Assert.Equal("IMG3005", error.Code.Id);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task TheLockPinsTheOtherImageAndItsUpdateRenewsIt()
    {
        await using var bench = await StartAsync();
        var locked = bench.Lock();
        var request = Request(bench, Files(bench, "usr/bin/tool")) with { Lock = locked };
        var first = await bench.PublishAsync(request);
        Seed(bench, [TreeLayer.Create("f 755 0:0 usr/bin/tool two")]);

        var pinned = await bench.PublishAsync(request, "there");
        var text = await File.ReadAllTextAsync(locked.File, Cancel);
        await using var registries = RegistryBench.For(bench.Server);
        var inputs = new LockInputs(request.Spec.Platform, request.Base, null) { OtherImages = request.OtherImages };
        var update = await new LockStep(bench.Context(registries.Client)).UpdateAsync(inputs, locked, Cancel);
        var renewed = await bench.PublishAsync(request);

        Assert.Equal(first.Image.Digest, pinned.Image.Digest);
        Assert.Contains($"\"reference\": \"{bench.Named("acme/tools")}:1\"", text, StringComparison.Ordinal);
        Assert.Contains($"{bench.Named("acme/tools")}:1 sha256:", update.Summary, StringComparison.Ordinal);
        Assert.Equal(["f 755 0:0 usr/bin/tool two"], await ReadAsync(bench, renewed));
    }

    [Fact]
    public async Task ALockThatLacksTheOtherImageIsAnErrorWhereItMustFit()
    {
        await using var bench = await StartAsync();
        var locked = bench.Lock();
        await bench.PublishAsync(bench.Request("1.0") with { Lock = locked });
        var request = Request(bench, Files(bench, "usr/bin/tool")) with { Lock = locked with { IsLocked = true } };

        var missing = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(request));
        await bench.PublishAsync(request with { Lock = locked });
        var unused = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(request with { OtherImages = OtherImages.None })
        );

        Assert.Equal("IMG6010", missing.Code.Id);
        Assert.Contains($"the image '{bench.Named("acme/tools")}:1' is not in it", missing.Message, StringComparison.Ordinal);
        Assert.Contains($"the image '{bench.Named("acme/tools")}:1' is no longer used", unused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"reference\": \"UPPER\"")]
    [InlineData("\"reference\": null")]
    public async Task ADamagedImageInTheLockIsAnError(string reference)
    {
        await using var bench = await StartAsync();
        var locked = bench.Lock();
        var request = Request(bench, Files(bench, "usr/bin/tool")) with { Lock = locked with { IsLocked = true } };
        await bench.PublishAsync(request with { Lock = locked });
        var text = await File.ReadAllTextAsync(locked.File, Cancel);
        await File.WriteAllTextAsync(
            locked.File,
            text.Replace($"\"reference\": \"{bench.Named("acme/tools")}:1\"", reference, StringComparison.Ordinal),
            Cancel
        );

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(request));

        Assert.Equal("IMG6010", error.Code.Id);
        Assert.Contains("can't be used", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheReportOfAPlanHasTheFilesOfALayerThatIsNotBuilt()
    {
        await using var bench = await StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        var context = bench.Context(registry.Client);

        var plan = await new ImagePlanner(context).PlanAsync(Request(bench, Files(bench, "opt/agent")), Cancel);
        var report = await new ImageReporter(context).DescribeAsync(plan.Run, Cancel);

        var layer = report.Layers.Single(layer => layer.Name == NameOf(bench));
        Assert.Equal(["opt/agent/a", "opt/agent/cache/fresh", "opt/agent/config"], layer.Files.Select(file => file.Path));
    }

    [Fact]
    public async Task AnImageForWindowsTakesFilesOfImagesForWindows()
    {
        await using var bench = await StartAsync();
        var config = Seeding.ConfigOf("amd64");
        config["os"] = "windows";
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [TreeLayer.Create("d 755 0:0 Files")], config);
        bench.Server.SeedImage("acme/tools", "1", [TreeLayer.Create("f 644 0:0 Files/tools/run.exe x")], config);
        var request = Request(bench, Files(bench, "tools") with { Target = "bin" });

        var result = await bench.PublishAsync(request with { Spec = request.Spec with { Platform = new Platform("windows", "amd64") } });

        Assert.Contains("f 644 0:0 Files/bin/run.exe x", await ReadAsync(bench, result));
    }

    // What a publish wrote for itself is gone, and nothing of the machine's files was left open.
    [Fact]
    public async Task NoTemporaryFileIsLeft()
    {
        await using var bench = await StartAsync();

        await bench.PublishAsync(Request(bench, Files(bench, "opt/agent")));

        Assert.Empty(Directory.EnumerateFiles(bench.Store().Disk.Layout.TemporaryFolder));
    }

    [Fact]
    public async Task AFolderOfStaticContentHasTheTimesThatItsContentGives()
    {
        await using var bench = await StartAsync();
        Seed(bench, [TreeLayer.Create("f 644 0:0 dist/index.html page")]);

        var result = await bench.PublishAsync(Request(bench, Files(bench, "dist") with { Target = "app/wwwroot" }));

        var blob = bench.Server.Content.Blob("acme/shop", LayerOf(result).Descriptor.Digest.Value)!;
        var options = new LayerReaderOptions();
        var entries = LayerReader.ReadAsync(new MemoryStream(blob), options, Cancel);
        var page = await entries.SingleAsync(entry => entry.Path == "app/wwwroot/index.html", Cancel);
        Assert.Equal(StaticContent.TimeOf(new FileInMemory("page"u8.ToArray())), page.Modified);
    }

    private static async Task<PublishingBench> StartAsync()
    {
        var bench = await PublishingBench.StartAsync();
        Seed(bench, Tools);
        return bench;
    }

    private static void Seed(PublishingBench bench, byte[][] layers) =>
        bench.Server.SeedImage("acme/tools", "1", layers, Seeding.ConfigOf("amd64"));

    private static FilesOfImage Files(PublishingBench bench, string path) =>
        new(
            new ItemSource("ImageFile", $"/{path}", "App.csproj"),
            new RegistryImage(bench.Named("acme/tools").ReferenceTo(Tag.Parse("1"))),
            path
        );

    private static PublishRequest Request(PublishingBench bench, params FilesOfImage[] files) =>
        bench.Request("1.0") with
        {
            OtherImages = new OtherImages(files, []),
        };

    private static string NameOf(PublishingBench bench) => $"from {bench.Named("acme/tools")}";

    private static Layer LayerOf(PublishResult result, string? name = null) =>
        result.Image.Layers[
            result.LayerNames.ToList().FindIndex(one => name is null ? one.StartsWith("from ", StringComparison.Ordinal) : one == name)
        ];

    private static Task<string[]> ReadAsync(PublishingBench bench, PublishResult result, string? name = null)
    {
        var layer = LayerOf(result, name ?? NameOf(bench));
        return TreeLayer.ReadAsync(bench.Server.Content.Blob("acme/shop", layer.Descriptor.Digest.Value)!, Cancel);
    }

    private static int Downloads(PublishingBench bench) =>
        bench.Server.Requests.Of(RegistryStep.BlobGet).Count(request => request.Repository == "acme/tools");
}

using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Policies;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>A variant has the layers of the image and more on top, and moves none of them twice.</summary>
public sealed class VariantTests
{
    private static readonly byte[] Tools = TreeLayer.Create(
        "d 755 0:0 bin",
        "f 755 0:0 bin/busybox program",
        "h 755 0:0 bin/sh bin/busybox"
    );

    [Fact]
    public async Task WhatItAddsIsOnTopOfTheSameLayers()
    {
        await using var bench = await StartAsync();
        var image = await bench.PublishAsync(Common(bench, "1.0"));

        var variant = await bench.PublishAsync(Debug(bench, "1.0-debug"));

        Assert.Equal([.. image.LayerNames, "debug"], variant.LayerNames);
        Assert.Equal(DigestsOf(image), DigestsOf(variant)[..^1]);
        Assert.Equal(
            ["f 755 0:0 tools/busybox program", "h 755 0:0 tools/sh tools/busybox"],
            (await FilesAsync(bench, variant)).Where(entry => entry[0] != 'd')
        );
        // The layer that is new, and the config.
        var uploaded = variant.Image.Layers[^1].Descriptor.Size + variant.Image.ConfigBlob.Descriptor.Size;
        Assert.Equal(uploaded, variant.Deliveries[0].Transfer.UploadedBytes);
        Assert.Equal(2, bench.Moved(RegistryStep.UploadPost, RegistryStep.MountPost));
        Assert.Equal(image.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Equal(variant.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0-debug"));
    }

    [Fact]
    public async Task InARepositoryOfItsOwnTheLayersAreMounted()
    {
        await using var bench = await StartAsync();
        await bench.PublishAsync(Common(bench, "1.0"));

        var variant = await bench.PublishAsync(Debug(bench, "1.0") with { Destinations = [bench.Named("acme/shop-debug")] });

        var uploaded = variant.Image.Layers[^1].Descriptor.Size + variant.Image.ConfigBlob.Descriptor.Size;
        Assert.Equal(uploaded, variant.Deliveries[0].Transfer.UploadedBytes);
        Assert.Equal(variant.Image.Size - uploaded, variant.Deliveries[0].Transfer.MountedBytes);
    }

    [Fact]
    public async Task BothAreFoundUnchanged()
    {
        await using var bench = await StartAsync();
        await bench.PublishAsync(Common(bench, "1.0"));
        await bench.PublishAsync(Debug(bench, "1.0-debug"));

        Assert.True((await bench.PublishAsync(Common(bench, "1.0"))).IsUnchanged);
        Assert.True((await bench.PublishAsync(Debug(bench, "1.0-debug"))).IsUnchanged);
        // Its tag, the base and the tools.
        Assert.Equal(3, bench.Server.Requests.Count);
    }

    [Fact]
    public async Task OnlyWhatItAddsIsHeldAgainstThePolicy()
    {
        await using var bench = await StartAsync();
        bench.Write(".env", "PASSWORD=hunter2");
        var policy = new PolicyRequest { RequiredLabels = ["com.acme.team"] };
        await bench.PublishAsync(Common(bench, "1.0") with { Policy = policy });
        Assert.Contains(bench.Log.Warnings, warning => warning.Contains("/app/.env", StringComparison.Ordinal));
        bench.Log.Warnings.Clear();

        await bench.PublishAsync(Debug(bench, "1.0-debug") with { Policy = new PolicyRequest { IsOfVariant = true } });
        Assert.Empty(bench.Log.Warnings);

        bench.Write("../secrets/.env", "PASSWORD=hunter2");
        var added = Top("tools/.env") with { BuiltIn = null, SourceFile = Path.Combine(bench.PublishFolder, "../secrets/.env") };
        var request = Debug(bench, "2.0-debug") with { Policy = new PolicyRequest { IsOfVariant = true } };
        await bench.PublishAsync(request with { Added = [added] });
        Assert.Contains("/tools/.env", Assert.Single(bench.Log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheLockFileIsOneForAllVariants()
    {
        await using var bench = await StartAsync();
        var all = Debug(bench).OtherImages;
        var lockRequest = bench.Lock() with { OtherImages = all };

        await bench.PublishAsync(Common(bench, "1.0") with { Lock = lockRequest });
        var written = await File.ReadAllTextAsync(lockRequest.File, PublishingBench.Cancel);
        await bench.PublishAsync(Debug(bench, "1.0-debug") with { Lock = lockRequest with { IsLocked = true } });
        await bench.PublishAsync(Common(bench, "1.0") with { Lock = lockRequest with { IsLocked = true } });

        Assert.Contains("acme/tools:1", written, StringComparison.Ordinal);
        Assert.Equal(written, await File.ReadAllTextAsync(lockRequest.File, PublishingBench.Cancel));
    }

    [Fact]
    public async Task NothingOfTheAppIsReplaced()
    {
        await using var bench = await StartAsync();

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(Debug(bench, "1.0-debug") with { Added = [Top("app/App.dll")] })
        );

        Assert.Equal(DiagnosticCodes.InvalidTarget, exception.Code);
        Assert.Null(bench.TagDigest("acme/shop", "1.0-debug"));
    }

    private static async Task<PublishingBench> StartAsync()
    {
        var bench = await PublishingBench.StartAsync();
        bench.Server.SeedImage("acme/tools", "1", [Tools], Seeding.ConfigOf("amd64"));
        return bench;
    }

    // With a file that is not in the app's folder, which has a layer of its own below the app.
    private static PublishRequest Common(PublishingBench bench, params string[] tags) =>
        bench.Request(tags) with
        {
            Added = [Top("etc/shop.conf") with { IsOnTop = false, Layer = null }],
        };

    private static PublishRequest Debug(PublishingBench bench, params string[] tags)
    {
        var tools = new RegistryImage(bench.Named("acme/tools").ReferenceTo(Tag.Parse("1")));
        var files = new FilesOfImage(new ItemSource("ImageFile", "/bin", "App.csproj"), tools, "bin")
        {
            Target = "tools",
            Layer = "debug",
            IsOnTop = true,
        };
        return Common(bench, tags) with { OtherImages = new OtherImages([files], []) };
    }

    private static AddedEntry Top(string path) =>
        new(new ItemSource("ImageFile", path, "App.csproj"), LayerEntryKind.File, path)
        {
            BuiltIn = "ImagePublish.Probe.x64",
            Layer = "debug",
            IsOnTop = true,
        };

    private static List<Digest> DigestsOf(PublishResult result) => [.. result.Image.Layers.Select(layer => layer.Descriptor.Digest)];

    private static Task<string[]> FilesAsync(PublishingBench bench, PublishResult result) =>
        TreeLayer.ReadAsync(
            bench.Server.Content.Blob("acme/shop", result.Image.Layers[^1].Descriptor.Digest.Value)!,
            PublishingBench.Cancel
        );
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Destinations;

/// <summary><c>ImageTagOverwrite=false</c>: a released version stays what it is.</summary>
public sealed class TagGuardTests
{
    private static readonly RegistryStep[] Writing =
    [
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPut,
        RegistryStep.UploadPatch,
        RegistryStep.ManifestPut,
    ];

    [Fact]
    public async Task ATagThatExistsIsRefusedBeforeAnythingIsUploaded()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(Held(bench, "1.0", "latest"));
        bench.Write("App.dll", "app 2");

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(Held(bench, "2.0", "1.0")));

        Assert.Equal("IMG4010", error.Code.Id);
        Assert.Contains("acme/shop:1.0", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, bench.Moved(Writing));
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ATagThatHasTheImageAlreadyIsFine()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Held(bench, "1.0"));

        Assert.True((await bench.PublishAsync(Held(bench, "1.0"))).IsUnchanged);
        Assert.False((await bench.PublishAsync(Held(bench, "1.0", "1.0.0"), "elsewhere")).IsUnchanged);
        Assert.Equal(bench.TagDigest("acme/shop", "1.0"), bench.TagDigest("acme/shop", "1.0.0"));
    }

    [Fact]
    public async Task TheLocalStoresTagsAreHeldToo()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Held(bench, "1.0") with { Destinations = [] });
        bench.Write("App.dll", "app 2");

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(Held(bench, "1.0") with { Destinations = [] })
        );

        Assert.Equal("IMG4010", error.Code.Id);
    }

    [Fact]
    public async Task APartOfAnIndexIsRefusedWhereTheIndexsTagExistsAndThePartIsNew()
    {
        await using var bench = await PublishingBench.StartAsync();
        var part = bench.Request() with { HeldTags = [Tag.Parse("1.0")] };
        var image = (await bench.PublishAsync(part)).Image;
        var index = new IndexRequest
        {
            Images = [image.IndexEntry],
            Destinations = part.Destinations,
            LocalName = "x",
            Tags = part.HeldTags,
            HeldTags = part.HeldTags,
        };
        await bench.PublishAsync(index);
        Assert.True((await bench.PublishAsync(part)).IsUnchanged);
        bench.Write("App.dll", "app 2");

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(part));

        Assert.Equal("IMG4010", error.Code.Id);
        Assert.Equal(0, bench.Moved(Writing));
    }

    private static PublishRequest Held(PublishingBench bench, params string[] tags)
    {
        var request = bench.Request(tags);
        return request with { HeldTags = request.Tags };
    }
}

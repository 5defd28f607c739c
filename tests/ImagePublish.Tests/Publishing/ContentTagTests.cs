using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary><c>{content}</c>: a tag that says which image it is.</summary>
public sealed class ContentTagTests
{
    [Fact]
    public async Task TheTagIsThatOfTheImagesDigest()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(Request(bench, "main-{content}"));

        Assert.Equal([$"main-{Start(result.Image.Digest)}"], result.Deliveries[0].Tags.Select(tag => tag.Value));
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", $"main-{Start(result.Image.Digest)}"));
        Assert.Single(bench.Server.Content.Tags("acme/shop"));
    }

    [Fact]
    public async Task AnUnchangedPublishKnowsItFromItsRecordAndAsksForItOnce()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(Request(bench, "{content}"));

        var second = await bench.PublishAsync(Request(bench, "{content}"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(first.Deliveries[0].Tags, second.Deliveries[0].Tags);
        Assert.Equal(2, bench.Server.Requests.Count);
        Assert.Equal(2, bench.Moved(RegistryStep.ManifestHead));
    }

    [Fact]
    public async Task AFreshMachineFindsTheSameTagAndMovesNothing()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(Request(bench, "{content}"));

        var second = await bench.PublishAsync(Request(bench, "{content}"), machine: "fresh");

        Assert.True(second.IsUnchanged, bench.Log.ToString());
        Assert.Equal(first.Deliveries[0].Tags, second.Deliveries[0].Tags);
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut));
    }

    [Fact]
    public async Task ATagThatTheRegistryLostIsSetAgain()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(Request(bench, "{content}", "1.0"));
        bench.Server.Content.RemoveTag("acme/shop", Start(first.Image.Digest));

        var second = await bench.PublishAsync(Request(bench, "{content}", "1.0"));

        Assert.False(second.IsUnchanged);
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", Start(first.Image.Digest)));
    }

    [Fact]
    public async Task AChangeGetsANewTagAndLeavesTheOldOne()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(Request(bench, "{content}", "latest"));
        bench.Write("App.dll", "app 2");

        var second = await bench.PublishAsync(Request(bench, "{content}", "latest"));

        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", Start(first.Image.Digest)));
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", Start(second.Image.Digest)));
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", "latest"));
    }

    [Fact]
    public async Task ATagThatSomebodySetOnAnotherImageIsHeldWhereTagsAre()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = Request(bench, "{content}", "latest") with { HoldsContentTags = true };
        var tag = Start((await bench.PlanAsync(request)).Result.Image.Digest);
        bench.Server.SeedImage("acme/shop", tag, [Seeding.LayerOf(("a", "b"))], Seeding.ConfigOf("amd64"));
        var other = bench.TagDigest("acme/shop", tag);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(request));

        Assert.Equal("IMG4010", error.Code.Id);
        Assert.Contains($"acme/shop:{tag}' exists", error.Message, StringComparison.Ordinal);
        Assert.Contains("No tag was moved", error.Message, StringComparison.Ordinal);
        Assert.Equal(other, bench.TagDigest("acme/shop", tag));
        Assert.Null(bench.TagDigest("acme/shop", "latest"));
    }

    [Fact]
    public async Task APlanTellsTheTag()
    {
        await using var bench = await PublishingBench.StartAsync();

        var plan = await bench.PlanAsync(Request(bench, "{content}"));

        var planned = Assert.Single(plan.Destinations[0].Tags);
        Assert.Equal(Start(plan.Result.Image.Digest), planned.Tag.Value);
        Assert.True(planned.Moves);
        Assert.Empty(bench.Server.Content.Tags("acme/shop"));
    }

    [Fact]
    public async Task OfAnIndexItIsTheIndexsDigest()
    {
        await using var bench = await PublishingBench.StartAsync();
        var image = (await bench.PublishAsync(bench.Request())).Image;
        var index = new IndexRequest
        {
            Images = [image.IndexEntry],
            Destinations = [bench.Named("acme/shop")],
            LocalName = "acme/shop",
            Tags = [],
            ContentTags = [ContentTag.Parse("{content}")],
            HoldsContentTags = true,
        };

        var first = await bench.PublishAsync(index);
        var second = await bench.PublishAsync(index);

        var digest = first.Index.Descriptor.Digest;
        Assert.NotEqual(image.Digest, digest);
        Assert.Equal(digest.Value, bench.TagDigest("acme/shop", Start(digest)));
        Assert.True(second.IsUnchanged);
        Assert.Equal(Start(digest), Assert.Single(second.Deliveries[0].Tags).Value);
    }

    [Fact]
    public async Task InTheLocalStoreItIsATagLikeAnother()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(Request(bench, "{content}") with { Destinations = [] });

        var stored = await bench.Store().FindReferenceAsync($"acme/shop:{Start(result.Image.Digest)}", PublishingBench.Cancel);
        Assert.Equal(result.Image.Digest, stored!.Digest);
    }

    [Fact]
    public async Task ACopyGetsTheTagOfWhatIsCopied()
    {
        await using var bench = await PublishingBench.StartAsync();
        var image = (await bench.PublishAsync(bench.Request("1.0"))).Image;
        await using var registry = RegistryBench.For(bench.Server);
        var source = new RegistryImage(bench.Named("acme/shop").ReferenceTo(Tag.Parse("1.0")));
        var request = new CopyRequest(source, [bench.Named("acme/copy")], "x", []) { ContentTags = [ContentTag.Parse("v-{content}")] };

        await new ImageCopier(registry.Client, bench.Store()).CopyAsync(request, PublishingBench.Cancel);

        Assert.Equal(image.Digest.Value, bench.TagDigest("acme/copy", $"v-{Start(image.Digest)}"));
    }

    private static PublishRequest Request(PublishingBench bench, string template, params string[] tags) =>
        bench.Request(tags) with
        {
            ContentTags = [ContentTag.Parse(template)],
        };

    private static string Start(Digest digest) => digest.Hex[..12];
}

using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Commands;

public sealed class ListAndTagTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheStoresImagesAreFilteredByName()
    {
        await using var bench = await CommandBench.StartAsync();
        await bench.PutAsync("sixeyed/tweet-app:v1", "one");
        await bench.PutAsync("sixeyed/tweet-app:v2", "two");
        await bench.PutAsync("acme/shop:1.0", "three");
        var store = bench.Kept.Store;

        Assert.Equal(
            ["sixeyed/tweet-app:v1", "sixeyed/tweet-app:v2"],
            (await ImageLister.ListImagesAsync(store, new Glob("sixeyed/*"), Cancel)).Select(image => image.Name)
        );
        Assert.Equal(
            ["acme/shop:1.0"],
            (await ImageLister.ListImagesAsync(store, new Glob("acme/shop"), Cancel)).Select(image => image.Name)
        );
        Assert.Equal(
            ["sixeyed/tweet-app:v2"],
            (await ImageLister.ListImagesAsync(store, new Glob("*:v2"), Cancel)).Select(image => image.Name)
        );
        var all = await ImageLister.ListImagesAsync(store, Glob.All, Cancel);
        Assert.Equal(3, all.Count);
        var table = ImageTables.OfImages(all).ToList();
        Assert.Equal(4, table.Count);
        Assert.Contains("linux/amd64", table[1], StringComparison.Ordinal);
        Assert.Contains("2026-01-01 00:00", table[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task FiveThousandTagsAreSortedAsVersionsAndOnlyTheShownAreRead()
    {
        await using var bench = await CommandBench.StartAsync();
        var image = bench.Server.SeedImage("acme/shop", "1.0.0");
        for (var number = 1; number < 5000; number++)
            bench.Server.Content.Tag("acme/shop", $"1.0.{number}", image.Digest);
        bench.Server.Content.Tag("acme/shop", "1.0.5000-rc.1", image.Digest);

        var list = await new ImageLister(bench.Client, bench.Kept.Store, bench.Log).ListTagsAsync(
            CommandBench.In(bench.Server, "acme/shop"),
            Glob.All,
            3,
            Cancel
        );

        Assert.Equal(5001, list.Total);
        Assert.Equal(["1.0.5000-rc.1", "1.0.4999", "1.0.4998"], list.Tags.Select(tag => tag.Tag.Value));
        Assert.All(list.Tags, tag => Assert.Equal(image.Digest, tag.Descriptor!.Digest.Value));
        Assert.InRange(bench.Server.Requests.Count, 6, 20);
    }

    [Fact]
    public async Task ATagThatIsNoImageIsListedWithoutDetails()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");
        CommandBench.Attach(bench.Server, "acme/shop", bench.Server.Content.Tags("acme/shop")["v1"], "text", "chart");

        var list = await new ImageLister(bench.Client, bench.Kept.Store, bench.Log).ListTagsAsync(
            CommandBench.In(bench.Server, "acme/shop"),
            Glob.All,
            0,
            Cancel
        );

        Assert.Equal(["v1", "chart"], list.Tags.Select(tag => tag.Tag.Value));
        Assert.Equal(["linux/amd64", "linux/arm64"], list.Tags[0].Platforms.Select(platform => platform.ToString()));
        Assert.Empty(list.Tags[1].Platforms);
    }

    [Fact]
    public async Task AnIndexIsShownWithItsPlatformsAndLayers()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");

        var image = await new ImageInspector(bench.Client, bench.Kept.Store).InspectAsync(
            CommandBench.At(bench.Server, "acme/shop:v1"),
            Cancel
        );

        Assert.Equal(2, image.Platforms.Count);
        Assert.True(image.Size > 0);
        Assert.Contains(ImageTables.OfImage(image), line => line.Contains("PATH=/usr/local", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ATagInARegistryMovesNoBlob()
    {
        await using var bench = await CommandBench.StartAsync();
        var digest = bench.Server.SeedIndex("acme/shop", "v1");
        bench.Server.SeedImage("acme/shop", "latest");
        bench.Server.Requests.Clear();

        var told = await new ImageTagger(bench.Client, bench.Kept.Store).TagAsync(
            CommandBench.At(bench.Server, "acme/shop:v1"),
            [Tag.Parse("latest")],
            dryRun: true,
            Cancel
        );
        Assert.NotEqual(digest, Assert.Single(told.Moves).Before!.Value);
        Assert.NotEqual(digest, bench.Server.Content.Tags("acme/shop")["latest"]);

        var result = await new ImageTagger(bench.Client, bench.Kept.Store).TagAsync(
            CommandBench.At(bench.Server, "acme/shop:v1"),
            [Tag.Parse("latest"), Tag.Parse("stable"), Tag.Parse("v1")],
            dryRun: false,
            Cancel
        );

        Assert.Equal(digest, bench.Server.Content.Tags("acme/shop")["latest"]);
        Assert.Equal(digest, bench.Server.Content.Tags("acme/shop")["stable"]);
        Assert.Equal([true, false, true], result.Moves.Select(move => move.Before is not null));
        Assert.Equal(0, bench.Server.Requests.CountOf(RegistryStep.UploadPost));
        Assert.Equal(2, bench.Server.Requests.CountOf(RegistryStep.ManifestPut));
        await CommandBench.FailsAsync(DiagnosticCodes.RegistryNotFound, () =>
            new ImageTagger(bench.Client, bench.Kept.Store).TagAsync(
                CommandBench.At(bench.Server, "acme/shop:v9"),
                [Tag.Parse("x")],
                dryRun: false,
                Cancel
            )
        );
    }

    [Fact]
    public async Task ATagInTheStoreIsAnEntryMore()
    {
        await using var bench = await CommandBench.StartAsync();
        var first = await bench.PutAsync("acme/shop:v1", "one");
        await bench.PutAsync("acme/shop:latest", "two");
        var tagger = new ImageTagger(bench.Client, bench.Kept.Store);

        await tagger.TagAsync(new StoreImage("acme/shop:v1"), [Tag.Parse("latest"), Tag.Parse("stable")], dryRun: false, Cancel);
        await tagger.TagAsync(new StoreImage($"acme/shop@{first.Digest}"), [Tag.Parse("byDigest")], dryRun: false, Cancel);

        foreach (var name in (string[])["acme/shop:v1", "acme/shop:latest", "acme/shop:stable", "acme/shop:byDigest"])
            Assert.Equal(first.Digest, (await bench.Kept.Store.FindReferenceAsync(name, Cancel))!.Digest);
        await CommandBench.FailsAsync(DiagnosticCodes.NotInStore, () =>
            tagger.TagAsync(new StoreImage("acme/shop:v9"), [Tag.Parse("x")], dryRun: false, Cancel)
        );
    }
}

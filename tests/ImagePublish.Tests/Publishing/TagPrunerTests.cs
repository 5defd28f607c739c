using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

public sealed class TagPrunerTests
{
    private static readonly TagPruneRules All = new(Glob.All, 0, null);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AThousandTagsGoAndExactlyTheRestStays()
    {
        await using var bench = await VerbBench.StartAsync();
        for (var number = 0; number < 1000; number++)
            Seed(bench, $"1.0.{number}", number);
        Seed(bench, "2.0.0", 5000);
        var rules = new TagPruneRules(new Glob("1.*"), 10, null);

        var told = await PruneAsync(bench, rules, dryRun: true);
        Assert.Equal(1001, bench.Server.Content.Tags("acme/shop").Count);
        var done = await PruneAsync(bench, rules, dryRun: false);

        Assert.Equal(told.Removed, done.Removed);
        Assert.Equal(990, done.Removed.Count);
        Assert.Equal([.. Enumerable.Range(990, 10).Select(number => $"1.0.{number}"), "2.0.0"], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AnImageThatAnotherTagNeedsStays()
    {
        await using var bench = await VerbBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "2.0");
        var child = bench.Server.Content.Manifests("acme/shop").First(manifest => manifest.MediaType.Contains("manifest", StringComparison.Ordinal));
        bench.Server.Content.Tag("acme/shop", "1.0-amd64", ImagePublish.Oci.Digest.Of(child.Bytes.Span).Value);
        bench.Server.Content.Tag("acme/shop", "1.0-latest", bench.Server.Content.Tags("acme/shop")["2.0"]);
        Seed(bench, "1.0", 1);

        var result = await PruneAsync(bench, new TagPruneRules(new Glob("1.*"), 0, null), dryRun: false);

        Assert.Equal(["1.0"], result.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(["1.0-amd64", "1.0-latest"], result.Spared.Select(tag => tag.Tag.Value).Order(StringComparer.Ordinal));
        Assert.Equal(["1.0-amd64", "1.0-latest", "2.0"], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task OnlyOldImagesGo()
    {
        await using var bench = await VerbBench.StartAsync();
        Seed(bench, "1.0", 1, "2020-01-01T00:00:00Z");
        Seed(bench, "1.1", 2, "2025-12-31T00:00:00Z");
        Seed(bench, "1.2", 3);

        var result = await PruneAsync(bench, All with { MaxAge = TimeSpan.FromDays(30) }, dryRun: false);

        Assert.Equal(["1.0"], result.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(2, result.Kept);
    }

    [Fact]
    public async Task ARegistryThatForbidsDeletingSaysSo()
    {
        await using var bench = await VerbBench.StartAsync();
        bench.Server.Options.Content.DeleteManifests = false;
        Seed(bench, "1.0", 1);

        await VerbBench.FailsAsync(DiagnosticCodes.DeleteUnsupported, () => PruneAsync(bench, All, dryRun: false));
        Assert.Single((await PruneAsync(bench, All, dryRun: true)).Removed);
    }

    [Theory]
    [InlineData("docker.io/acme/shop", "https://hub.docker.com/r/acme/shop/tags")]
    [InlineData("docker.io/library/nginx", "https://hub.docker.com/_/nginx/tags")]
    [InlineData("ghcr.io/acme/shop", "https://github.com/acme?tab=packages&q=shop")]
    [InlineData("quay.io/acme/shop", "https://quay.io/repository/acme/shop?tab=tags")]
    [InlineData("registry.gitlab.com/acme/shop/web", "https://gitlab.com/acme/shop/container_registry")]
    [InlineData("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop", "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/123456789012/shop?region=eu-west-1")]
    [InlineData("localhost:5000/shop", null)]
    public void ARepositorysPageIsKnown(string reference, string? page) =>
        Assert.Equal(page, ImagePage.Of(ImagePublish.Oci.Reference.Parse(reference).Repository)?.AbsoluteUri);

    private static Task<TagPruneResult> PruneAsync(VerbBench bench, TagPruneRules rules, bool dryRun) =>
        new TagPruner(bench.Client, bench.Kept.Store, bench.Kept.Clock).PruneAsync(VerbBench.In(bench.Server, "acme/shop"), rules, dryRun, Cancel);

    [Fact]
    public async Task OneTagGoesUnlessItsImageIsAnothersToo()
    {
        await using var bench = await VerbBench.StartAsync();
        Seed(bench, "1.0", 1);
        Seed(bench, "2.0", 2);
        bench.Server.Content.Tag("acme/shop", "latest", bench.Server.Content.Tags("acme/shop")["2.0"]);
        var pruner = new TagPruner(bench.Client, bench.Kept.Store, TimeProvider.System);
        var repository = VerbBench.In(bench.Server, "acme/shop");

        var gone = await pruner.RemoveAsync(repository.At(ImagePublish.Oci.Tag.Parse("1.0")), dryRun: false, Cancel);
        var spared = await pruner.RemoveAsync(repository.At(ImagePublish.Oci.Tag.Parse("latest")), dryRun: false, Cancel);

        Assert.Equal(["1.0"], gone.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(["latest"], spared.Spared.Select(tag => tag.Tag.Value));
        Assert.Equal(["2.0", "latest"], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
        await VerbBench.FailsAsync(DiagnosticCodes.RegistryNotFound, () => pruner.RemoveAsync(repository.At(ImagePublish.Oci.Tag.Parse("9")), dryRun: false, Cancel));
    }

    [Fact]
    public async Task NamesOfTheStoreGoByPatternAndNumberToo()
    {
        await using var bench = await VerbBench.StartAsync();
        foreach (var name in (string[])["acme/shop:1.9", "acme/shop:1.10", "acme/shop:2.0", "acme/tool:1.0", "other:1.0"])
            await bench.PutAsync(name, name);
        var pruner = new StorePruner(bench.Kept.Store, TimeProvider.System);

        var told = await pruner.PruneAsync(new TagPruneRules(new Glob("acme/*"), 1, null), dryRun: true, Cancel);
        var done = await pruner.PruneAsync(new TagPruneRules(new Glob("acme/*"), 1, null), dryRun: false, Cancel);

        Assert.Equal(["acme/shop:1.10", "acme/shop:1.9"], done.Images.Select(image => image.Name).Order(StringComparer.Ordinal));
        Assert.Equal(told.Images.Select(image => image.Name), done.Images.Select(image => image.Name));
        Assert.Equal(["acme/shop:2.0", "acme/tool:1.0", "other:1.0"], (await bench.Kept.Store.ListAsync(Cancel)).Select(image => image.Name));
        await pruner.RemoveAsync("acme/tool:1.0", dryRun: false, Cancel);
        await VerbBench.FailsAsync(DiagnosticCodes.NotInStore, () => pruner.RemoveAsync("acme/tool:1.0", dryRun: false, Cancel));
    }

    private static void Seed(VerbBench bench, string tag, int number, string? created = null)
    {
        JsonObject config = new() { ["architecture"] = "amd64", ["os"] = "linux", ["number"] = number };
        if (created is not null)
            config["created"] = created;
        bench.Server.SeedImage("acme/shop", tag, [], config);
    }
}

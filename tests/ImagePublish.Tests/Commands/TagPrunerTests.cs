using System.Text.Json.Nodes;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Commands;

public sealed class TagPrunerTests
{
    private static readonly TagPruneRules All = new(Glob.All, 0, null);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AThousandTagsGoAndExactlyTheRestStays()
    {
        await using var bench = await CommandBench.StartAsync();
        for (var number = 0; number < 1000; number++)
            Seed(bench, $"1.0.{number}", number);
        Seed(bench, "2.0.0", 5000);
        var rules = new TagPruneRules(new Glob("1.*"), 10, null);

        var told = await PruneAsync(bench, rules, dryRun: true);
        Assert.Equal(1001, bench.Server.Content.Tags("acme/shop").Count);
        var done = await PruneAsync(bench, rules, dryRun: false);

        Assert.Equal(told.Removed, done.Removed);
        Assert.Equal(990, done.Removed.Count);
        Assert.Equal(
            [.. Enumerable.Range(990, 10).Select(number => $"1.0.{number}"), "2.0.0"],
            bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task AnImageThatAnotherTagNeedsStays()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "2.0");
        var child = bench
            .Server.Content.Manifests("acme/shop")
            .First(manifest => manifest.MediaType.Contains("manifest", StringComparison.Ordinal));
        bench.Server.Content.Tag("acme/shop", "1.0-amd64", ImagePublish.Oci.Digest.Compute(child.Bytes.Span).Value);
        bench.Server.Content.Tag("acme/shop", "1.0-latest", bench.Server.Content.Tags("acme/shop")["2.0"]);
        Seed(bench, "1.0", 1);

        var result = await PruneAsync(bench, new TagPruneRules(new Glob("1.*"), 0, null), dryRun: false);

        Assert.Equal(["1.0"], result.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(["1.0-amd64", "1.0-latest"], result.Retained.Select(tag => tag.Tag.Value).Order(StringComparer.Ordinal));
        Assert.Equal(["1.0-amd64", "1.0-latest", "2.0"], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task OnlyOldImagesGo()
    {
        await using var bench = await CommandBench.StartAsync();
        Seed(bench, "1.0.0", 1, "2020-01-01T00:00:00Z");
        Seed(bench, "1.1.0", 2, "2025-12-31T00:00:00Z");
        Seed(bench, "1.2.0", 3);

        var result = await PruneAsync(bench, All with { MaxAge = TimeSpan.FromDays(30) }, dryRun: false);

        Assert.Equal(["1.0.0"], result.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(2, result.Kept);
    }

    [Fact]
    public async Task ARegistryThatForbidsDeletingSaysSo()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.DeleteManifests = false;
        Seed(bench, "1.0.0", 1);

        await CommandBench.FailsAsync(DiagnosticCodes.DeleteUnsupported, () => PruneAsync(bench, All, dryRun: false));
        Assert.Single((await PruneAsync(bench, All, dryRun: true)).Removed);
    }

    [Theory]
    [InlineData("docker.io/acme/shop", "https://hub.docker.com/r/acme/shop/tags")]
    [InlineData("docker.io/library/nginx", "https://hub.docker.com/_/nginx/tags")]
    [InlineData("ghcr.io/acme/shop", "https://github.com/acme?tab=packages&q=shop")]
    [InlineData("quay.io/acme/shop", "https://quay.io/repository/acme/shop?tab=tags")]
    [InlineData("registry.gitlab.com/acme/shop/web", "https://gitlab.com/acme/shop/container_registry")]
    [InlineData(
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/123456789012/shop?region=eu-west-1"
    )]
    [InlineData("localhost:5000/shop", null)]
    public void ARepositorysPageIsKnown(string reference, string? page) =>
        Assert.Equal(page, ImagePage.FindAddress(ImagePublish.Oci.Reference.Parse(reference).Repository)?.AbsoluteUri);

    [Fact]
    public async Task OneTagGoesUnlessItsImageIsAnothersToo()
    {
        await using var bench = await CommandBench.StartAsync();
        Seed(bench, "1.0", 1);
        Seed(bench, "2.0", 2);
        bench.Server.Content.Tag("acme/shop", "latest", bench.Server.Content.Tags("acme/shop")["2.0"]);
        var pruner = new TagPruner(bench.Client, bench.Kept.Store, TimeProvider.System);
        var repository = CommandBench.In(bench.Server, "acme/shop");

        var gone = await pruner.PlanAsync(repository.ReferenceTo(ImagePublish.Oci.Tag.Parse("1.0")), Cancel);
        await pruner.RemoveAsync(gone, Cancel);
        var spared = await pruner.PlanAsync(repository.ReferenceTo(ImagePublish.Oci.Tag.Parse("latest")), Cancel);
        await pruner.RemoveAsync(spared, Cancel);

        Assert.Equal(["1.0"], gone.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(["latest"], spared.Retained.Select(tag => tag.Tag.Value));
        Assert.Equal(["2.0", "latest"], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
        await CommandBench.FailsAsync(DiagnosticCodes.RegistryNotFound, () =>
            pruner.PlanAsync(repository.ReferenceTo(ImagePublish.Oci.Tag.Parse("9")), Cancel)
        );
    }

    [Fact]
    [ReliabilityCase("Prune", "floating tags `latest`, `1` and `1.1` next to releases", "never counted; they and their images are kept")]
    public async Task FloatingTagsTakeNoReleasesPlace()
    {
        await using var bench = await CommandBench.StartAsync();
        string[] versions = ["0.9.0", "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1"];
        for (var at = 0; at < versions.Length; at++)
            Seed(bench, versions[at], at);
        foreach (
            var (name, version) in (ValueTuple<string, string>[])
                [("latest", "1.1.1"), ("1", "1.1.1"), ("1.1", "1.1.1"), ("1.0", "1.0.2"), ("0.9", "0.9.0")]
        )
            bench.Server.Content.Tag("acme/shop", name, bench.Server.Content.Tags("acme/shop")[version]);

        var result = await PruneAsync(bench, new TagPruneRules(new Glob("*"), 2, null), dryRun: false);

        Assert.Equal(["1.0.1", "1.0.0"], result.Removed.Select(tag => tag.Tag.Value));
        Assert.Equal(["1.0.2", "0.9.0"], result.Retained.Select(tag => tag.Tag.Value));
        Assert.Equal(
            ["0.9", "0.9.0", "1", "1.0", "1.0.2", "1.1", "1.1.0", "1.1.1", "latest"],
            bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal)
        );
        var lines = ImagePublish.Reporting.PruneTables.OfTags(result, dryRun: false).ToList();
        Assert.StartsWith($"{bench.Server.Host}/acme/shop: 2 tags to remove, 9 stay", lines[0], StringComparison.Ordinal);
    }

    // What each filter, number and age chooses of one repository; every image is old.
    [Theory]
    [InlineData("", 1, false, "1.0.0 1.1.0 2.0.0-rc.1")]
    [InlineData("*", 0, true, "1.0.0 1.1.0 1.10.0 2.0.0-rc.1 2.0.0-rc.2")]
    [InlineData("1.*", 1, false, "1.0.0 1.1.0")]
    [InlineData("1*", 0, false, "1.0.0 1.1.0 1.10.0")]
    [InlineData("1.10", 0, false, "1.10")]
    [InlineData("latest", 5, true, "latest")]
    [InlineData("pr-*", 2, false, "")]
    [InlineData("pr-*", 2, true, "pr-9 pr-10")]
    [InlineData("pr-*", 0, false, "pr-9 pr-10")]
    [InlineData("*a*", 0, true, "main")]
    [InlineData("2.0.0-*", 1, false, "2.0.0-rc.1")]
    public void OnlyVersionsAreCountedAndNamesGoWhenTheFilterAsksForThem(string pattern, int keep, bool byAge, string expected)
    {
        string[] tags = ["1.0.0", "1.1.0", "1.10.0", "2.0.0-rc.1", "2.0.0-rc.2", "1", "1.10", "latest", "main", "pr-9", "pr-10"];
        var filter = new Glob(pattern);

        var chosen = new TagPruneRules(filter, keep, byAge ? TimeSpan.FromDays(1) : null).Select(tags, filter.Matches, filter);

        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal),
            chosen.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    [ReliabilityCase("Prune", "prereleases above the last release", "counted, but they never displace a release")]
    public void PrereleasesDisplaceNoRelease()
    {
        string[] tags = ["1.0.0", "1.1.0", "v1.1.0", "1.2.0-ci.1", "1.2.0-ci.2", "1.2.0-ci.3", "1.2.0-ci.10"];

        var chosen = new TagPruneRules(Glob.All, 2, null).Select(tags, _ => true, Glob.All);

        Assert.Equal(["1.2.0-ci.1", "1.2.0-ci.2"], chosen.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("1.4.2", "1.4.2")]
    [InlineData("v1.4.2-rc.1", "1.4.2-rc.1")]
    [InlineData("1.4.2.7", "1.4.2.7")]
    [InlineData("2026.01.05", "2026.1.5")]
    [InlineData("1", null)]
    [InlineData("v1.4", null)]
    [InlineData("1.4-rc.1", null)]
    [InlineData("1.4.2_a", null)]
    [InlineData("3f2a1b0", null)]
    [InlineData("vv1.4.2", null)]
    [InlineData("1.4.99999999999", null)]
    public void OnlyAFullVersionIsAVersion(string tag, string? version) =>
        Assert.Equal(version, TagOrder.VersionOf(tag)?.ToNormalizedString());

    [Fact]
    public void VersionsComeFirstAndNewestIsTheHighest()
    {
        string[] sorted = ["2.0.0", "2.0.0-rc.10", "2.0.0-rc.9", "1.10.0", "1.9.0", "v2", "pr-10", "pr-9", "latest", "2.0"];

        Assert.Equal(sorted, TagOrder.Sort(sorted.Order(StringComparer.Ordinal), ImagePublish.Oci.Tag.Parse));
        Assert.Equal(
            sorted[..3],
            ImagePublish.LayerReuse.CacheSources.Newest(sorted.Reverse().Select(ImagePublish.Oci.Tag.Parse)).Select(tag => tag.Value)
        );
    }

    [Fact]
    public async Task NamesOfTheStoreGoByPatternAndNumberToo()
    {
        await using var bench = await CommandBench.StartAsync();
        foreach (
            var name in (string[])
                [
                    "acme/shop:1.9.0",
                    "acme/shop:1.10.0",
                    "acme/shop:2.0.0",
                    "acme/shop:2.0",
                    "acme/shop:dev",
                    "acme/tool:1.0.0",
                    "other:1.0.0",
                ]
        )
            await bench.PutAsync(name, name);
        var pruner = new StorePruner(bench.Kept.Store, TimeProvider.System);

        var names = await pruner.ChooseAsync(new TagPruneRules(new Glob("acme/*"), 1, null), Cancel);
        var told = await pruner.RemoveAsync(names, dryRun: true, Cancel);
        var done = await pruner.RemoveAsync(names, dryRun: false, Cancel);

        Assert.Equal(["acme/shop:1.10.0", "acme/shop:1.9.0"], done.Images.Select(image => image.Name).Order(StringComparer.Ordinal));
        Assert.Equal(told.Images.Select(image => image.Name), done.Images.Select(image => image.Name));
        Assert.Equal(
            ["acme/shop:2.0", "acme/shop:2.0.0", "acme/shop:dev", "acme/tool:1.0.0", "other:1.0.0"],
            (await bench.Kept.Store.ListAsync(Cancel)).Select(image => image.Name)
        );
        Assert.Equal(["acme/shop:dev"], await pruner.ChooseAsync(new TagPruneRules(new Glob("acme/shop:d*"), 0, null), Cancel));
        await pruner.RemoveAsync("acme/tool:1.0.0", dryRun: false, Cancel);
        await CommandBench.FailsAsync(DiagnosticCodes.NotInStore, () => pruner.RemoveAsync("acme/tool:1.0.0", dryRun: false, Cancel));
    }

    private static async Task<TagPrunePlan> PruneAsync(CommandBench bench, TagPruneRules rules, bool dryRun)
    {
        var pruner = new TagPruner(bench.Client, bench.Kept.Store, bench.Kept.Clock);
        var plan = await pruner.PlanAsync(CommandBench.In(bench.Server, "acme/shop"), rules, Cancel);
        if (!dryRun)
            await pruner.RemoveAsync(plan, Cancel);
        return plan;
    }

    private static void Seed(CommandBench bench, string tag, int number, string? created = null)
    {
        JsonObject config = new()
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["number"] = number,
        };
        if (created is not null)
            config["created"] = created;
        bench.Server.SeedImage("acme/shop", tag, [], config);
    }
}

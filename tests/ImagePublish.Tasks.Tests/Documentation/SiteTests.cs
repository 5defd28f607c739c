using System.Text.Json;
using ImagePublish.Tasks.Tests.Report;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>The documentation as a site, opened from its files in a real browser.</summary>
public sealed class SiteTests(BuiltSite site) : IClassFixture<BuiltSite>
{
    private JsonElement Seen => site.Seen;

    [Fact]
    public void NothingComplainsAndNothingIsLoadedFromElsewhere()
    {
        Assert.Empty(Seen.Texts("complaints"));
        Assert.Empty(Seen.Texts("requests"));
    }

    [Fact]
    public void EveryPageOfTheDocumentationIsThereAndEveryLinkLeadsSomewhere()
    {
        var pages = Seen.Texts("pages");

        Assert.All(Page.Names.Skip(1), name => Assert.Contains(Path.ChangeExtension(name, ".html"), pages));
        Assert.Superset(new HashSet<string> { "index.html", "CHANGELOG.html", "samples/Shop/index.html" }, pages.ToHashSet());
        Assert.Empty(Seen.Texts("broken"));
        Assert.InRange(Seen.GetProperty("links").GetInt32(), 1_000, int.MaxValue);
    }

    [Fact]
    public async Task ALinkThatLeadsNowhereIsAnErrorOfTheBuild()
    {
        var page = site["docs/sbom.md"];
        var before = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(page, "[a](none.md) [b](tour.md#none) [c](tour.md#tidy-up)\n", TestContext.Current.CancellationToken);

        var build = await site.Npm("run", "build").RunAsync(TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(page, before, TestContext.Current.CancellationToken);

        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains("docs/sbom.html: none.md", build.All, StringComparison.Ordinal);
        Assert.Contains("docs/sbom.html: tour.html#none", build.All, StringComparison.Ordinal);
        Assert.DoesNotContain("tidy-up", build.All, StringComparison.Ordinal);
    }

    [Fact]
    public void LinksAreFollowedFromPageToPage()
    {
        Assert.Equal("docs/tour.html#sign-in-and-push", Seen.Text("followed"));
        Assert.Equal("docs/recipes.html", Seen.Text("turned"));
        Assert.Equal("docs/recipes.html#jenkins", Seen.Text("outlined"));
        Assert.Equal("docs/troubleshooting.html", Seen.Text("chosen"));
    }

    [Fact]
    public void TheSearchFindsNamesCodesAndWords()
    {
        Assert.Equal("ImageCacheFrom", Seen.Texts("names")[0]);
        Assert.StartsWith("IMG1001: ", Seen.Texts("code")[0], StringComparison.Ordinal);
        Assert.Equal("A mirror of Microsoft's registry", Seen.Texts("words")[0]);
        Assert.Superset(
            new HashSet<string> { "mirror", "registry" },
            Seen.Texts("marks").Select(mark => mark.ToLowerInvariant()).ToHashSet()
        );
        Assert.Equal("Nothing found.", Seen.Text("nothing"));
        Assert.Equal("docs/reference.html#imagecachefrom", Seen.Text("found"));
        Assert.True(Seen.GetProperty("isInView").GetBoolean());
    }

    [Fact]
    public void ItFitsPhonesAndTheThemeStays()
    {
        Assert.Empty(Seen.Texts("overflow"));
        Assert.True(Seen.GetProperty("toggled").GetBoolean());
        Assert.True(Seen.GetProperty("kept").GetBoolean());
    }

    [Fact]
    public void NothingKeepsAnyoneOut()
    {
        Assert.Empty(Seen.Texts("barriers"));
        Assert.Equal(Seen.Texts("pages").Count, Seen.GetProperty("plain").GetInt32());
        Assert.Equal(0, Seen.GetProperty("uselessButtons").GetInt32());
    }

    [Fact]
    public void CommandsAreCopied() =>
        Assert.StartsWith("dotnet publish -p:PublishImage=true ", Seen.Text("copied"), StringComparison.Ordinal);

    [Fact]
    public void ItsPackagesArePinnedAndNoRegistryIsNamed()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "docs", "site");
        using var package = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "package.json")));
        Assert.All(package.RootElement.GetProperty("devDependencies").EnumerateObject(), one =>
            Assert.Matches(@"^\d+\.\d+\.\d+$", one.Value.GetString()!)
        );
        Assert.DoesNotContain("\"resolved\"", File.ReadAllText(Path.Combine(folder, "package-lock.json")), StringComparison.Ordinal);
    }
}

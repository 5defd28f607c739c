using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>The page of a repository in a real browser, driven as people use it.</summary>
public sealed class RepositoryPageTests(RepositoryPages pages) : IClassFixture<RepositoryPages>
{
    private JsonElement Seen => pages.Seen;

    [Fact]
    public void NothingComplainsAndNothingIsLoaded()
    {
        Assert.Empty(Seen.Texts("complaints"));
        Assert.Empty(Seen.Texts("requests"));
    }

    [Fact]
    public void EveryImageIsListedWithItsTags()
    {
        Assert.Equal("1 to 43 of 43 images", Seen.Text("range"));
        Assert.Matches(@"^1\.3\.9\s*latest\s*1\.3\s", Seen.Text("firstRow"));
        Assert.Contains("signature (cosign, by tag)", Seen.Text("firstRow"), StringComparison.Ordinal);
        Assert.Contains("application/vnd.cncf.helm.config.v1+json", Seen.Text("chartRow"), StringComparison.Ordinal);
        Assert.Contains("broken: ", Seen.Text("notes"), StringComparison.Ordinal);
    }

    [Fact]
    public void AFilterAndPagesFindTags()
    {
        Assert.Equal("1 to 10 of 10 images", Seen.Text("filtered"));
        Assert.Equal("No image has this.", Seen.Text("nothing"));
        Assert.Equal("51 to 100 of 5,000 images", Seen.Text("secondPage"));
        Assert.Equal(50, Seen.GetProperty("rowsOfAPage").GetInt32());
        Assert.Equal("1 to 1 of 1 image", Seen.Text("largeFiltered"));
    }

    [Fact]
    public void AnyTwoTagsAreComparedDownToLayersSettingsAndFiles()
    {
        Assert.Matches(
            @"^[\d.]+ kB of 1\.3\.9's [\d.]+ MB \([\d.]+ %\) are uploaded to a registry that has 1\.3\.8: 1 layer of 4, and the config\.$",
            Seen.Text("lead")
        );
        Assert.Equal(["uploaded", "in both", "in both", "in both", "not in 1.3.9"], Seen.Texts("states"));
        Assert.Contains("app/Shop.dll", Seen.Text("compared"), StringComparison.Ordinal);
        Assert.Matches(@"label org\.opencontainers\.image\.version\s+1\.3\.8\s+1\.3\.9", Seen.Text("compared"));
        Assert.Equal("1.3.9 is compared with itself.", Seen.Text("itself"));
        Assert.Contains("4 layers of 4", Seen.Text("typed"), StringComparison.Ordinal);
        Assert.Contains("a registry that has 1.3.9", Seen.Text("swapped"), StringComparison.Ordinal);
        Assert.Contains("The files of these two were not read", Seen.Text("unread"), StringComparison.Ordinal);
        Assert.Equal("true", Seen.Text("invalid"));
    }

    [Fact]
    public void EachPlatformOfAnIndexIsComparedDownToItsFiles()
    {
        Assert.Equal(["linux/amd64", "linux/arm64", "all platforms"], Seen.Texts("comparePlatforms"));
        var compared = Seen.GetProperty("filesOf");
        Assert.Contains("app/native-amd64.so", compared.Text("linux/amd64"), StringComparison.Ordinal);
        Assert.DoesNotContain("app/native-arm64.so", compared.Text("linux/amd64"), StringComparison.Ordinal);
        Assert.Contains("app/native-arm64.so", compared.Text("linux/arm64"), StringComparison.Ordinal);
        Assert.Contains("Choose a platform to see which files differ.", compared.Text("all platforms"), StringComparison.Ordinal);
        Assert.Contains("the newest 3 images, for each platform", Seen.Text("unread"), StringComparison.Ordinal);
    }

    [Fact]
    public void AnOutdatedBaseIsSeenInTheListAndOfTheImage()
    {
        Assert.Matches(@"Base is outdated\s+2\s+of 3 that were checked", Seen.Text("facts"));
        Assert.Equal([false, true, true], Outdated("movedRows"));
        Assert.Equal([false, true, true], Outdated("phoneRows"));
        Assert.Equal("1 to 2 of 2 images", Seen.Text("movedFiltered"));
        Assert.Matches(
            "outdated: its name points at sha256:[0-9a-f]{64} now, runtime 10\\.0\\.0 → 10\\.0\\.2, 2 packages of the system differ: "
                + "libc6 2\\.36-9 → 2\\.36-10, libssl3 3\\.0\\.15-1 → 3\\.0\\.17-1; it gets fixes until 2028-11-14",
            Seen.Text("movedBase")
        );

        IEnumerable<bool> Outdated(string rows) =>
            Seen.Texts(rows).Select(row => row.Contains("base is outdated", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatPairsShareLeadsToTheirComparison()
    {
        Assert.Equal(132, Seen.GetProperty("cells").GetInt32());
        Assert.Equal("tab-compare", Seen.Text("fromMatrix"));
        Assert.Matches(@"^1\.3\.\d to 1\.3\.\d$", Seen.Text("pair"));
    }

    [Fact]
    public void OneImageIsShownWithItsCommands()
    {
        Assert.Contains("kubectl set image deployment/shop shop=", Seen.Text("commands"), StringComparison.Ordinal);
        Assert.Contains("-t:RebaseImage", Seen.Text("commands"), StringComparison.Ordinal);
        Assert.Matches(@"^docker pull 127\.0\.0\.1:\d+/acme/shop@sha256:[0-9a-f]{64}$", Seen.Text("copied"));
        Assert.Equal(["linux/amd64", "linux/arm64"], Seen.Texts("platforms"));
        Assert.Contains(@"label </script><b>\u202eshop", Seen.Text("hostile"), StringComparison.Ordinal);
    }

    [Fact]
    public void KeysAloneGoEverywhere()
    {
        Assert.Matches(@"^1\.3\.8, \d{4}-\d\d-\d\d: [\d.]+ MB, [\d.]+ kB of it new$", Seen.Text("chosen"));
        Assert.Equal("tab-image", Seen.Text("opened"));
        Assert.Equal("tab-image", Seen.Text("lastTab"));
        Assert.Equal(["versions", "chart", "small", "small", "filter"], Seen.Texts("stops"));
    }

    [Fact]
    public void NothingKeepsAnyoneOutAndEverythingHasAName()
    {
        Assert.Empty(Seen.Texts("barriers"));
        Assert.Empty(Seen.Texts("nameless"));
    }

    [Fact]
    public void ItFitsPhonesFollowsTheThemeAndIsPrinted()
    {
        var views = Seen.GetProperty("views");
        Assert.All(views.EnumerateObject(), view => Assert.Equal(0, view.Value.GetProperty("overflow").GetInt32()));
        Assert.NotEqual(Background("repository-desktop-light"), Background("repository-desktop-dark"));
        Assert.Equal(Background("repository-phone-dark"), Background("repository-desktop-dark"));
        Assert.Equal(Background("repository-desktop-dark"), Seen.Text("toggled"));
        Assert.True(Seen.GetProperty("printed").GetBoolean());

        string? Background(string view) => views.GetProperty(view).GetProperty("background").GetString();
    }

    // Of two openings the faster counts: the machine does other things besides.
    [Fact]
    public void FiveThousandTagsAreThereWithinTwoSeconds()
    {
        var views = Seen.GetProperty("views").EnumerateObject().Where(view => view.Name.StartsWith("large", StringComparison.Ordinal));

        Assert.InRange(views.Min(view => view.Value.GetProperty("milliseconds").GetInt32()), 1, 2_000);
        Assert.InRange(pages.LargeSize, 1_000_000, 4_000_000);
    }
}

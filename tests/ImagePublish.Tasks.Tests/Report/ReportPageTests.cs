using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>The report in a real browser, driven as people use it.</summary>
public sealed class ReportPageTests(LargeReport report) : IClassFixture<LargeReport>
{
    private JsonElement Seen => report.Seen;

    [Fact]
    public void NothingComplainsAndNothingIsLoaded()
    {
        Assert.Empty(Seen.Texts("complaints"));
        Assert.Empty(Seen.Texts("requests"));
    }

    // Of four openings the fastest counts: the machine does other things besides.
    [Fact]
    public void TwentyThousandFilesAreThereWithinTwoSeconds() =>
        Assert.InRange(
            Seen.GetProperty("views").EnumerateObject().Min(view => view.Value.GetProperty("milliseconds").GetInt32()),
            1,
            2_000
        );

    [Fact]
    public void ItTellsWhatThereIs()
    {
        Assert.Contains("20,003", Seen.Text("facts"), StringComparison.Ordinal);
        Assert.InRange(Seen.GetProperty("cells").GetInt32(), 1, 130);
        Assert.Contains("SETTING", Seen.Text("config"), StringComparison.Ordinal);
        Assert.Contains("new </script>", Seen.Text("config"), StringComparison.Ordinal);
    }

    [Fact]
    public void OnePressGoesIntoALayerAndEscapeOut()
    {
        Assert.Equal("whole image", Seen.Texts("zoomed")[0]);
        Assert.True(Seen.Texts("zoomed").Count > 1);
        Assert.Matches(@" [\d.]+ (k|M)?B, [\d.]+ %", Seen.Text("focused"));
        Assert.Equal(["whole image"], Seen.Texts("back"));
        Assert.True(Seen.Texts("entered").Count > 1);
    }

    [Fact]
    public void AFileIsFoundByPartsOfItsName()
    {
        Assert.Equal("1 file, 5.0 MB", Seen.Text("found"));
        Assert.Equal("script><b>needle.txt", Seen.Text("hit").Trim());
    }

    [Fact]
    public void TheComparisonTellsFilesPackagesAndConfig()
    {
        var changes = Seen.Text("changes");

        Assert.Contains("large:1.0.0@sha256:", changes, StringComparison.Ordinal);
        Assert.Contains("0 files added, 2 changed, 1 removed", changes, StringComparison.Ordinal);
        Assert.Matches(@"Some\.Package\s+1\.0\.0\s+2\.0\.0", changes);
        Assert.Matches(@"env SETTING\s+old\s+new </script>", changes);
        Assert.Matches(@"app/Gone\.dll\s+removed\s+−4 B", changes);
    }

    [Fact]
    public void CommandsAreCopied()
    {
        Assert.Equal("docker run --rm -p 8080:8080 large:1.0.0", Seen.Text("copied"));
        Assert.Equal(Seen.Text("copied"), Seen.Texts("commands")[0].Trim());
        Assert.Contains("ENTRYPOINT [\"dotnet\",\"/app/App.dll\"]", Seen.Texts("commands")[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void ItFitsPhonesAndFollowsTheTheme()
    {
        var views = Seen.GetProperty("views");
        Assert.All(views.EnumerateObject(), view => Assert.Equal(0, view.Value.GetProperty("overflow").GetInt32()));
        Assert.NotEqual(Background("desktop-light"), Background("desktop-dark"));
        Assert.Equal(Background("phone-dark"), Background("desktop-dark"));
        Assert.Equal(Background("desktop-dark"), Seen.Text("toggled"));

        string? Background(string view) => views.GetProperty(view).GetProperty("background").GetString();
    }

    [Fact]
    public void EverythingHasANameAndIsPrinted()
    {
        Assert.Empty(Seen.Texts("nameless"));
        Assert.True(Seen.GetProperty("printed").GetBoolean());
        Assert.Equal(0, Seen.GetProperty("cutOff").GetInt32());
    }

    [Fact]
    public void NothingKeepsAnyoneOutAndNothingIsTooFaint()
    {
        Assert.Empty(Seen.Texts("barriers"));
        Assert.Empty(Seen.Texts("faint"));
    }

    [Fact]
    public void KeysAloneGoEverywhere()
    {
        Assert.Equal("tab-use", Seen.Text("lastTab"));
        Assert.Equal(["contents", "search", "cell", "go"], Seen.Texts("stops"));
        Assert.Equal("location", Seen.Text("arrived"));
    }
}

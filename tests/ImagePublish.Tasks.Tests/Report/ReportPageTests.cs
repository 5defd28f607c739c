using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>The report in a real browser, driven as people use it.</summary>
public sealed class ReportPageTests(LargeReport report) : IClassFixture<LargeReport>
{
    private JsonElement Seen => report.Seen;

    [Fact]
    public void NothingComplainsAndNothingIsLoaded()
    {
        Assert.Empty(Texts("complaints"));
        Assert.Empty(Texts("requests"));
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
        Assert.Contains("20,003", Text("facts"), StringComparison.Ordinal);
        Assert.InRange(Seen.GetProperty("cells").GetInt32(), 1, 130);
        Assert.Contains("SETTING", Text("config"), StringComparison.Ordinal);
        Assert.Contains("new </script>", Text("config"), StringComparison.Ordinal);
    }

    [Fact]
    public void OnePressGoesIntoALayerAndEscapeOut()
    {
        Assert.Equal("whole image", Texts("zoomed")[0]);
        Assert.True(Texts("zoomed").Count > 1);
        Assert.Matches(@" [\d.]+ (k|M)?B, [\d.]+ %", Text("focused"));
        Assert.Equal(["whole image"], Texts("back"));
        Assert.True(Texts("entered").Count > 1);
    }

    [Fact]
    public void AFileIsFoundByPartsOfItsName()
    {
        Assert.Equal("1 file, 5.0 MB", Text("found"));
        Assert.Equal("script><b>needle.txt", Text("hit").Trim());
    }

    [Fact]
    public void TheComparisonTellsFilesPackagesAndConfig()
    {
        var changes = Text("changes");

        Assert.Contains("large:1.0.0@sha256:", changes, StringComparison.Ordinal);
        Assert.Contains("0 files added, 2 changed, 1 removed", changes, StringComparison.Ordinal);
        Assert.Matches(@"Some\.Package\s+1\.0\.0\s+2\.0\.0", changes);
        Assert.Matches(@"env SETTING\s+old\s+new </script>", changes);
        Assert.Matches(@"app/Gone\.dll\s+removed\s+−4 B", changes);
    }

    [Fact]
    public void CommandsAreCopied()
    {
        Assert.Equal("docker run --rm -p 8080:8080 large:1.0.0", Text("copied"));
        Assert.Equal(Text("copied"), Texts("commands")[0].Trim());
        Assert.Contains("ENTRYPOINT [\"dotnet\",\"/app/App.dll\"]", Texts("commands")[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void ItFitsPhonesAndFollowsTheTheme()
    {
        var views = Seen.GetProperty("views");
        Assert.All(views.EnumerateObject(), view => Assert.Equal(0, view.Value.GetProperty("overflow").GetInt32()));
        Assert.NotEqual(Background("desktop-light"), Background("desktop-dark"));
        Assert.Equal(Background("phone-dark"), Background("desktop-dark"));
        Assert.Equal(Background("desktop-dark"), Text("toggled"));

        string? Background(string view) => views.GetProperty(view).GetProperty("background").GetString();
    }

    [Fact]
    public void EverythingHasANameAndIsPrinted()
    {
        Assert.Empty(Texts("nameless"));
        Assert.True(Seen.GetProperty("printed").GetBoolean());
        Assert.Equal(0, Seen.GetProperty("cutOff").GetInt32());
    }

    [Fact]
    public void NothingKeepsAnyoneOutAndNothingIsTooFaint()
    {
        Assert.Empty(Texts("barriers"));
        Assert.Empty(Texts("faint"));
    }

    [Fact]
    public void KeysAloneGoEverywhere()
    {
        Assert.Equal("tab-use", Text("lastTab"));
        Assert.Equal(["contents", "search", "cell", "go"], Texts("stops"));
        Assert.Equal("location", Text("arrived"));
    }

    private string Text(string name) => Seen.GetProperty(name).GetString()!;

    private IReadOnlyList<string> Texts(string name) => [.. Seen.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];
}

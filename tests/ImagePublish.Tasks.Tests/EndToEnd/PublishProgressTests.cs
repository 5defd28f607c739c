using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What is to be seen of a publish that takes its time, in real terminals and in logs.</summary>
public sealed class PublishProgressTests(SlowApp app) : IClassFixture<SlowApp>
{
    private const int Rows = 24;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public async Task UnderTheTerminalLoggerThereIsABarForEachLayerAndNothingOfItIsLeft(int columns)
    {
        app.Registry.Line.BytesPerSecond = 5_000_000;
        app.Registry.Faults.Add(RegistryStep.UploadPost, FaultAction.Status(503, headers: "Retry-After: 2"));
        await using var terminal = await Terminal.StartAsync(app.Publish(), columns, Rows, Cancelled);

        var waiting = await terminal.UntilAsync(screen => Regex.IsMatch(screen, @"(?m)^  [\d.:]+ .* waits \d s, try 2 of 5$"), Cancelled);
        var moving = await terminal.UntilAsync(
            screen => Regex.IsMatch(screen, @"(?m)^  models +━+[╸─]+ +\d+ % +\d+\.\d of 16\.0 MB +\d+\.\d [kM]B/s +\d s left$"),
            Cancelled
        );
        var lines = await terminal.EndAsync(Cancelled);

        Assert.All([waiting, moving], screen => Assert.Matches(@"(?m)^  Slow net10\.0 +_DeliverPlatformImage \(\d\.\ds\)$", screen));
        Assert.Collection(
            lines,
            line => Assert.Matches(@"^  Slow net10\.0 succeeded \(\d+\.\ds\) → [\d.:]+/slow/\d+:1 \(16\.1 MB uploaded\)$", line),
            line => Assert.Matches(@"^Build succeeded in \d+\.\ds$", line),
            // The logger shows the first line of the summary alone; below it, all that was told is whole.
            line => Assert.StartsWith("Trying again to upload the blob sha256:", line, StringComparison.Ordinal),
            line => Assert.Matches(@"^Slow -> [\d.:]+/slow/\d+:1 \(16\.1 MB uploaded\)$", line),
            line => Assert.Matches(@"^  [\d.:]+/slow/\d+@sha256:[0-9a-f]{64}$", line),
            line => Assert.Matches(@"^  linux/\w+, 16\.1 MB in \d layers?, \d+\.\d s$", line),
            line => Assert.Matches(@"^  docker run --rm .*:1$", line),
            line => Assert.Equal("ended with 0", line)
        );
        Assert.All(Regex.Split(terminal.Written, @"(?=\e\[\?25l)"), frame =>
            Assert.Equal(frame.Contains("\e7", StringComparison.Ordinal), frame.Contains("\e8\e[?7h\e[?25h", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task UnderTheClassicLoggerThereAreLinesWithABar()
    {
        app.Registry.Line.BytesPerSecond = 4_000_000;
        await using var terminal = await Terminal.StartAsync(app.Publish("-tl:off"), 80, Rows, Cancelled);

        var lines = await terminal.EndAsync(Cancelled);

        Assert.Matches(@"^  Slow -> .*/publish/$", lines[0]);
        var end = lines.ToList().FindIndex(line => Regex.IsMatch(line, @"^  Slow -> [\d.:]+/slow/\d+:1 \(16\.1 MB uploaded\)$"));
        // One line on an idle machine; one more where the upload began late.
        Assert.InRange(end, 2, 3);
        Assert.All(lines.Take(1..end), line =>
            Assert.Matches(@"^  Slow: ━*╸?─* \d+\.\d of 16\.1 MB moved \(\d+ %\), \d+\.\d [kM]B/s, \d s left$", line)
        );
        Assert.Equal("ended with 0", lines[^1]);
        Assert.DoesNotContain("\e7", terminal.Written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QuietIsQuiet()
    {
        app.Registry.Line.BytesPerSecond = 5_000_000;
        await using var terminal = await Terminal.StartAsync(app.Publish("-v:q", "-bl:quiet.binlog"), 80, Rows, Cancelled);
        var lines = await terminal.EndAsync(Cancelled);
        app.Registry.Line.BytesPerSecond = null;
        var redirected = await app.Publish("-v:q").RunAsync(Cancelled);

        Assert.Equal(["ended with 0"], lines);
        Assert.DoesNotContain("models", terminal.Written, StringComparison.Ordinal);
        Assert.Equal("", redirected.EnsureSuccess().All);
    }

    [Fact]
    public async Task ALogGetsALineAfterFiveSecondsAndNoEscapeSequence()
    {
        app.Registry.Line.BytesPerSecond = 1_600_000;
        var publish = await app.Publish().SucceedAsync(Cancelled);

        Assert.DoesNotContain('\e', publish.Output);
        Assert.Matches(@"(?m)^  Slow: \d+\.\d of 16\.1 MB moved \(\d+ %\), \d+\.\d [kM]B/s, \d s left$", publish.Output);
    }
}

using ImagePublish.Reporting.Progress;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>What is known of the work that is under way.</summary>
public sealed class ProgressBoardTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly ProgressBoard board;

    public ProgressBoardTests() => board = new ProgressBoard(clock);

    [Fact]
    public void ABlobIsCalledByItsLayerOrByTheStartOfItsDigest()
    {
        board.Name("sha256:aaaa", "packages");
        board.Send("sha256:aaaa", 1);
        board.Send("sha256:0123456789abcdef", 1);

        Assert.Equal(["packages", "0123456789ab"], Names());
    }

    [Fact]
    public void ABlobThatGoesToTwoPlacesIsOneRowUntilBothHaveIt()
    {
        board.Send("a", 10);
        board.Send("a", 10);
        board.Advance("a", 15);
        board.Settle("a");

        Assert.Equal((15, 20), Assert.Single(board.Snapshot().Rows) is var row ? (row.Done, row.Total) : default);
        board.Settle("a");
        Assert.Empty(board.Snapshot().Rows);
        Assert.Equal(20, board.Snapshot().Uploads.Total);
    }

    [Fact]
    public void TheSpeedIsThatOfTheLastSeconds()
    {
        board.Send("a", 1_000);
        for (var second = 0; second < 10; second++)
        {
            board.Advance("a", second < 5 ? 100 : 10);
            clock.Advance(TimeSpan.FromSeconds(1));
            board.Snapshot();
        }

        var row = Assert.Single(board.Snapshot().Rows);
        Assert.Equal(10, row.Speed, 0.001);
        Assert.Equal(TimeSpan.FromSeconds(45), row.Left);
    }

    [Fact]
    public void APauseCountsDownAndIsThatTryUntilBytesMove()
    {
        board.Send("a", 10);
        board.Wait("a", TimeSpan.FromSeconds(3), 2, 5);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new ProgressPause(TimeSpan.FromSeconds(2), 2, 5), Pause());
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(new ProgressPause(TimeSpan.Zero, 2, 5), Pause());
        board.Advance("a", 1);
        Assert.Null(Pause());

        ProgressPause? Pause() => Assert.Single(board.Snapshot().Rows).Pause;
    }

    [Fact]
    public void ARegistryThatIsWaitedForIsARowAsLongAsItIs()
    {
        board.Wait("ghcr.io", TimeSpan.FromSeconds(3), 2, 5);
        board.Wait("ghcr.io", TimeSpan.FromSeconds(6), 3, 5);

        Assert.Equal(
            new ProgressRow("ghcr.io", ProgressStep.Waiting, 0, 0) { Pause = new(TimeSpan.FromSeconds(6), 3, 5) },
            Assert.Single(board.Snapshot().Rows) with
            {
                Speed = 0,
            }
        );
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty(board.Snapshot().Rows);
    }

    [Fact]
    public void HeadersOfATarDoNotMakeALayerMoreThanWhole()
    {
        board.Build("app", 100);
        board.Compress("app", 150);

        Assert.Equal(100, Assert.Single(board.Snapshot().Rows).Percent);
        board.Finish("app");
        Assert.Empty(board.Snapshot().Rows);
    }

    private IEnumerable<string> Names() => board.Snapshot().Rows.Select(row => row.Name);
}

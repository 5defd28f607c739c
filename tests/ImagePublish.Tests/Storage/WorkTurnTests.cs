using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

/// <summary>Turns at work that several processes would do as well.</summary>
public sealed class WorkTurnTests : IDisposable
{
    private readonly TestStore test = new(options => options with { Time = TimeProvider.System });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => test.Dispose();

    [Fact]
    public async Task WhoComesSecondWaits()
    {
        var first = await WorkTurn.TakeAsync(test.Store.Disk, "work", Cancel);
        var second = WorkTurn.TakeAsync(test.Store.Disk, "work", Cancel);

        Assert.Null(WorkTurn.TryTake(test.Store.Disk, "work"));
        Assert.False(second.IsCompleted);
        first.Dispose();
        using var turn = await second;
        Assert.Null(WorkTurn.TryTake(test.Store.Disk, "work"));
    }

    [Fact]
    public async Task OtherWorkWaitsForNothing()
    {
        using var one = await WorkTurn.TakeAsync(test.Store.Disk, "work", Cancel);
        using var other = WorkTurn.TryTake(test.Store.Disk, "other work");

        Assert.NotNull(other);
    }

    [Fact]
    public void ATurnLeavesNothingBehind()
    {
        WorkTurn.TryTake(test.Store.Disk, "work")!.Dispose();

        Assert.Empty(Directory.EnumerateFiles(test.Store.Disk.Layout.TurnsFolder));
    }

    [Fact]
    public async Task WhereNothingCanBeLockedTheWorkIsDoneAllTheSame()
    {
        // A file in the folder's place, which not even root can write into.
        await File.WriteAllTextAsync(test.Store.Disk.Layout.TurnsFolder, "", Cancel);

        using var one = await WorkTurn.TakeAsync(test.Store.Disk, "work", Cancel);
        using var other = WorkTurn.TryTake(test.Store.Disk, "work");

        Assert.NotNull(other);
    }
}

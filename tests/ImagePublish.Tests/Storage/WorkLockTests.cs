using System.Diagnostics;
using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Storage;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Storage;

/// <summary>Locks on work that several processes would do as well, and what is logged of waiting for them.</summary>
public sealed class WorkLockTests : IDisposable
{
    private const string Area = "Store";

    private readonly TestStore test = new(options => options with { Time = TimeProvider.System });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private StoreDisk Disk => test.Store.Disk;

    public void Dispose() => test.Dispose();

    [Fact]
    public async Task WhoComesSecondWaits()
    {
        var first = await AcquireAsync();
        var second = AcquireAsync();

        Assert.False(WorkLock.TryAcquire(Disk, "work", out _));
        Assert.False(second.IsCompleted);
        first!.Dispose();
        using var held = await second;
        Assert.NotNull(held);
        Assert.False(WorkLock.TryAcquire(Disk, "work", out _));
    }

    [Fact]
    public async Task OtherWorkWaitsForNothing()
    {
        using var one = await AcquireAsync();

        Assert.True(WorkLock.TryAcquire(Disk, "other work", out var other));
        other!.Dispose();
    }

    [Fact]
    public void AReleasedLockLeavesNothingBehind()
    {
        Assert.True(WorkLock.TryAcquire(Disk, "work", out var held));
        held!.Dispose();

        Assert.Empty(Directory.EnumerateFiles(Disk.Layout.LocksFolder));
    }

    [Fact]
    public async Task WhereNothingCanBeLockedTheWorkIsDoneAllTheSame()
    {
        // A file in the folder's place, which not even root can write into.
        await File.WriteAllTextAsync(Disk.Layout.LocksFolder, "", Cancel);

        Assert.Null(await AcquireAsync());
        Assert.True(WorkLock.TryAcquire(Disk, "work", out _));
    }

    [Fact]
    [ReliabilityCase(Area, "tasks of several processes need the same lock at the same time", "one has it at a time")]
    public async Task NoTwoHaveItAtTheSameTime()
    {
        const int Rounds = 400;
        // Each adds one to a number in a file, which loses some where two read the same.
        var file = Path.Combine(test.Folder, "number");
        await File.WriteAllTextAsync(file, "0", Cancel);
        var others = Enumerable
            .Range(0, 2)
            .Select(_ => Start("count", "work", file, Rounds.ToString(CultureInfo.InvariantCulture)))
            .ToList();
        try
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 4)
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            for (var round = 0; round < Rounds; round++)
                            {
                                using var held = await AcquireAsync();
                                await File.WriteAllTextAsync(
                                    file,
                                    (int.Parse(await File.ReadAllTextAsync(file, Cancel), CultureInfo.InvariantCulture) + 1).ToString(
                                        CultureInfo.InvariantCulture
                                    ),
                                    Cancel
                                );
                            }
                        })
                    )
            );
            foreach (var other in others)
            {
                await other.WaitForExitAsync(Cancel);
                Assert.True(other.ExitCode == 0, await other.StandardError.ReadToEndAsync(Cancel));
            }
        }
        finally
        {
            others.ForEach(End);
        }

        Assert.Equal(6 * Rounds, int.Parse(await File.ReadAllTextAsync(file, Cancel), CultureInfo.InvariantCulture));
        Assert.Empty(Directory.EnumerateFiles(Disk.Layout.LocksFolder));
    }

    [Fact]
    [ReliabilityCase(Area, "a process that holds a lock is killed", "the next process gets the lock, and nothing is left behind")]
    public async Task AKilledProcessReleasesItsLock()
    {
        var other = Start("hold", "work");
        try
        {
            Assert.Equal("held", await other.StandardOutput.ReadLineAsync(Cancel));
            Assert.False(WorkLock.TryAcquire(Disk, "work", out _));
        }
        finally
        {
            End(other);
        }

        using (var held = await AcquireAsync())
            Assert.NotNull(held);
        Assert.Empty(Directory.EnumerateFiles(Disk.Layout.LocksFolder));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "another process does the same work for a long time",
        "after two seconds, one line says which work and which process; after ten minutes, the work is done twice"
    )]
    public async Task ALongWaitIsLoggedAndEnds()
    {
        var other = Start("hold", "work");
        try
        {
            Assert.Equal("held", await other.StandardOutput.ReadLineAsync(Cancel));
            var (time, log) = (new FakeTimeProvider(), new TestLog());
            using var store = new TestStore(options => options with { Time = time, Log = log });
            var disk = new StoreDisk(Disk.Layout, store.Store.Disk.Options);

            var waiting = WorkLock.AcquireAsync(disk, "work", "builds the layer 'packages' too", Cancel);
            await AdvanceAsync(time, waiting);

            Assert.Null(await waiting);
            Assert.Equal(
                [
                    $"Waiting for process {other.Id}, which builds the layer 'packages' too, for at most 10 minutes.",
                    $"Waited 10 minutes for process {other.Id}, which builds the layer 'packages' too; continuing without it.",
                ],
                log.Informations
            );
        }
        finally
        {
            End(other);
        }
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "another process keeps the store locked",
        "after two seconds, one line says so; after a minute, `IMG3102` names the process"
    )]
    public async Task AWaitForTheStoreIsLoggedAndFails()
    {
        var (time, log) = (new FakeTimeProvider(), new TestLog());
        using var store = new TestStore(options => options with { Time = time, Log = log, LockTimeout = TimeSpan.FromMinutes(1) });
        using var held = await store.Store.Disk.LockAsync(Cancel);

        var waiting = store.Store.Disk.LockAsync(Cancel);
        await AdvanceAsync(time, waiting);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => waiting);
        Assert.Equal("IMG3102", failure.Code.Id);
        Assert.Contains("Another task of this build, which changes the local store in", failure.Message, StringComparison.Ordinal);
        Assert.Contains("more than 60 seconds", failure.Message, StringComparison.Ordinal);
        Assert.Equal(
            $"Waiting for another task of this build, which changes the local store in '{store.Folder}', for at most 60 seconds.",
            Assert.Single(log.Informations)
        );
    }

    [Fact]
    public async Task AShortWaitIsNotLogged()
    {
        var (time, log) = (new FakeTimeProvider(), new TestLog());
        using var store = new TestStore(options => options with { Time = time, Log = log });
        var held = await store.Store.Disk.LockAsync(Cancel);
        var waiting = store.Store.Disk.LockAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(1.5));

        held.Dispose();
        await AdvanceAsync(time, waiting);

        using var next = await waiting;
        Assert.Empty(log.Informations);
    }

    // Until the wait ends: a timer that is not set yet when time is advanced is set and elapses later.
    private static async Task AdvanceAsync(FakeTimeProvider time, Task waiting)
    {
        while (!waiting.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private Task<FileLock?> AcquireAsync() => WorkLock.AcquireAsync(Disk, "work", "does the work", Cancel);

    private Process Start(params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo(Environment.ProcessPath!, [TestingProcess.Assembly, test.Folder, .. arguments])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;

    private static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }
}

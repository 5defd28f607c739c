using ImagePublish.Common;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Oci;

/// <summary>A process whose thread pool has no thread to spare, as that of a build on a loaded machine. Nothing else is tested
/// meanwhile.</summary>
[CollectionDefinition(nameof(BusyPoolTests), DisableParallelization = true)]
[Collection(nameof(BusyPoolTests))]
public sealed class BusyPoolTests
{
    private const int Length = 60_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase("Helpers", "a program exits while all threads of the build are busy", "its whole output is read")]
    public async Task NothingOfAnOutputIsLost()
    {
        var script = $"for part in 1 2 3; do head -c {Length} /dev/zero; done";
        var start = new ProgramStart("/bin/sh", ["-c", script]) { LingerLimit = TimeSpan.FromSeconds(1) };
        // Left to the collector: those that wait for it when the test ends still look at it.
        var idle = new ManualResetEventSlim();
        for (var count = 0; count < 1000; count++)
            ThreadPool.UnsafeQueueUserWorkItem(StayBusy, idle, preferLocal: false);

        ProgramResult[] results;
        try
        {
            results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Programs.RunAsync(start, Cancel)));
        }
        finally
        {
            idle.Set();
        }

        Assert.All(results, result => Assert.Equal(3 * Length, result.Output.Length));
    }

    // Until the test has what it wants, each is followed by another.
    private static void StayBusy(ManualResetEventSlim idle)
    {
        if (idle.Wait(TimeSpan.FromMilliseconds(50), CancellationToken.None))
            return;
        ThreadPool.UnsafeQueueUserWorkItem(StayBusy, idle, preferLocal: false);
    }
}

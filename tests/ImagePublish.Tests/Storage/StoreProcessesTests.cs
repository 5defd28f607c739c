using System.Diagnostics;
using System.Globalization;

namespace ImagePublish.Tests.Storage;

public sealed class StoreProcessesTests : IDisposable
{
    private const int Processes = 16;

    // IMAGEPUBLISH_SOAK_SECONDS=60 for a minute by hand.
    private static readonly int Seconds = int.TryParse(
        Environment.GetEnvironmentVariable("IMAGEPUBLISH_SOAK_SECONDS"),
        CultureInfo.InvariantCulture,
        out var seconds
    )
        ? seconds
        : 6;

    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryListedImageIsWholeAfterManyProcessesWorkedInTheStoreAndSomeWereKilled()
    {
        var workers = Enumerable.Range(0, Processes).Select(number => Start(number, seconds: number % 4 == 0 ? 600 : Seconds)).ToList();
        try
        {
            var survivors = workers.Where((_, number) => number % 4 != 0).ToList();
            var killing = KillOneByOneAsync(workers.Except(survivors));
            await WhileTheyWorkEveryListedImageIsReadableAsync(survivors);
            await killing;
            foreach (var worker in survivors)
                Assert.True(worker.ExitCode == 0, await worker.StandardError.ReadToEndAsync(Cancelled));
        }
        finally
        {
            workers.ForEach(End);
        }

        var repaired = await test.Store.RepairAsync(dryRun: true, Cancelled);
        Assert.Empty(repaired.Blobs);
        Assert.Empty(repaired.Images);
        Assert.Null(repaired.DamagedList);
        await test.Store.SetReferenceAsync("after:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        Assert.All(await test.Store.ListAsync(Cancelled), image => Assert.True(image.IsWhole));
    }

    public void Dispose() => test.Dispose();

    private static async Task KillOneByOneAsync(IEnumerable<Process> victims)
    {
        foreach (var victim in victims)
        {
            await Task.Delay(TimeSpan.FromSeconds(Seconds / 5.0), Cancelled);
            victim.Kill();
            await victim.WaitForExitAsync(Cancelled);
        }
    }

    private async Task WhileTheyWorkEveryListedImageIsReadableAsync(IEnumerable<Process> workers)
    {
        var ended = Task.WhenAll(workers.Select(worker => worker.WaitForExitAsync(Cancelled)));
        var found = 0;
        for (var turn = 0; !ended.IsCompleted; turn++)
        {
            // Reading takes no lock: the list must be readable at any moment. The processes name 20 images.
            if (await test.Store.FindReferenceAsync($"acme/shop:{turn % 20}", Cancelled) is not null)
                found++;
            await Task.Delay(5, Cancelled);
        }

        Assert.NotEqual(0, found);
    }

    private Process Start(int seed, int seconds)
    {
        return Process.Start(
            new ProcessStartInfo(
                Environment.ProcessPath!,
                [
                    TestingProcess.Assembly,
                    test.Folder,
                    seed.ToString(CultureInfo.InvariantCulture),
                    seconds.ToString(CultureInfo.InvariantCulture),
                ]
            )
            {
                RedirectStandardError = true,
            }
        )!;
    }

    private static void End(Process worker)
    {
        if (!worker.HasExited)
            worker.Kill();
        worker.Dispose();
    }
}

using ImagePublish.Common;

namespace ImagePublish.Tests.Publishing;

/// <summary>No task outlives the scope that started it.</summary>
public sealed class TaskScopeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheEndOfAScopeCancelsAndAwaitsWhatStillRuns()
    {
        Task<int> forever;
        await using (var tasks = new TaskScope(Cancel))
        {
            Assert.Equal(1, await tasks.Run(_ => Task.FromResult(1)));
            forever = tasks.Run(WaitAsync);
        }

        Assert.True(forever.IsCanceled);
    }

    [Fact]
    public async Task ATaskThatATaskStartsEndsToo()
    {
        var started = new TaskCompletionSource<Task<int>>();
        await using (var tasks = new TaskScope(Cancel))
        {
            var outer = tasks.Run(async token =>
            {
                started.SetResult(tasks.Run(WaitAsync));
                return await WaitAsync(token);
            });
            await started.Task;
            Assert.False(outer.IsCompleted);
        }

        var inner = await started.Task;
        Assert.True(inner.IsCanceled);
    }

    [Fact]
    public async Task AFailureIsLeftToWhoeverAwaitsTheTask()
    {
        await using var tasks = new TaskScope(Cancel);

        var failing = tasks.Run<int>(_ => throw new InvalidOperationException());

        await Assert.ThrowsAsync<InvalidOperationException>(() => failing);
    }

    [Fact]
    public async Task AnOutsideCancellationCancelsTheTasks()
    {
        using var outside = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var tasks = new TaskScope(outside.Token);
        var waiting = tasks.Run(WaitAsync);

        await outside.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private static async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return 0;
    }
}

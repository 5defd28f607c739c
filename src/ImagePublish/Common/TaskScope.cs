using System.Collections.Concurrent;

namespace ImagePublish.Common;

/// <summary>
/// Owns tasks that run beside each other: at the end of the scope those that still run are cancelled, and all are awaited.
/// </summary>
internal sealed class TaskScope : IAsyncDisposable
{
    private readonly CancellationTokenSource stop;
    private readonly ConcurrentBag<Task> tasks = [];

    public TaskScope(CancellationToken cancellationToken)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = stop.Token;
    }

    public CancellationToken Token { get; }

    public Task<T> Run<T>(Func<CancellationToken, Task<T>> work)
    {
        var task = Task.Run(() => work(Token), Token);
        tasks.Add(task);
        return task;
    }

    public Task Run(Func<CancellationToken, Task> work)
    {
        var task = Task.Run(() => work(Token), Token);
        tasks.Add(task);
        return task;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        // One at a time: a task may have started another one before it ended.
        while (tasks.TryTake(out var task))
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }
}

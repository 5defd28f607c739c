using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>Requests of which none is answered before all are under way: a client that sends one after the answer to another is
/// late.</summary>
internal sealed class Meeting(params string[] names)
{
    private readonly Dictionary<string, TaskCompletionSource> arrivals = names.ToDictionary(name => name, _ => new TaskCompletionSource());
    private readonly List<string> late = [];

    /// <summary>What a registry does with the request of this name.</summary>
    public FaultAction Attend(string name) => FaultAction.Custom("waits for the others", async (_, _, next) =>
        {
            arrivals[name].TrySetResult();
            var all = Task.WhenAll(arrivals.Values.Select(arrival => arrival.Task));
            if (await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)) != all)
            {
                lock (late)
                    late.AddRange(arrivals.Where(arrival => !arrival.Value.Task.IsCompleted).Select(arrival => arrival.Key));
            }

            await next();
        });

    /// <summary>All met.</summary>
    public void AssertTookPlace()
    {
        Assert.All(arrivals, arrival => Assert.True(arrival.Value.Task.IsCompleted, arrival.Key));
        Assert.Empty(late);
    }
}

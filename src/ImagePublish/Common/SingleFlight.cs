namespace ImagePublish.Common;

/// <summary>Does a piece of work once for all who want it at the same time. It is stopped when nobody waits for it any more.</summary>
internal sealed class SingleFlight<TKey, TValue>
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Flight> flights = [];

    public async Task<TValue> RunAsync(TKey key, Func<CancellationToken, Task<TValue>> work, CancellationToken ct)
    {
        Flight? flight;
        lock (gate)
        {
            if (!flights.TryGetValue(key, out flight))
            {
                flight = new Flight();
                flights.Add(key, flight);
                flight.Work = Task.Run(() => FlyAsync(key, flight, work), CancellationToken.None);
            }

            flight.Waiting++;
        }

        try
        {
            return await flight.Work.WaitAsync(ct);
        }
        finally
        {
            Leave(key, flight);
        }
    }

    private async Task<TValue> FlyAsync(TKey key, Flight flight, Func<CancellationToken, Task<TValue>> work)
    {
        try
        {
            return await work(flight.Stop.Token);
        }
        finally
        {
            lock (gate)
                Forget(key, flight);
            flight.Stop.Dispose();
        }
    }

    private void Leave(TKey key, Flight flight)
    {
        lock (gate)
        {
            if (--flight.Waiting > 0 || flight.Work.IsCompleted || flight.IsOver)
                return;
            Forget(key, flight);
        }

        flight.Cancel();
    }

    private void Forget(TKey key, Flight flight)
    {
        flight.IsOver = true;
        if (flights.TryGetValue(key, out var current) && current == flight)
            flights.Remove(key);
    }

    private sealed class Flight
    {
        public CancellationTokenSource Stop { get; } = new();

        public Task<TValue> Work { get; set; } = Task.FromException<TValue>(new InvalidOperationException());

        public int Waiting { get; set; }

        public bool IsOver { get; set; }

        public void Cancel()
        {
            try
            {
                Stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The work has ended in the meantime.
            }
        }
    }
}

using ImagePublish.Registries;

namespace ImagePublish.Http;

/// <summary>Tells when a transfer moves, but so slowly that it would never end. Only the time in which bytes are waited for counts.</summary>
internal sealed class TransferPace(RegistryClientOptions options)
{
    private long moved;
    private TimeSpan waited;

    /// <summary>All the time that was waited.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>Counts bytes that came, and how long they were waited for.</summary>
    public bool IsTooSlow(int bytes, TimeSpan time)
    {
        Waited += time;
        waited += time;
        moved += bytes;
        if (waited < options.SlowestTransferTime)
            return false;
        var isTooSlow = moved < options.SlowestTransfer * waited.TotalSeconds;
        (moved, waited) = (0, TimeSpan.Zero);
        return isTooSlow;
    }
}

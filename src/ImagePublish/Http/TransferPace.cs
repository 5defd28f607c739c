namespace ImagePublish.Http;

/// <summary>Notices a transfer that is so slow that it would never end. Only the time spent waiting for bytes counts.</summary>
internal sealed class TransferPace(HttpOptions options)
{
    private long received;
    private TimeSpan waitedSince;

    public TimeSpan Waited { get; private set; }

    public bool IsTooSlow(int bytes, TimeSpan time)
    {
        Waited += time;
        waitedSince += time;
        received += bytes;
        if (waitedSince < options.SlowestTransferTime)
            return false;
        var isTooSlow = received < options.SlowestTransfer * waitedSince.TotalSeconds;
        (received, waitedSince) = (0, TimeSpan.Zero);
        return isTooSlow;
    }
}

namespace ImagePublish.Testing;

/// <summary>
/// Something that goes wrong: at a step, for requests that match, from one occurrence on for a number of times.
/// Signed-in requests only, unless <see cref="AlsoUnauthorized"/>; the ping and token steps always count as signed in.
/// </summary>
public sealed class Fault(RegistryStep step, FaultAction action)
{
    private int seen;
    private int hits;

    public RegistryStep Step { get; } = step;

    public FaultAction Action { get; } = action;

    /// <summary>Which requests; all by default. Must not change anything.</summary>
    public Func<RecordedRequest, bool>? When { get; init; }

    /// <summary>Matching requests that pass unharmed first.</summary>
    public int Skip { get; init; }

    /// <summary>How often it strikes; <see cref="Always"/> for ever.</summary>
    public int Times { get; init; } = 1;

    /// <summary>Strikes also where the answer is going to be 401.</summary>
    public bool AlsoUnauthorized { get; init; }

    /// <summary>How often it struck.</summary>
    public int Hits => Volatile.Read(ref hits);

    public const int Always = int.MaxValue;

    public override string ToString() => $"{Step}: {Action.Description}";

    internal bool Strikes(RecordedRequest request)
    {
        if (request.Step != Step || When?.Invoke(request) == false)
            return false;
        var seen = Interlocked.Increment(ref this.seen);
        if (seen <= Skip || seen - (long)Skip > Times)
            return false;
        Interlocked.Increment(ref hits);
        return true;
    }
}

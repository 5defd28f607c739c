namespace ImagePublish.Testing;

/// <summary>An upload that was begun and neither finished nor given up.</summary>
internal sealed class UploadSession(string repository, TestRegistryOptions options) : IDisposable
{
    private readonly List<string> states = [];

    public string Id { get; } = Guid.NewGuid().ToString();

    public string Repository => repository;

    /// <summary>One request at a time.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    public BlobBuffer Buffer { get; private set; } = new(options);

    public int Patches { get; set; }

    /// <summary>The query of the last PATCH.</summary>
    public string? LastQuery { get; set; }

    public bool Ended { get; set; }

    /// <summary>The query of a new Location.</summary>
    public string NextState()
    {
        var state = $"_state={Guid.NewGuid():N}%2B{states.Count}%2F{options.Uploads.StateSuffix}";
        lock (states)
            states.Add(state);
        return state;
    }

    /// <summary>
    /// Did the Location come back as it was given out? Asking for the status may use an old one: the newest may have been lost on the way.
    /// </summary>
    public bool Knows(string query, bool newestOnly)
    {
        lock (states)
            return states.Count > 0 && (newestOnly ? Starts(query, states[^1]) : states.Any(state => Starts(query, state)));
    }

    public void StartOver()
    {
        Buffer.Dispose();
        Buffer = new(options);
    }

    public void Dispose() => Buffer.Dispose();

    private static bool Starts(string query, string state) => query == state || query.StartsWith(state + "&", StringComparison.Ordinal);
}

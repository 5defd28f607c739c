using ImagePublish.Layers;

namespace ImagePublish.LayerReuse;

/// <summary>The layers of an image while they are looked up, side by side: one that has to be built does not wait until it is known of all.</summary>
internal sealed class LayerLookups(LayerProducer producer, LayerCompression compression, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private readonly List<Task<LayerProducer.Candidate>> lookups = [];

    /// <summary>How many layers there are.</summary>
    public int Count => lookups.Count;

    /// <summary>Begins to look layers up.</summary>
    public void Start(IEnumerable<LayerInput> contents)
    {
        foreach (var content in contents)
            lookups.Add(Task.Run(() => producer.LookUpAsync(content, compression, cancellationToken), cancellationToken));
    }

    /// <summary>Puts layers below all others.</summary>
    public void PutBelow(IEnumerable<LayerProducer.Candidate> found) => lookups.InsertRange(0, found.Select(Task.FromResult));

    /// <summary>Whether all layers were made before. Ends with the first one that was not.</summary>
    public async Task<bool> AreKnownAsync()
    {
        await foreach (var (_, candidate) in AsFoundAsync())
        {
            if (candidate.Known is null)
                return false;
        }

        return true;
    }

    /// <summary>All layers, from the bottom up.</summary>
    public Task<LayerProducer.Candidate[]> AllAsync() => Task.WhenAll(lookups);

    /// <summary>Each layer as soon as it is known of it whether it was made before, with its place from the bottom up.</summary>
    public async IAsyncEnumerable<(int Place, LayerProducer.Candidate Candidate)> AsFoundAsync()
    {
        await foreach (var lookup in Task.WhenEach(lookups))
            yield return (lookups.IndexOf(lookup), await lookup);
    }

    public async ValueTask DisposeAsync() => await ((Task)AllAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

using ImagePublish.Images;

namespace ImagePublish.LayerReuse;

/// <summary>
/// The layers of an image above its base, from the bottom up, while each is looked up: one that has to be built need not wait for the
/// others.
/// </summary>
internal sealed class LayerLookups(IReadOnlyList<Task<LayerCandidate>> lookups)
{
    public int Count => lookups.Count;

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

    public Task<LayerCandidate[]> AllAsync() => Task.WhenAll(lookups);

    /// <summary>All layers, where all were made before.</summary>
    public async Task<NamedLayer[]> KnownAsync() =>
        [.. (await AllAsync()).Select(candidate => new NamedLayer(candidate.Content.Name, candidate.Known!))];

    /// <summary>Each layer, with its index, as soon as it is known whether it was made before.</summary>
    public async IAsyncEnumerable<(int Index, LayerCandidate Candidate)> AsFoundAsync()
    {
        var all = lookups.ToList();
        await foreach (var lookup in Task.WhenEach(all))
            yield return (all.IndexOf(lookup), await lookup);
    }
}

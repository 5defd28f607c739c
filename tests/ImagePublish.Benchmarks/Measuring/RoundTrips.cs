using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>Counts how often a client waited for a distant registry.</summary>
internal static class RoundTrips
{
    // A request that depends on an answer arrives a round trip after it; the clocks of nginx and of the line differ by a few milliseconds.
    private const double Tolerance = 0.95;

    /// <summary>
    /// The longest chain of requests of which each arrived at least one round trip after the one before it was answered. It is what was
    /// waited for, or more: requests that could have been sent at the same time, but were not, count too.
    /// </summary>
    public static IReadOnlyList<NginxRequest> LongestChain(IEnumerable<NginxRequest> requests, TimeSpan roundTrip)
    {
        var ordered = requests.OrderBy(request => request.Start).ToList();
        var chains = new List<IReadOnlyList<NginxRequest>>();
        foreach (var request in ordered)
        {
            var before = chains
                .Where(chain => chain[^1].End + Tolerance * roundTrip.TotalSeconds <= request.Start)
                .MaxBy(chain => chain.Count);
            chains.Add([.. before ?? [], request]);
        }

        return chains.MaxBy(chain => chain.Count) ?? [];
    }
}

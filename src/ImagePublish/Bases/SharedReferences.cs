using System.Collections.Concurrent;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Bases;

/// <summary>What references point at: asked once for all projects of a build.</summary>
internal sealed class ReferenceAnswers
{
    private readonly ConcurrentDictionary<Reference, Descriptor> known = new();
    private readonly SingleFlight<Reference, Descriptor?> asking = new();

    public Task<Descriptor?> FindAsync(
        Reference reference,
        Func<CancellationToken, Task<Descriptor?>> ask,
        CancellationToken cancellationToken
    ) =>
        known.TryGetValue(reference, out var answer)
            ? Task.FromResult<Descriptor?>(answer)
            : asking.RunAsync(reference, cancelled => AskAsync(reference, ask, cancelled), cancellationToken);

    private async Task<Descriptor?> AskAsync(
        Reference reference,
        Func<CancellationToken, Task<Descriptor?>> ask,
        CancellationToken cancellationToken
    )
    {
        if (known.TryGetValue(reference, out var answer))
            return answer;
        var found = await ask(cancellationToken);
        if (found is not null)
            known[reference] = found;
        return found;
    }
}

/// <summary>The references of one publish for which the answers of the whole build count.</summary>
/// <remarks>
/// Only those that no project of the build can move: another project, in another process, may publish the image that this one is based
/// on, and whoever is built after it must see it.
/// </remarks>
internal sealed record SharedReferences(ReferenceAnswers Answers, IReadOnlySet<Reference> References)
{
    /// <summary>What reads the base's documents early, if anything does: whoever needs them waits for it rather than ask twice. Where the
    /// credential is refused, it ends with that failure, and nobody sends the same again.</summary>
    public Task<ImagePublishException?>? EarlyReading { get; init; }
}

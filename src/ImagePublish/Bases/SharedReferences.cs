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
    private readonly ConcurrentDictionary<Repository, ImagePublishException> refusals = new();

    public Task<Descriptor?> FindAsync(
        Reference reference,
        Func<CancellationToken, Task<Descriptor?>> ask,
        CancellationToken cancellationToken
    ) =>
        known.TryGetValue(reference, out var answer)
            ? Task.FromResult<Descriptor?>(answer)
            : asking.RunAsync(reference, cancelled => AskAsync(reference, ask, cancelled), cancellationToken);

    /// <summary>Asks a repository, unless it has refused the build's credential: one that is wrong is sent once.</summary>
    /// <exception cref="ImagePublishException">It could not be asked; <c>IMG5001</c>: it refuses the credential.</exception>
    public async Task<T> AskUnlessRefusedAsync<T>(Repository repository, Func<Task<T>> ask)
    {
        if (refusals.TryGetValue(repository, out var refusal))
            throw refusal;
        try
        {
            return await ask();
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.Unauthorized)
        {
            refusals[repository] = exception;
            throw;
        }
    }

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
    /// <summary>What reads the base's documents early: whoever needs them waits for it rather than ask twice, however it ends.</summary>
    public Task EarlyReading { get; init; } = Task.CompletedTask;
}

using System.Security.Cryptography;

namespace ImagePublish.Attachments;

/// <summary>A tag that several writers add to, in a registry that has nothing to keep them apart.</summary>
/// <remarks>
/// The states: read; write what is missing; wait; read again. Where that is what was written, it is done. Where others have written too,
/// it waits again, twice as long; where they have overwritten ours, it starts again after a random pause.
/// </remarks>
/// <param name="AddAsync">Writes the document with what is to be added, and returns it.</param>
internal sealed record ContendedTag<T>(TimeProvider Time, Func<Task<T>> ReadAsync, Func<T, Task<T>> AddAsync)
{
    private const int MaxRounds = 30;

    private static readonly TimeSpan LeastQuiet = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MostQuiet = TimeSpan.FromSeconds(2);

    /// <summary>Whether a document has what is to be added.</summary>
    public required Func<T, bool> HasAll { get; init; }

    public required Func<T, T, bool> AreSame { get; init; }

    /// <returns>Whether what is added is there, and stays; false where other processes keep changing it.</returns>
    public async Task<bool> TryAddAsync(CancellationToken cancellationToken)
    {
        var quiet = LeastQuiet;
        var document = await ReadAsync();
        if (HasAll(document))
            return true;
        for (var rounds = 0; rounds < MaxRounds; rounds++)
        {
            var started = Time.GetTimestamp();
            if (!HasAll(document))
                document = await AddAsync(document);

            // Another writer that has read the document before may not have written its own yet.
            var own = Time.GetElapsedTime(started) * 4;
            quiet = new[] { quiet, own }.Max();
            quiet = quiet > MostQuiet ? MostQuiet : quiet;
            await Task.Delay(quiet, Time, cancellationToken);
            var after = await ReadAsync();
            if (AreSame(after, document) && HasAll(after))
                return true;
            quiet *= 2;
            if (!HasAll(after))
            {
                // Writers that met would meet again.
                await Task.Delay(quiet * RandomPart(), Time, cancellationToken);
                after = await ReadAsync();
            }

            document = after;
        }

        return false;
    }

    private static double RandomPart() => RandomNumberGenerator.GetInt32(1, 1000) / 1000.0;
}

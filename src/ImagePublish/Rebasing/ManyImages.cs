using ImagePublish.Diagnostics;

namespace ImagePublish.Rebasing;

/// <summary>The same work for many images, several at a time: one that fails leaves the others alone.</summary>
internal static class ManyImages
{
    private const int MaxConcurrency = 8;

    /// <summary>Does the work, and returns what came of each, in the same order.</summary>
    public static async Task<IReadOnlyList<TOutcome>> RunAsync<TImage, TOutcome>(
        IReadOnlyList<TImage> images,
        Func<TImage, CancellationToken, Task<TOutcome>> work,
        Func<TImage, ImagePublishException, TOutcome> fail,
        CancellationToken cancellationToken
    )
    {
        var outcomes = new TOutcome[images.Count];
        await Parallel.ForAsync(
            0,
            images.Count,
            new ParallelOptions { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken },
            async (at, stop) =>
            {
                try
                {
                    outcomes[at] = await work(images[at], stop);
                }
                catch (ImagePublishException exception)
                {
                    outcomes[at] = fail(images[at], exception);
                }
            }
        );
        return outcomes;
    }
}

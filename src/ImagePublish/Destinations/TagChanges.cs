using System.Collections.Concurrent;
using ImagePublish.Diagnostics;

namespace ImagePublish.Destinations;

/// <summary>A change that others see and that can't be undone: a tag that moves, an image that is deleted.</summary>
internal sealed record TagChange(IReadOnlyList<string> Names, Func<CancellationToken, Task> MakeAsync);

/// <summary>Makes the changes that others see, one after the other, and reports exactly which were made when
/// something goes wrong.</summary>
/// <remarks>
/// Once the first is started, cancelling the build no longer interrupts it: a request that is aborted may have had its
/// effect, and half of the tags is the worst outcome.
/// From then on there is a limit instead. What was made before a failure is named, also what several calls made.
/// </remarks>
internal sealed class TagChanges(NameChange kind, IPublishLog log, TimeProvider time)
{
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    // After these failures the change may have been made all the same.
    private static readonly DiagnosticCode[] Ambiguous =
    [
        DiagnosticCodes.RegistryUnreachable,
        DiagnosticCodes.RegistryFailed,
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.ContentMismatch,
    ];

    private readonly string done = kind.ToString().ToLowerInvariant();
    private readonly ConcurrentQueue<string> made = new();

    /// <summary>Makes changes.</summary>
    /// <param name="mayStop">Whether a cancellation leaves out the changes that are not started: half of them is as good
    /// as any other part.</param>
    /// <exception cref="ImagePublishException">A change failed; <c>IMG1040</c>: the time after a cancellation was up.</exception>
    public async Task MakeAsync(IReadOnlyList<TagChange> changes, CancellationToken cancellationToken, bool mayStop = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var registration = cancellationToken.Register(() =>
        {
            log.Detail($"Cancelled while names are {done}: what is begun is finished, within {Grace.TotalSeconds:0} seconds.");
            limit.CancelAfter(Grace);
        });
        for (var at = 0; at < changes.Count; at++)
        {
            if (mayStop)
                cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await changes[at].MakeAsync(limit.Token);
            }
            catch (ImagePublishException exception) when (!made.IsEmpty || changes.Count > 1)
            {
                throw WithOutcome(exception, changes, at);
            }
            catch (OperationCanceledException exception) when (limit.IsCancellationRequested)
            {
                throw Interrupted(exception, changes, at);
            }

            foreach (var name in changes[at].Names)
            {
                made.Enqueue(name);
                log.Changed(kind, name);
            }
        }
    }

    private ImagePublishException WithOutcome(ImagePublishException exception, IReadOnlyList<TagChange> changes, int failed)
    {
        var outcome = DescribeOutcome(changes, failed, Ambiguous.Contains(exception.Code));
        return new ImagePublishException(exception.Code, $"{exception.Message} {outcome}", exception)
        {
            Item = exception.Item,
            TellsChanges = true,
        };
    }

    private ImagePublishException Interrupted(OperationCanceledException exception, IReadOnlyList<TagChange> changes, int failed)
    {
        var names = string.Join(", ", changes[failed].Names);
        return new ImagePublishException(
            DiagnosticCodes.ChangesInterrupted,
            $"The build was cancelled while names were {done}, and {names} was not confirmed within "
                + $"{Grace.TotalSeconds:0} seconds. {DescribeOutcome(changes, failed, isUncertain: true)}",
            exception
        )
        {
            TellsChanges = true,
        };
    }

    private string DescribeOutcome(IReadOnlyList<TagChange> changes, int failed, bool isUncertain)
    {
        var uncertain = isUncertain ? $"; perhaps {done}: {List(changes[failed].Names)}" : "";
        var open = changes.Skip(isUncertain ? failed + 1 : failed).SelectMany(change => change.Names);
        return $"{kind}: {List(made)}{uncertain}; not {done}: {List(open)}. Run it again to finish.";
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names.DefaultIfEmpty("none"));
}

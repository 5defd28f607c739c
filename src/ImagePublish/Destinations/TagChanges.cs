using System.Collections.Concurrent;
using ImagePublish.Diagnostics;

namespace ImagePublish.Destinations;

/// <summary>A change that other people see and that can't be taken back: a tag that moves, an image that is deleted.</summary>
internal sealed record TagChange(IReadOnlyList<string> Names, Func<CancellationToken, Task> MakeAsync);

/// <summary>Makes the changes that other people see, one after the other, and says exactly which were made when something goes wrong.</summary>
/// <remarks>
/// Once the first is begun the user's cancellation no longer interrupts it: a request that is aborted may have had its effect, and half of the tags is what nobody wants.
/// From then on there is a limit instead. What was made before a failure is named, also what several calls made.
/// </remarks>
internal sealed class TagChanges(NameChange kind, IPublishLog log, TimeProvider time)
{
    /// <summary>How long changes go on after a cancellation.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    // The other side may have made the change although it failed to say so.
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
    /// <param name="mayStop">Whether a cancellation leaves out the changes that are not begun: half of them is as good as any other part.</param>
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
                throw new ImagePublishException(
                    exception.Code,
                    $"{exception.Message} {DescribeOutcome(changes, at, Ambiguous.Contains(exception.Code))}",
                    exception
                )
                {
                    Item = exception.Item,
                    TellsChanges = true,
                };
            }
            catch (OperationCanceledException exception) when (limit.IsCancellationRequested)
            {
                throw new ImagePublishException(
                    DiagnosticCodes.ChangesInterrupted,
                    $"The build was cancelled while names were {done}, and {string.Join(", ", changes[at].Names)} was not confirmed within {Grace.TotalSeconds:0} seconds. {DescribeOutcome(changes, at, isUncertain: true)}",
                    exception
                )
                {
                    TellsChanges = true,
                };
            }

            foreach (var name in changes[at].Names)
            {
                made.Enqueue(name);
                log.Changed(kind, name);
            }
        }
    }

    private string DescribeOutcome(IReadOnlyList<TagChange> changes, int failed, bool isUncertain)
    {
        var uncertain = isUncertain ? $"; perhaps {done}: {List(changes[failed].Names)}" : "";
        var open = changes.Skip(isUncertain ? failed + 1 : failed).SelectMany(change => change.Names);
        return $"{kind}: {List(made)}{uncertain}; not {done}: {List(open)}. Run it again to finish.";
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names.DefaultIfEmpty("none"));
}

using System.Diagnostics;

namespace ImagePublish.Diagnostics;

/// <summary>The spans of a publish: activities of one source, which whoever listens exports. Without a listener none is made.</summary>
/// <remarks>Names and attributes follow OpenTelemetry's semantic conventions where there are any; all are listed in
/// <c>docs/traces.md</c>.</remarks>
internal static class Spans
{
    public const string SourceName = "ImagePublish";
    public const string ErrorType = "error.type";

    private static readonly ActivitySource Source = new(SourceName, typeof(Spans).Assembly.GetName().Version?.ToString(3));

    /// <summary>Whether anybody listens.</summary>
    public static bool AreWanted => Source.HasListeners();

    public static Activity? Start(string name, ActivityKind kind = ActivityKind.Internal) =>
        AreWanted ? SpanTrace.Current?.Start(Source, name, kind) : null;

    /// <summary>Does work in a span, which fails with the work.</summary>
    /// <param name="describe">Adds what is known before.</param>
    /// <param name="conclude">Adds what is known afterwards.</param>
    /// <remarks>Where nobody listens the work is all that runs: even an asynchronous method around it has to be compiled first.</remarks>
    public static Task<T> RunAsync<T>(
        string name,
        Func<Task<T>> work,
        Action<Activity>? describe = null,
        Action<Activity, T>? conclude = null
    ) => AreWanted ? WatchAsync(name, work, describe, conclude) : work();

    /// <inheritdoc cref="RunAsync{T}"/>
    public static Task RunAsync(string name, Func<Task> work) => AreWanted ? WatchAsync(name, work) : work();

    /// <summary>Adds an event to the span of the step that runs here.</summary>
    public static void AddEvent(string name, params ReadOnlySpan<(string Key, object? Value)> tags)
    {
        if (!AreWanted || Activity.Current is not { } span || span.Source != Source)
            return;
        var described = new ActivityTagsCollection();
        foreach (var (key, value) in tags)
            described[key] = value;
        span.AddEvent(new ActivityEvent(name, tags: described));
    }

    /// <summary>Marks a span as failed: with the code, and with nothing that another machine said.</summary>
    public static void Fail(Activity? span, Exception exception)
    {
        if (span is null)
            return;
        var type = exception switch
        {
            ImagePublishException failure => failure.Code.Id,
            OperationCanceledException => "cancelled",
            _ => exception.GetType().FullName,
        };
        span.SetTag(ErrorType, type);
        span.SetStatus(ActivityStatusCode.Error, type);
    }

    private static async Task<T> WatchAsync<T>(string name, Func<Task<T>> work, Action<Activity>? describe, Action<Activity, T>? conclude)
    {
        using var span = Start(name);
        if (span is not null)
            describe?.Invoke(span);
        try
        {
            var result = await work();
            if (span is not null)
                conclude?.Invoke(span, result);
            return result;
        }
        catch (Exception exception)
        {
            Fail(span, exception);
            throw;
        }
    }

    private static async Task WatchAsync(string name, Func<Task> work) =>
        await WatchAsync<object?>(
            name,
            async () =>
            {
                await work();
                return null;
            },
            describe: null,
            conclude: null
        );
}

/// <summary>A trace that spans are recorded in, and the parent of those that have none here. Other traces in this process have their own
/// spans.</summary>
internal sealed class SpanTrace(ActivityContext parent)
{
    private static readonly AsyncLocal<SpanTrace?> Entered = new();

    public static SpanTrace? Current => Entered.Value;

    public ActivityContext Parent => parent;

    /// <summary>From here on spans belong to this trace; null for none.</summary>
    public static void Enter(SpanTrace? trace)
    {
        Entered.Value = trace;
        // The program around may have activities of its own.
        Activity.Current = null;
    }

    public Activity? Start(ActivitySource source, string name, ActivityKind kind) =>
        source.StartActivity(kind, Activity.Current?.Source == source ? default : parent, name: name);
}

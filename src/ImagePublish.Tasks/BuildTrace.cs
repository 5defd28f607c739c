using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using ImagePublish.Tasks.Traces;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>The trace of a build in this process. Off, unless an endpoint for it is named.</summary>
internal static class BuildTrace
{
    // Of OpenTelemetry's conventions for CI/CD.
    private const string RunAddress = "cicd.pipeline.run.url.full";

    public static bool IsOn(RegistryTask task) => !task.Offline && TraceSwitch.IsOn(TaskEnvironment.Variable);

    /// <summary>Makes what is done from here on part of the trace; it is sent by the publish.</summary>
    public static void Enter(RegistryTask task, IPublishLog log) => Start(task.BuildEngine4, log);

    /// <summary>Does work that is part of the trace, and sends the spans that have ended by then.</summary>
    public static async Task RunAsync(RegistryTask task, IPublishLog log, Func<Task> work, CancellationToken cancellationToken)
    {
        var export = Start(task.BuildEngine4, log);
        try
        {
            await work();
        }
        finally
        {
            SpanTrace.Enter(null);
            if (export is not null)
                await SendAsync(export, task.BuildEngine4, log, cancellationToken);
        }
    }

    private static SpanExport? Start(IBuildEngine4 engine, IPublishLog log)
    {
        try
        {
            var settings = TraceSettings.Read(TaskEnvironment.Variable).With(RunAddress, CiRun.Find(TaskEnvironment.Variable)?.Invocation);
            if (settings.IsUnsampled)
                return null;
            var export = BuildObjects.GetOrAdd(engine, "", () =>
                new SpanExport(settings, SessionSettings.ReadProxies(), BuildSession.Redactor)
            );
            SpanTrace.Enter(export.Trace);
            return export;
        }
        catch (ImagePublishException exception)
        {
            Report(exception, engine, log);
            return null;
        }
    }

    private static async Task SendAsync(SpanExport export, IBuildEngine4 engine, IPublishLog log, CancellationToken cancellationToken)
    {
        try
        {
            await export.SendAsync(log, cancellationToken);
        }
        catch (ImagePublishException exception)
        {
            Report(exception, engine, log);
        }
        catch (OperationCanceledException)
        {
            // The build is cancelled: nobody waits for spans.
        }
    }

    // Where warnings are errors it is none: a collector that is down must not fail a publish.
    private static void Report(ImagePublishException exception, IBuildEngine4 engine, IPublishLog log)
    {
        if (!BuildObjects.IsFirst(engine, exception.Code.Id))
            return;
        if (log.IsError(exception.Code))
            log.Information(exception.Message);
        else
            log.Warning(exception.Code, exception.Message);
    }
}

using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// What all projects of a build share: connections, tokens and limits. MSBuild keeps it and disposes of it when the build ends.
/// </summary>
internal sealed class BuildSession : IDisposable
{
    private static readonly AsyncLocal<IPublishLog?> CurrentLog = new();

    private readonly RegistryClient registries;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<Oci.Registry, Task> earlySignIns = [];
    private readonly Dictionary<(RegistryImage Image, Oci.Platform Platform), Task<ImagePublishException?>> earlyBases = [];

    private BuildSession(SessionSettings settings) =>
        registries = new RegistryClient(settings.Options, settings.Credentials, TaskLog, TimeProvider.System);

    public static BuildSession GetOrCreate(IBuildEngine4 engine, SessionSettings settings) =>
        BuildObjects.GetOrAdd(engine, settings.Key, () => new BuildSession(settings));

    /// <summary>From here on, what is done is logged to this task's log, although connections are shared by tasks.</summary>
    public static IDisposable LogTo(IPublishLog log)
    {
        CurrentLog.Value = log;
        return new LogScope();
    }

    /// <summary>The log of the task that runs here: messages that come when the task is over are dropped.</summary>
    public static IPublishLog TaskLog { get; } = new ForwardingLog();

    /// <summary>What takes secrets out of messages: that of the build that the task runs in.</summary>
    public static Redactor Redactor => (CurrentLog.Value as TaskLog)?.Redactor ?? new Redactor();

    public RegistryClient Registries => registries;

    public ReferenceAnswers References { get; } = new();

    /// <summary>Begins to sign in to a repository's registry, once for each registry.</summary>
    public void SignInEarly(Oci.Repository repository)
    {
        lock (earlySignIns)
        {
            if (!earlySignIns.ContainsKey(repository.Registry))
                earlySignIns.Add(repository.Registry, Task.Run(() => registries.SignInEarlyAsync(repository, stop.Token)));
        }
    }

    /// <summary>Begins to read a base image's documents, once for each image and platform.</summary>
    public void ReadBaseEarly(RegistryImage image, Oci.Platform platform, Func<ImageStore> openStore)
    {
        var early = new EarlyBase(registries, new SharedReferences(References, BaseMirror.ReferencesTo([image])));
        lock (earlyBases)
        {
            if (!earlyBases.ContainsKey((image, platform)))
                earlyBases.Add((image, platform), Task.Run(() => early.ReadAsync(image, platform, openStore, stop.Token)));
        }
    }

    /// <summary>What <see cref="ReadBaseEarly"/> has begun; null where it has begun nothing.</summary>
    public Task<ImagePublishException?>? EarlyReadingOf(ImageSource image, Oci.Platform platform)
    {
        lock (earlyBases)
            return image is RegistryImage remote ? earlyBases.GetValueOrDefault((remote, platform)) : null;
    }

    public void Dispose()
    {
        stop.Cancel();
        foreach (var early in earlySignIns.Values.Concat(earlyBases.Values))
            early.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        stop.Dispose();
        registries.Dispose();
    }

    private sealed class LogScope : IDisposable
    {
        public void Dispose() => CurrentLog.Value = null;
    }

    private sealed class ForwardingLog : IPublishLog
    {
        public void Warning(DiagnosticCode code, string message) => CurrentLog.Value?.Warning(code, message);

        public bool IsError(DiagnosticCode code) => CurrentLog.Value?.IsError(code) == true;

        public void Changed(NameChange kind, string name) => CurrentLog.Value?.Changed(kind, name);

        public void Information(string message) => CurrentLog.Value?.Information(message);

        public void Detail(string message) => CurrentLog.Value?.Detail(message);

        public void Requested(string host) => CurrentLog.Value?.Requested(host);

        public void Building(string layer, long bytes) => CurrentLog.Value?.Building(layer, bytes);

        public void Compressed(string layer, long bytes) => CurrentLog.Value?.Compressed(layer, bytes);

        public void Built(string layer) => CurrentLog.Value?.Built(layer);

        public void NameBlob(string blob, string name) => CurrentLog.Value?.NameBlob(blob, name);

        public void Sending(string blob, long bytes) => CurrentLog.Value?.Sending(blob, bytes);

        public void Sent(string blob, long bytes) => CurrentLog.Value?.Sent(blob, bytes);

        public void Settled(string blob) => CurrentLog.Value?.Settled(blob);

        public void Waiting(string subject, TimeSpan pause, int next, int tries) => CurrentLog.Value?.Waiting(subject, pause, next, tries);
    }
}

using System.Collections;
using System.Collections.Concurrent;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>MSBuild as a task sees it: it keeps what is logged, and refuses what is logged after the task.</summary>
internal sealed class RecordingEngine : IBuildEngine8
{
    private readonly ConcurrentDictionary<object, object> objects = new();

    public ConcurrentQueue<BuildErrorEventArgs> Errors { get; } = new();

    public ConcurrentQueue<BuildWarningEventArgs> Warnings { get; } = new();

    public ConcurrentQueue<BuildMessageEventArgs> Messages { get; } = new();

    /// <summary>What people see of a build without switches.</summary>
    public IEnumerable<string?> Lines =>
        Messages.Where(message => message.Importance == MessageImportance.High).Select(message => message.Message);

    /// <summary>Whether the task is over: MSBuild throws when it logs then.</summary>
    public bool IsOver { get; set; }

    /// <summary>What a task did with its node.</summary>
    public ConcurrentQueue<string> Node { get; } = new();

    /// <summary>What another project does when the node is given away.</summary>
    public Action WhileYielded { get; set; } = () => { };

    public bool ContinueOnError => false;

    public int LineNumberOfTaskNode => 0;

    public int ColumnNumberOfTaskNode => 0;

    public string ProjectFileOfTaskNode => "/src/Shop.csproj";

    public bool IsRunningMultipleNodes => false;

    public bool AllowFailureWithoutError { get; set; }

    public void LogErrorEvent(BuildErrorEventArgs e) => Keep(Errors, e);

    public void LogWarningEvent(BuildWarningEventArgs e) => Keep(Warnings, e);

    public void LogMessageEvent(BuildMessageEventArgs e) => Keep(Messages, e);

    public void LogCustomEvent(CustomBuildEventArgs e) { }

    public void LogTelemetry(string eventName, IDictionary<string, string> properties) { }

    public bool ShouldTreatWarningAsError(string warningCode) => false;

    public IReadOnlyDictionary<string, string> GetGlobalProperties() => new Dictionary<string, string>();

    public object GetRegisteredTaskObject(object key, RegisteredTaskObjectLifetime lifetime) => objects.GetValueOrDefault(key)!;

    public void RegisterTaskObject(object key, object obj, RegisteredTaskObjectLifetime lifetime, bool allowEarlyCollection) =>
        objects[key] = obj;

    public object UnregisterTaskObject(object key, RegisteredTaskObjectLifetime lifetime) =>
        objects.TryRemove(key, out var removed) ? removed : null!;

    /// <summary>Drops what a build keeps of this type, as if the next task ran in another build.</summary>
    public void Forget<T>()
    {
        foreach (var (key, _) in objects.Where(kept => kept.Value is T))
            objects.TryRemove(key, out _);
    }

    public void Yield()
    {
        Node.Enqueue($"yields in thread {Environment.CurrentManagedThreadId}");
        WhileYielded();
    }

    public void Reacquire() => Node.Enqueue($"reacquires in thread {Environment.CurrentManagedThreadId}");

    public bool BuildProjectFile(string projectFileName, string[] targetNames, IDictionary globalProperties, IDictionary targetOutputs) =>
        throw new NotSupportedException();

    public bool BuildProjectFile(
        string projectFileName,
        string[] targetNames,
        IDictionary globalProperties,
        IDictionary targetOutputs,
        string toolsVersion
    ) => throw new NotSupportedException();

    public bool BuildProjectFilesInParallel(
        string[] projectFileNames,
        string[] targetNames,
        IDictionary[] globalProperties,
        IDictionary[] targetOutputsPerProject,
        string[] toolsVersion,
        bool useResultsCache,
        bool unloadProjectsOnCompletion
    ) => throw new NotSupportedException();

    public BuildEngineResult BuildProjectFilesInParallel(
        string[] projectFileNames,
        string[] targetNames,
        IDictionary[] globalProperties,
        IList<string>[] removeGlobalProperties,
        string[] toolsVersion,
        bool returnTargetOutputs
    ) => throw new NotSupportedException();

    private void Keep<T>(ConcurrentQueue<T> events, T logged)
    {
        if (IsOver)
            throw new InvalidOperationException("Attempted to access an inactive build engine.");
        events.Enqueue(logged);
    }
}

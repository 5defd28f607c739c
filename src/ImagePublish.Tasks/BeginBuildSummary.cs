using ImagePublish.Tasks.Progress;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Begins what the projects of one build have in common. It runs once in a build, in a project that all of them build
/// (<c>build/summary/dirs.proj</c>).
/// </summary>
public sealed class BeginBuildSummary : Microsoft.Build.Utilities.Task
{
    /// <summary>
    /// The folder in which projects, in whatever process, leave what became of them (IsLog: whether this process prints the build's log);
    /// empty where there is none.
    /// </summary>
    [Output]
    public ITaskItem[] Folder { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        TaskEnvironment.Keep();
        var isLog = ProgressViews.IsRead(Log);
        var build = ImageBuild.TryBegin(isLog ? TerminalEpilogue.GetOrCreate(BuildEngine4) : null);
        if (build is null)
            return true;
        BuildObjects.Add(BuildEngine4, "", build);
        var folder = OutputItem.Create(build.Folder);
        folder.SetMetadata("IsLog", isLog ? "true" : "false");
        Folder = [folder];
        return true;
    }
}

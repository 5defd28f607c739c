using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Which commit names a build's sources.</summary>
internal enum RevisionSource
{
    /// <summary>The one that is checked out.</summary>
    Head,

    /// <summary>The last one that changed what the project is built from.</summary>
    Inputs,
}

/// <summary>
/// Finds the commit that a project's assembly, its image's labels and tags name with <c>ImageRevision=Inputs</c>: the last one that changed
/// what the project is built from. Where that is not known, it is HEAD, and one warning says why.
/// </summary>
public sealed class FindImageRevision : ImageTask
{
    /// <summary>The project's file.</summary>
    [Required]
    public string Project { get; set; } = "";

    /// <summary>What the property says.</summary>
    public string? Source { get; set; }

    /// <summary>Whether nobody has asked for it, so that HEAD is as good where the last change is not known.</summary>
    public bool IsDefault { get; set; }

    /// <summary>What the project and those that it references are built from.</summary>
    public ITaskItem[] Inputs { get; set; } = [];

    /// <summary>The commit; with uncommitted changes, HEAD's and <c>-dirty</c>; empty for HEAD.</summary>
    [Output]
    public string Revision { get; set; } = "";

    /// <summary>The commit's time, in seconds since 1970; empty for HEAD's.</summary>
    [Output]
    public string Time { get; set; } = "";

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var source = InputParser.Choice(Source, "ImageRevision", IsDefault ? RevisionSource.Inputs : RevisionSource.Head);
        if (source != RevisionSource.Inputs)
            return;
        var history = GitHistory.Find(BuildEngine4, Path.GetFullPath(ProjectDirectory));
        if (history is null && IsDefault)
            return;
        var problem = ImageInput.FindProblem(Inputs, history) ?? ImageInput.Values(Inputs, ImageInput.NamesHead).FirstOrDefault();
        if (IsDefault)
            problem ??= ImageInput.Values(Inputs, ImageInput.Doubt).FirstOrDefault();
        if (problem is not null)
            Warn(log, DiagnosticCodes.RevisionUnknown, problem);
        else if (ImageInput.Values(Inputs, ImageInput.Changed).ToList() is { Count: > 0 } changed)
            await UseChangedHeadAsync(log, history!, changed);
        else
            await UseLastChangeAsync(log, history!);
    }

    private async Task UseChangedHeadAsync(IPublishLog log, GitHistory history, List<string> changed)
    {
        var head = await history.GetHeadAsync();
        // CI systems write versions and settings into files before they build. That is no reason to mark what nobody asked about.
        if (head.Revision is null || IsDefault)
            return;
        Revision = head.Revision + "-dirty";
        Time = head.Time ?? "";
        log.Detail($"The revision is {Revision}: {Text.Sanitize(ImageInput.Summarize(changed))} is not committed.");
    }

    private async Task UseLastChangeAsync(IPublishLog log, GitHistory history)
    {
        var change = await history.FindLastChangeAsync(ImageInput.Paths(Inputs, history));
        if (change.Problem is { } problem)
            Warn(log, DiagnosticCodes.RevisionUnknown, $"{problem}. Fix what git reports.");
        else if (change.Commit is null)
            Warn(log, DiagnosticCodes.RevisionUnknown, "no commit has the project's files. Commit them.");
        else if (change.IsCutOff)
            Warn(
                log,
                DiagnosticCodes.CloneTooShallow,
                $"the clone's history ends before the last change of {Text.Sanitize(ProjectName)}. "
                    + "Fetch all of it ('fetch-depth: 0' in GitHub Actions, 'GIT_DEPTH: 0' in GitLab, 'git fetch --unshallow'); "
                    + "'--filter=blob:none' keeps it small."
            );
        else
            (Revision, Time) = (change.Commit.Revision, change.Commit.Time);
    }

    private string ProjectName => Path.GetFileNameWithoutExtension(Project);

    // Projects that are built from one another have one and the same problem.
    private void Warn(IPublishLog log, DiagnosticCode code, string problem)
    {
        var message = $"The image's revision is HEAD and changes with every commit: {problem}";
        if (IsDefault)
            Mention(log, message);
        else if (BuildObjects.IsFirst(BuildEngine4, code == DiagnosticCodes.CloneTooShallow ? code.Id : problem))
            log.WarnOrFail(code, message);
    }

    // One line for a build, whatever its projects' reasons are.
    private void Mention(IPublishLog log, string message)
    {
        if (BuildObjects.IsFirst(BuildEngine4, nameof(IsDefault)))
            log.Information($"{message} To silence this, set ImageRevision to Head.");
        else
            log.Detail(message);
    }
}

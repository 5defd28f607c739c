using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Says whether an app is built from something that changed since another commit. In doubt it is: it is better built once too often.
/// </summary>
public sealed class ListAffectedImages : ImageTask
{
    /// <summary>The project's file.</summary>
    [Required]
    public string Project { get; set; } = "";

    /// <summary>A commit, branch or tag; what counts is what happened since HEAD left it.</summary>
    public string? Since { get; set; }

    /// <summary>What the project and those that it references are built from.</summary>
    public ITaskItem[] Inputs { get; set; } = [];

    /// <summary>The project's file where it is affected, with what it is affected by as <c>Reason</c>.</summary>
    [Output]
    public ITaskItem[] AffectedImages { get; set; } = [];

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (InputParser.Optional(Since) is not { } since)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "ListAffectedImages needs to know since when. Set ImageAffectedSince, for example to origin/main."
            );
        // An option of git's is none of its names.
        if (since.StartsWith('-'))
            throw InputParser.Invalid("ImageAffectedSince", since, "expected a commit, branch or tag");
        if (await FindReasonAsync(log, since) is not { } reason)
            return;
        var shown = Text.Sanitize(reason);
        log.Information($"{Text.Sanitize(Path.GetFileNameWithoutExtension(Project))} is affected: {shown}");
        AffectedImages = [ImageInput.Create(Project, "Reason", shown)];
    }

    private async Task<string?> FindReasonAsync(IPublishLog log, string since)
    {
        var history = GitHistory.Find(BuildEngine4, Path.GetFullPath(ProjectDirectory));
        if (ImageInput.FindProblem(Inputs, history) is { } problem)
            return problem;
        var output = await history!.ListChangesSinceAsync(since);
        if (output.Problem is { } failure)
        {
            if (BuildObjects.IsFirst(BuildEngine4, failure))
                log.WarnOrFail(
                    DiagnosticCodes.RevisionUnknown,
                    $"Every image counts as affected, since what changed since '{Text.Sanitize(since)}' is not known: {failure}. "
                        + "Fetch that commit and the history up to HEAD."
                );
            return $"what changed since {since} is not known";
        }

        var paths = ImageInput.Paths(Inputs, history);
        var committed = output.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => ImageInput.Covers(paths, path));
        var changed = committed.Concat(ImageInput.Values(Inputs, ImageInput.Changed)).Distinct(StringComparer.Ordinal).ToList();
        return changed.Count == 0 ? ImageInput.Values(Inputs, ImageInput.Doubt).FirstOrDefault() : ImageInput.Summarize(changed);
    }
}

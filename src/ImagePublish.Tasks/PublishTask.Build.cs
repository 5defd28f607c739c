using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks;

/// <content>What the summary of the whole build gets.</content>
public abstract partial class PublishTask
{
    /// <summary>The project's file.</summary>
    public string ProjectFile { get; set; } = "";

    /// <summary>The folder in which projects leave what became of them; empty for none.</summary>
    public string? BuildFolder { get; set; }

    /// <summary>Whether the process that sums the build up prints its log.</summary>
    public bool BuildIsLog { get; set; }

    internal override void Failed(DiagnosticCode code) =>
        TryRecord(new ProjectSummary(ProjectName, ProjectFile, ProjectSummary.FailedOutcome) { Code = code.Id }, table: null);

    /// <summary>Leaves what became of the image for the summary of the build.</summary>
    /// <returns>Whether there will be one.</returns>
    private bool TryRecord(ProjectSummary summary, string? table)
    {
        if (string.IsNullOrEmpty(BuildFolder) || DryRun)
            return false;
        try
        {
            ImageBuild.Add(BuildFolder, new BuildRecord(ProjectName, ProjectFile, summary) { Markdown = table });
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

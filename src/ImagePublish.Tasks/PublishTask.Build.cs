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

    internal override void Failed(DiagnosticCode code, TaskLog log) =>
        TryRecord(new ProjectSummary(ProjectName, ProjectFile, ProjectSummary.FailedOutcome) { Code = code.Id }, table: null, log);

    /// <summary>Leaves what became of the image for the summary of the build.</summary>
    /// <param name="summary">What became of it; null for a part of an index, of which only the requests count.</param>
    /// <returns>Whether there will be one.</returns>
    internal bool TryRecord(ProjectSummary? summary, string? table, TaskLog log)
    {
        if (string.IsNullOrEmpty(BuildFolder) || DryRun)
            return false;
        try
        {
            var record = new BuildRecord(ProjectName, ProjectFile, summary) { Markdown = table, Requests = log.Requests };
            ImageBuild.Add(BuildFolder, record);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

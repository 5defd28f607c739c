using System.Xml;
using System.Xml.Linq;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Enters a project into the summary of its build: if it is not heard of again, it has failed.</summary>
public sealed class EnlistImage : ImageTask
{
    /// <summary>The folder of the build, as <see cref="BeginBuildSummary"/> returned it.</summary>
    [Required]
    public string BuildFolder { get; set; } = "";

    /// <summary>The project's name.</summary>
    [Required]
    public string ProjectName { get; set; } = "";

    /// <summary>The project's file.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>Where the summary is written as JSON; empty for nowhere.</summary>
    public string? SummaryFile { get; set; }

    /// <summary>The folder that the build was started in, which a relative <see cref="SummaryFile"/> begins at.</summary>
    public string StartFolder { get; set; } = "";

    /// <summary>
    /// The projects of the solution, as MSBuild tells them, where it is not certain that this one will be published: it may be built only
    /// because another references it.
    /// </summary>
    public string? SolutionProjects { get; set; }

    /// <summary>Whether <see cref="SolutionProjects"/> decides.</summary>
    public bool IsUncertain { get; set; }

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (IsUncertain && !IsBuiltBySolution())
            return Task.CompletedTask;
        var file = InputParser.Optional(SummaryFile) is { } path ? Path.GetFullPath(path, Path.GetFullPath(StartFolder)) : null;
        try
        {
            // Before anything is published: when the build is over it is too late to say so.
            if (file is not null && BuildObjects.IsFirst(BuildEngine4, $"{BuildFolder} {file}"))
                CheckWritable(file);
            ImageBuild.Add(BuildFolder, new BuildRecord(ProjectName, ProjectFile, null) { SummaryFile = file });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.DiskFailed,
                $"The summary of the images of this build can't be written to '{file ?? BuildFolder}': {exception.Message}",
                exception
            );
        }

        return Task.CompletedTask;
    }

    // What is there of an earlier build would be taken for this one's where this one is killed.
    private static void CheckWritable(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
    }

    // <SolutionConfiguration><ProjectConfiguration AbsolutePath="…" BuildProjectInSolution="True">
    private bool IsBuiltBySolution()
    {
        if (InputParser.Optional(SolutionProjects) is not { } text)
            return false;
        try
        {
            return XElement
                .Parse(text)
                .Elements("ProjectConfiguration")
                .Any(project =>
                    string.Equals(project.Attribute("AbsolutePath")?.Value, ProjectFile, StringComparison.OrdinalIgnoreCase)
                    && string.Equals(project.Attribute("BuildProjectInSolution")?.Value, "True", StringComparison.OrdinalIgnoreCase)
                );
        }
        catch (XmlException)
        {
            return false;
        }
    }
}

using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Ci;

/// <summary>
/// Hands an image on to the steps that follow in GitHub Actions, Azure Pipelines and GitLab, and adds it to the run's page. Nothing is
/// written where none of them is, and never a secret:
/// only the image's name, digest and tags are written.
/// </summary>
internal sealed class CiOutputs(Func<string, string?> variable, Action<AzureCommand> say, IPublishLog log)
{
    public bool IsCi => Path("GITHUB_OUTPUT") is not null || Path("GITHUB_STEP_SUMMARY") is not null || IsAzure || GitLab is not null;

    public bool IsAzure => CiAnnotations.IsAzure(variable);

    private string? GitLab => GitLabFile(variable);

    /// <summary>The file that GitLab reads variables from; null elsewhere.</summary>
    public static string? GitLabFile(Func<string, string?> variable) =>
        variable("GITLAB_CI") == "true" && InputParser.Optional(variable("CI_PROJECT_DIR")) is { } folder
            ? System.IO.Path.Combine(folder, "image.env")
            : null;

    /// <summary>Writes an image's outputs.</summary>
    /// <param name="markdown">The table for the run's page; null where the summary of the build will have it.</param>
    /// <exception cref="IOException">A file of the CI system can't be written.</exception>
    public void Write(string project, ITaskItem image, string? markdown, string summaryFile)
    {
        // The files have a line for each value. References, digests and tags have no line ends; this does not rely on it.
        var outputs = new Outputs(
            Common.Text.OneLine(image.ItemSpec),
            Common.Text.OneLine(image.GetMetadata("Digest")),
            Common.Text.OneLine(image.GetMetadata("Tags").Replace(';', ',')),
            Common.Text.OneLine(image.GetMetadata("Changed"))
        );
        if (Path("GITHUB_STEP_SUMMARY") is { } summary)
            SharedFile.Append(summary, markdown ?? "", log);
        if (Path("GITHUB_OUTPUT") is { } output)
            WriteGitHub(output, outputs, Named(project, '-'));
        if (GitLab is { } file)
            WriteGitLab(file, outputs, Named(project, '_').ToUpperInvariant());
        if (IsAzure)
        {
            WriteAzure(outputs, Named(project, '_'));
            if (markdown is null)
                return;
            File.WriteAllText(summaryFile, markdown);
            say(AzureCommand.Create("task.uploadsummary", summaryFile));
        }
    }

    /// <summary>Makes sure that the files of the CI system can be written.</summary>
    /// <exception cref="IOException">One can't.</exception>
    public void Check()
    {
        string?[] files = [Path("GITHUB_STEP_SUMMARY"), Path("GITHUB_OUTPUT"), GitLab];
        foreach (var file in files.OfType<string>())
            SharedFile.Append(file, "", log);
    }

    private void WriteGitHub(string file, Outputs outputs, string project)
    {
        string[] lines =
        [
            $"image={outputs.Reference}",
            $"digest={outputs.Digest}",
            $"tags={outputs.Tags}",
            $"changed={outputs.Changed}",
            $"image-{project}={outputs.Reference}",
            $"changed-{project}={outputs.Changed}",
        ];
        SharedFile.Append(file, string.Concat(lines.Select(line => line + '\n')), log);
    }

    private void WriteGitLab(string file, Outputs outputs, string project) =>
        SharedFile.SetLines(
            file,
            new()
            {
                ["IMAGE_REFERENCE"] = outputs.Reference,
                ["IMAGE_DIGEST"] = outputs.Digest,
                ["IMAGE_TAGS"] = outputs.Tags,
                ["IMAGE_CHANGED"] = outputs.Changed,
                [$"IMAGE_REFERENCE_{project}"] = outputs.Reference,
                [$"IMAGE_CHANGED_{project}"] = outputs.Changed,
            },
            log
        );

    private void WriteAzure(Outputs outputs, string project)
    {
        Set("ImageReference", outputs.Reference);
        Set("ImageDigest", outputs.Digest);
        Set("ImageTags", outputs.Tags);
        Set("ImageChanged", outputs.Changed);
        Set($"ImageReference_{project}", outputs.Reference);
        Set($"ImageChanged_{project}", outputs.Changed);

        // Once for the steps of the job, once for other jobs.
        void Set(string name, string value)
        {
            say(AzureCommand.Create("task.setvariable", value, ("variable", name)));
            say(AzureCommand.Create("task.setvariable", value, ("variable", name), ("isOutput", "true")));
        }
    }

    private string? Path(string name) => InputParser.Optional(variable(name));

    private static string Named(string project, char other)
    {
        var name = new StringBuilder(project);
        for (var at = 0; at < name.Length; at++)
            name[at] = char.IsAsciiLetterOrDigit(name[at]) ? name[at] : other;
        return name.ToString();
    }

    private sealed record Outputs(string Reference, string Digest, string Tags, string Changed);
}

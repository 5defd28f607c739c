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
    private const string GitLabFile = "image.env";

    public bool IsCi => Path("GITHUB_OUTPUT") is not null || Path("GITHUB_STEP_SUMMARY") is not null || IsAzure || IsGitLab;

    private bool IsAzure => CiAnnotations.IsAzure(variable);

    private bool IsGitLab => variable("GITLAB_CI") == "true" && Path("CI_PROJECT_DIR") is not null;

    /// <summary>Writes an image's outputs.</summary>
    /// <exception cref="IOException">A file of the CI system can't be written.</exception>
    public void Write(string project, ITaskItem image, string markdown, string summaryFile)
    {
        // The files have a line for each value. References, digests and tags have no line ends; this does not rely on it.
        var reference = Common.Text.OneLine(image.ItemSpec);
        var digest = Common.Text.OneLine(image.GetMetadata("Digest"));
        var tags = Common.Text.OneLine(image.GetMetadata("Tags").Replace(';', ','));
        if (Path("GITHUB_STEP_SUMMARY") is { } summary)
            SharedFile.Append(summary, markdown, log);
        if (Path("GITHUB_OUTPUT") is { } output)
        {
            var lines = $"image={reference}\ndigest={digest}\ntags={tags}\nimage-{Named(project, '-')}={reference}\n";
            SharedFile.Append(output, lines, log);
        }

        if (IsGitLab)
        {
            SharedFile.SetLines(
                System.IO.Path.Combine(variable("CI_PROJECT_DIR")!, GitLabFile),
                new()
                {
                    ["IMAGE_REFERENCE"] = reference,
                    ["IMAGE_DIGEST"] = digest,
                    ["IMAGE_TAGS"] = tags,
                    [$"IMAGE_REFERENCE_{Named(project, '_').ToUpperInvariant()}"] = reference,
                },
                log
            );
        }

        if (IsAzure)
        {
            SetAzureVariables(project, reference, digest, tags);
            File.WriteAllText(summaryFile, markdown);
            say(AzureCommand.Create("task.uploadsummary", summaryFile));
        }
    }

    /// <summary>Makes sure that the files of the CI system can be written.</summary>
    /// <exception cref="IOException">One can't.</exception>
    public void Check()
    {
        string?[] files =
        [
            Path("GITHUB_STEP_SUMMARY"),
            Path("GITHUB_OUTPUT"),
            IsGitLab ? System.IO.Path.Combine(variable("CI_PROJECT_DIR")!, GitLabFile) : null,
        ];
        foreach (var file in files.OfType<string>())
            SharedFile.Append(file, "", log);
    }

    private void SetAzureVariables(string project, string reference, string digest, string tags)
    {
        Set("ImageReference", reference);
        Set("ImageDigest", digest);
        Set("ImageTags", tags);
        Set($"ImageReference_{Named(project, '_')}", reference);

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
}

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
        var changed = Common.Text.OneLine(image.GetMetadata(PublishedImageItem.Changed));
        if (Path("GITHUB_STEP_SUMMARY") is { } summary)
            SharedFile.Append(summary, markdown, log);
        if (Path("GITHUB_OUTPUT") is { } output)
        {
            var name = Named(project, '-');
            var lines =
                $"image={reference}\ndigest={digest}\ntags={tags}\nchanged={changed}\n"
                + $"image-{name}={reference}\nchanged-{name}={changed}\n";
            SharedFile.Append(output, lines, log);
        }

        if (IsGitLab)
        {
            var name = Named(project, '_').ToUpperInvariant();
            SharedFile.SetLines(
                System.IO.Path.Combine(variable("CI_PROJECT_DIR")!, GitLabFile),
                new()
                {
                    ["IMAGE_REFERENCE"] = reference,
                    ["IMAGE_DIGEST"] = digest,
                    ["IMAGE_TAGS"] = tags,
                    ["IMAGE_CHANGED"] = changed,
                    [$"IMAGE_REFERENCE_{name}"] = reference,
                    [$"IMAGE_CHANGED_{name}"] = changed,
                },
                log
            );
        }

        if (IsAzure)
        {
            SetAzureVariables(
                ("ImageReference", reference),
                ("ImageDigest", digest),
                ("ImageTags", tags),
                ("ImageChanged", changed),
                ($"ImageReference_{Named(project, '_')}", reference),
                ($"ImageChanged_{Named(project, '_')}", changed)
            );
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

    // Once for the steps of the job, once for other jobs.
    private void SetAzureVariables(params ReadOnlySpan<(string Name, string Value)> variables)
    {
        foreach (var (name, value) in variables)
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

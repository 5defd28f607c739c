using System.Text;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Ci;

/// <summary>
/// Hands an image on to the steps that follow in GitHub Actions, Azure Pipelines and GitLab, and tells of it on the run's page. Nothing is written where none of them is, and never a secret:
/// all there is to tell is the image's name, digest and tags.
/// </summary>
/// <param name="variable">Reads an environment variable; null or empty when it is not set.</param>
/// <param name="say">Prints a command for Azure Pipelines.</param>
internal sealed class CiOutputs(Func<string, string?> variable, Action<AzureCommand> say)
{
    private const string GitLabFile = "image.env";

    /// <summary>Whether there is one of them.</summary>
    public bool IsCi => Path("GITHUB_OUTPUT") is not null || Path("GITHUB_STEP_SUMMARY") is not null || IsAzure || IsGitLab;

    private bool IsAzure => CiAnnotations.IsAzure(variable);

    private bool IsGitLab => variable("GITLAB_CI") == "true" && Path("CI_PROJECT_DIR") is not null;

    /// <summary>Tells of an image.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="image">The image in its first place.</param>
    /// <param name="markdown">A table of it.</param>
    /// <param name="summaryFile">Where the table is kept for Azure Pipelines.</param>
    /// <exception cref="IOException">A file of the CI system can't be written.</exception>
    public void Tell(string project, ITaskItem image, string markdown, string summaryFile)
    {
        // The files have a line for each value. References, digests and tags have no line ends; this does not rely on it.
        var reference = Oci.Text.OneLine(image.ItemSpec);
        var digest = Oci.Text.OneLine(image.GetMetadata("Digest"));
        var tags = Oci.Text.OneLine(image.GetMetadata("Tags").Replace(';', ','));
        if (Path("GITHUB_STEP_SUMMARY") is { } summary)
            SharedFile.Append(summary, markdown);
        if (Path("GITHUB_OUTPUT") is { } output)
            SharedFile.Append(output, $"image={reference}\ndigest={digest}\ntags={tags}\nimage-{Named(project, '-')}={reference}\n");
        if (IsGitLab)
        {
            SharedFile.SetLines(System.IO.Path.Combine(variable("CI_PROJECT_DIR")!, GitLabFile), new()
            {
                ["IMAGE_REFERENCE"] = reference,
                ["IMAGE_DIGEST"] = digest,
                ["IMAGE_TAGS"] = tags,
                [$"IMAGE_REFERENCE_{Named(project, '_').ToUpperInvariant()}"] = reference,
            });
        }

        if (IsAzure)
            TellAzure(project, reference, digest, tags, markdown, summaryFile);
    }

    /// <summary>Makes sure that the files of the CI system can be written.</summary>
    /// <exception cref="IOException">One can't.</exception>
    public void Check()
    {
        string?[] files = [Path("GITHUB_STEP_SUMMARY"), Path("GITHUB_OUTPUT"), IsGitLab ? System.IO.Path.Combine(variable("CI_PROJECT_DIR")!, GitLabFile) : null];
        foreach (var file in files.OfType<string>())
            SharedFile.Append(file, "");
    }

    private void TellAzure(string project, string reference, string digest, string tags, string markdown, string summaryFile)
    {
        Set("ImageReference", reference);
        Set("ImageDigest", digest);
        Set("ImageTags", tags);
        Set($"ImageReference_{Named(project, '_')}", reference);
        File.WriteAllText(summaryFile, markdown);
        say(AzureCommand.Of("task.uploadsummary", summaryFile));

        // Once for the steps of the job, once for other jobs.
        void Set(string name, string value)
        {
            say(AzureCommand.Of("task.setvariable", value, ("variable", name)));
            say(AzureCommand.Of("task.setvariable", value, ("variable", name), ("isOutput", "true")));
        }
    }

    private string? Path(string name) => Lists.Optional(variable(name));

    private static string Named(string project, char other)
    {
        var name = new StringBuilder(project);
        for (var at = 0; at < name.Length; at++)
            name[at] = char.IsAsciiLetterOrDigit(name[at]) ? name[at] : other;
        return name.ToString();
    }
}

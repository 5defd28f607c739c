using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Ci;

/// <summary>What a CI system gets of a whole build, when it is over: one table, and what there is to deploy.</summary>
internal sealed class CiSummary
{
    private string? gitHubSummary;
    private string? gitHubOutput;
    private string? gitLabFile;
    private bool isAzure;
    private string? agentFolder;

    // By then the process may build something else, with other variables.
    public static CiSummary Create(Func<string, string?> variable) =>
        new()
        {
            gitHubSummary = InputParser.Optional(variable("GITHUB_STEP_SUMMARY")),
            gitHubOutput = InputParser.Optional(variable("GITHUB_OUTPUT")),
            gitLabFile = CiOutputs.GitLabFile(variable),
            isAzure = CiAnnotations.IsAzure(variable),
            agentFolder = InputParser.Optional(variable("AGENT_TEMPDIRECTORY")),
        };

    /// <summary>Adds a table to the page of the run.</summary>
    /// <returns>Commands to print.</returns>
    public IEnumerable<string> Write(string? markdown)
    {
        if (markdown is null)
            return [];
        if (gitHubSummary is not null)
            SharedFile.Append(gitHubSummary, markdown, log: null);
        if (!isAzure)
            return [];

        // The agent reads it after this process has ended, and empties its folder after the job.
        var folder = agentFolder ?? Directory.CreateTempSubdirectory("imagepublish-summary-").FullName;
        var file = Path.Combine(folder, $"images-{Guid.NewGuid():n}.md");
        File.WriteAllText(file, markdown);
        return [AzureCommand.Create("task.uploadsummary", file).Line];
    }

    /// <summary>Hands on which images are new.</summary>
    /// <returns>Commands to print.</returns>
    public IEnumerable<string> WriteOutputs(BuildSummary summary)
    {
        var deploy = summary.ToDeployJson();
        if (gitHubOutput is not null)
            SharedFile.Append(gitHubOutput, $"published={deploy}\n", log: null);
        if (gitLabFile is not null && GitLabVariables.Write(gitLabFile, summary) is { } leftOut)
            return [leftOut];
        return isAzure
            ?
            [
                AzureCommand.Create("task.setvariable", deploy, ("variable", "ImagesPublished")).Line,
                AzureCommand.Create("task.setvariable", deploy, ("variable", "ImagesPublished"), ("isOutput", "true")).Line,
            ]
            : [];
    }
}

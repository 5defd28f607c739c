using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>A run of a CI system, by its environment variables.</summary>
/// <param name="BuilderId">What ran it: a workflow, a pipeline's definition, a runner.</param>
internal sealed record CiRun(string BuilderId)
{
    /// <summary>The address of the run.</summary>
    public string? Invocation { get; private init; }

    /// <summary>When it started, RFC 3339.</summary>
    public string? StartedOn { get; private init; }

    /// <summary>The run that this is part of; null where it is part of none, or where its variables are incomplete.</summary>
    public static CiRun? Find(Func<string, string?> variable)
    {
        var variables = new Variables(variable);
        return (variables.Text("GITHUB_ACTIONS") == "true" ? FindGitHub(variables) : null)
            ?? (variables.Text("GITLAB_CI") == "true" ? FindGitLab(variables) : null)
            ?? (variables.Text("TF_BUILD") is "True" or "true" ? FindAzure(variables) : null);
    }

    private static CiRun? FindGitHub(Variables variables)
    {
        if (variables.Url("GITHUB_SERVER_URL") is not { } server || variables.Text("GITHUB_WORKFLOW_REF") is not { } workflow)
            return null;
        var repository = variables.Text("GITHUB_REPOSITORY");
        var number = variables.Number("GITHUB_RUN_ID");
        return Create($"{server}/{workflow}") is not { } run || repository is null || number is null
            ? Create($"{server}/{workflow}")
            : run with
            {
                Invocation = Address(
                    $"{server}/{repository}/actions/runs/{number}/attempts/{variables.Number("GITHUB_RUN_ATTEMPT") ?? "1"}"
                ),
            };
    }

    private static CiRun? FindGitLab(Variables variables) =>
        variables.Url("CI_PROJECT_URL") is { } project
        && variables.Number("CI_RUNNER_ID") is { } runner
        && Create($"{project}/-/runners/{runner}") is { } run
            ? run with
            {
                Invocation = variables.Url("CI_JOB_URL"),
                StartedOn = variables.Time("CI_JOB_STARTED_AT"),
            }
            : null;

    private static CiRun? FindAzure(Variables variables)
    {
        if (
            variables.Url("SYSTEM_COLLECTIONURI") is not { } collection
            || variables.Text("SYSTEM_TEAMPROJECT") is not { } team
            || variables.Number("SYSTEM_DEFINITIONID") is not { } definition
        )
            return null;
        var project = $"{collection}/{Uri.EscapeDataString(team)}";
        var build = variables.Number("BUILD_BUILDID");
        return Create($"{project}/_build/definition?definitionId={definition}") is { } run
            ? run with
            {
                Invocation = build is null ? null : Address($"{project}/_build/results?buildId={build}"),
                StartedOn = variables.Time("SYSTEM_PIPELINESTARTTIME"),
            }
            : null;
    }

    private static CiRun? Create(string builder) => Address(builder) is { } id ? new CiRun(id) : null;

    private static string? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && !text.Any(char.IsControl) ? text : null;

    /// <summary>Variables as values; what is none is null.</summary>
    private sealed class Variables(Func<string, string?> variable)
    {
        public string? Text(string name) => InputParser.Optional(variable(name));

        public string? Url(string name) =>
            Text(name) is { } text && PublicUrl.TryCreate(text) is { } url ? Address(url.TrimEnd('/')) : null;

        public string? Number(string name) =>
            long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number.ToString(CultureInfo.InvariantCulture)
                : null;

        public string? Time(string name) =>
            DateTimeOffset.TryParse(Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? Common.Text.Rfc3339(time)
                : null;
    }
}

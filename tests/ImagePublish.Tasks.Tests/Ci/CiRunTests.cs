namespace ImagePublish.Tasks.Tests.Ci;

/// <summary>What the environment of each CI system says of who builds.</summary>
public sealed class CiRunTests
{
    private static readonly Dictionary<string, string> GitHub = new()
    {
        ["GITHUB_ACTIONS"] = "true",
        ["GITHUB_SERVER_URL"] = "https://github.com",
        ["GITHUB_REPOSITORY"] = "acme/shop",
        ["GITHUB_WORKFLOW_REF"] = "acme/shop/.github/workflows/ci.yml@refs/heads/main",
        ["GITHUB_RUN_ID"] = "4711",
        ["GITHUB_RUN_ATTEMPT"] = "2",
    };

    private static readonly Dictionary<string, string> GitLab = new()
    {
        ["GITLAB_CI"] = "true",
        ["CI_PROJECT_URL"] = "https://ci:s3cret@gitlab.com/acme/shop",
        ["CI_RUNNER_ID"] = "12",
        ["CI_JOB_URL"] = "https://gitlab.com/acme/shop/-/jobs/99",
        ["CI_JOB_STARTED_AT"] = "2026-01-31T12:00:00Z",
    };

    private static readonly Dictionary<string, string> Azure = new()
    {
        ["TF_BUILD"] = "True",
        ["SYSTEM_COLLECTIONURI"] = "https://dev.azure.com/acme/",
        ["SYSTEM_TEAMPROJECT"] = "Web Shop",
        ["SYSTEM_DEFINITIONID"] = "7",
        ["BUILD_BUILDID"] = "815",
        ["SYSTEM_PIPELINESTARTTIME"] = "2026-01-31 12:00:00+01:00",
    };

    [Fact]
    public void GitHubIsKnownByItsWorkflow()
    {
        var run = CiRun.Find(GitHub.GetValueOrDefault)!;

        Assert.Equal("https://github.com/acme/shop/.github/workflows/ci.yml@refs/heads/main", run.BuilderId);
        Assert.Equal("https://github.com/acme/shop/actions/runs/4711/attempts/2", run.Invocation);
        Assert.Null(run.StartedOn);
    }

    [Fact]
    public void GitLabIsKnownByItsRunner()
    {
        var run = CiRun.Find(GitLab.GetValueOrDefault)!;

        Assert.Equal("https://gitlab.com/acme/shop/-/runners/12", run.BuilderId);
        Assert.Equal("https://gitlab.com/acme/shop/-/jobs/99", run.Invocation);
        Assert.Equal("2026-01-31T12:00:00Z", run.StartedOn);
    }

    [Fact]
    public void AzureIsKnownByItsDefinition()
    {
        var run = CiRun.Find(Azure.GetValueOrDefault)!;

        Assert.Equal("https://dev.azure.com/acme/Web%20Shop/_build/definition?definitionId=7", run.BuilderId);
        Assert.Equal("https://dev.azure.com/acme/Web%20Shop/_build/results?buildId=815", run.Invocation);
        Assert.Equal("2026-01-31T11:00:00Z", run.StartedOn);
    }

    // A builder that is only half known is none: then it is a local build.
    [Theory]
    [InlineData("GITHUB_WORKFLOW_REF", "")]
    [InlineData("GITHUB_SERVER_URL", "no address")]
    [InlineData("GITHUB_SERVER_URL", "file:///etc")]
    [InlineData("GITHUB_WORKFLOW_REF", "acme\n::set-output name=x::y")]
    [InlineData("GITHUB_ACTIONS", "false")]
    [InlineData("CI_RUNNER_ID", "12; rm -rf")]
    [InlineData("CI_PROJECT_URL", "")]
    [InlineData("SYSTEM_DEFINITIONID", "-1")]
    [InlineData("SYSTEM_TEAMPROJECT", "")]
    public void AnIncompleteEnvironmentNamesNoBuilder(string variable, string value)
    {
        var environment = new[] { GitHub, GitLab, Azure }.First(one => one.ContainsKey(variable));

        Assert.Null(CiRun.Find(name => name == variable ? value : environment.GetValueOrDefault(name)));
    }

    [Fact]
    public void OutsideOfACiSystemThereIsNoRun() => Assert.Null(CiRun.Find(_ => null));
}

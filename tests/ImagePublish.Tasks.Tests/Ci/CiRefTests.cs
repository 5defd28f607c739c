namespace ImagePublish.Tasks.Tests.Ci;

/// <summary>What the environment of each CI system says of the branch that a pull request goes to.</summary>
public sealed class CiRefTests
{
    [Theory]
    [InlineData("GITHUB_BASE_REF", "main", "main")]
    [InlineData("GITHUB_BASE_REF", "release/1.0", "release/1.0")]
    [InlineData("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/release/1.0", "release/1.0")]
    [InlineData("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main", "main")]
    [InlineData("BITBUCKET_PR_DESTINATION_BRANCH", "main", "main")]
    [InlineData("CHANGE_TARGET", "main", "main")]
    [InlineData("GITHUB_BASE_REF", "", null)]
    [InlineData("GITHUB_REF", "refs/heads/main", null)]
    public void TheBranchThatAPullRequestGoesToIsWhatTheCiSystemTells(string variable, string value, string? branch) =>
        Assert.Equal(branch, new CiRef(name => name == variable ? value : null).BaseBranch);

    [Theory]
    [InlineData("https://ci:s3cret@git.acme.com/x.git", "https://git.acme.com/x")]
    [InlineData("https://ci:s3cr%7Et@git.acme.com/x.git", "https://git.acme.com/x")]
    [InlineData("https://ci:s3crät@git.acme.com/x.git", "https://git.acme.com/x")]
    [InlineData("https://ci:s3 cret@git.acme.com/x.git", "https://git.acme.com/x")]
    [InlineData("ssh://ci:s3cret@git.acme.com/x.git", "ssh://git.acme.com/x")]
    [InlineData("git+https://ci:s3cret@git.acme.com/x.git", "git+https://git.acme.com/x")]
    [InlineData("https://git.acme.com/x.git?private_token=s3cret", "https://git.acme.com/x")]
    [InlineData("ci:s3cret@git.acme.com:acme/x.git", "git.acme.com:acme/x")]
    [InlineData("https://ci:s3/cret@git.acme.com/x.git", null)]
    [InlineData(null, null)]
    public void ALabelNamesTheRepositoryWithoutSecrets(string? url, string? label) => Assert.Equal(label, CiRef.WithoutSecrets(url));
}

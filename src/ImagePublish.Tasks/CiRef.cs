using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>The source that a CI system builds, by its environment variables.</summary>
internal sealed class CiRef(Func<string, string?> variable)
{
    public string? Revision => First("GITHUB_SHA", "BUILD_SOURCEVERSION", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "GIT_COMMIT");

    public string? BaseBranch =>
        SourceRef
            .TryParse(
                First(
                    "GITHUB_BASE_REF",
                    "SYSTEM_PULLREQUEST_TARGETBRANCH",
                    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
                    "BITBUCKET_PR_DESTINATION_BRANCH",
                    "CHANGE_TARGET"
                )
            )
            ?.Name;

    public string? Url =>
        WithoutSecrets(
            First("GITHUB_REPOSITORY") is { } repository && First("GITHUB_SERVER_URL") is { } server
                ? $"{server.TrimEnd('/')}/{repository}"
                : First("CI_PROJECT_URL", "BUILD_REPOSITORY_URI")
        );

    /// <summary>The branch, tag or pull request.</summary>
    /// <remarks>
    /// A pull request is never taken for the branch that it comes from: a fork's <c>main</c> would move the tag of the real one. GitHub
    /// runs <c>pull_request_target</c> in the name of the base's branch; what is built then is not known.
    /// </remarks>
    public SourceRef? Read()
    {
        if (First("GITHUB_EVENT_NAME") == "pull_request_target")
            return null;
        if (First("GITHUB_REF", "BUILD_SOURCEBRANCH") is { } full)
            return SourceRef.TryParse(full);
        if (First("CI_MERGE_REQUEST_IID", "BITBUCKET_PR_ID", "CHANGE_ID") is { } number)
            return new SourceRef(SourceRefKind.PullRequest, number);
        if (First("CI_COMMIT_TAG", "BITBUCKET_TAG", "TAG_NAME") is { } tag)
            return new SourceRef(SourceRefKind.Tag, tag);
        return First("CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME", "BITBUCKET_BRANCH", "BRANCH_NAME") is { } branch
            ? new SourceRef(SourceRefKind.Branch, branch)
            : null;
    }

    /// <summary>
    /// A repository's address without secrets (<see cref="PublicUrl"/>) and without <c>.git</c>, as scanners look for it.
    /// </summary>
    public static string? WithoutSecrets(string? url)
    {
        if (url is null || PublicUrl.TryCreate(url) is not { } address)
            return null;
        return address.EndsWith(".git", StringComparison.Ordinal) ? address[..^".git".Length] : address;
    }

    private string? First(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (InputParser.Optional(variable(name)) is { } value)
                return value;
        }

        return null;
    }
}

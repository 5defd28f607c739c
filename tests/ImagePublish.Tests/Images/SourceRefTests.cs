using ImagePublish.Images;

namespace ImagePublish.Tests.Images;

public sealed class SourceRefTests
{
    [Theory]
    [InlineData("refs/heads/main", "Branch main")]
    [InlineData("refs/heads/feature/x", "Branch feature/x")]
    [InlineData("refs/tags/v1.2", "Tag v1.2")]
    [InlineData("refs/pull/12/merge", "PullRequest pr-12")]
    [InlineData("refs/merge-requests/7/head", "PullRequest pr-7")]
    [InlineData("main", "Branch main")]
    [InlineData("refs/notes/x", null)]
    [InlineData("", null)]
    public void AReferenceOfACiSystemIsRead(string text, string? expected) => Assert.Equal(expected, Shown(SourceRef.TryParse(text)));

    [Theory]
    [InlineData("HEAD -> main, origin/main", "Branch main")]
    [InlineData("HEAD -> main, tag: v1", "Branch main")]
    [InlineData("HEAD, tag: v1.2, origin/main", "Tag v1.2")]
    [InlineData("grafted, HEAD, pull/15/merge", "PullRequest pr-15")]
    [InlineData("HEAD, origin/main, origin/HEAD", "Branch main")]
    [InlineData("HEAD, origin/main, main", "Branch main")]
    [InlineData("HEAD, origin/one, origin/two", null)]
    [InlineData("HEAD", null)]
    [InlineData("", null)]
    public void ADetachedHeadIsWhatGitDecoratesItWith(string decoration, string? expected) =>
        Assert.Equal(expected, Shown(SourceRef.OfDecoration(decoration, "origin")));

    private static string? Shown(SourceRef? reference) => reference is null ? null : $"{reference.Kind} {reference}";
}

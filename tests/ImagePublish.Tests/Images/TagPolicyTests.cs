using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Images;

public sealed class TagPolicyTests
{
    private static readonly TagContext Context = new()
    {
        Version = "1.4.2",
        Commit = "0123456789abcdef0123456789abcdef01234567",
        Ref = new SourceRef(SourceRefKind.Branch, "feature/äpfel & birnen"),
        Created = new DateTimeOffset(2026, 1, 31, 23, 30, 0, TimeSpan.FromHours(-2)),
        Configuration = "Release",
        RuntimeIdentifier = "linux-x64",
    };

    [Theory]
    [InlineData(TagPolicy.Version, "1.4.2", "1.4.2 latest")]
    [InlineData(TagPolicy.Version, "1.4.2-beta.1", "1.4.2-beta.1")]
    [InlineData(TagPolicy.Version, "1.4.2+build.7", "1.4.2-build.7 latest")]
    [InlineData(TagPolicy.Version, "1.4.2.5", "1.4.2.5 latest")]
    [InlineData(TagPolicy.SemVer, "1.4.2", "1.4.2 1.4 1 latest")]
    [InlineData(TagPolicy.SemVer, "0.4.2", "0.4.2 latest")]
    [InlineData(TagPolicy.SemVer, "2.0.0-rc.1", "2.0.0-rc.1")]
    [InlineData(TagPolicy.SemVer | TagPolicy.Commit, "1.4.2", "1.4.2 1.4 1 latest 0123456")]
    [InlineData(TagPolicy.Branch, "1.4.2", "feature-pfel-birnen")]
    [InlineData(TagPolicy.None, "1.4.2", "")]
    public void APolicyDerivesTags(TagPolicy policy, string version, string tags) =>
        Assert.Equal(tags, string.Join(' ', TagPolicies.Resolve([], policy, Context with { Version = version })));

    [Theory]
    [InlineData("v1", "v1")]
    [InlineData("{version}-{commit:7}", "1.4.2-0123456")]
    [InlineData("{major}.{minor}.{patch}", "1.4.2")]
    [InlineData("{date:yyyyMMdd}", "20260201")]
    [InlineData("{date}-{configuration}-{rid}", "20260201-Release-linux-x64")]
    [InlineData("{branch}", "feature-pfel-birnen")]
    public void ATemplateIsFilledIn(string template, string tag) =>
        Assert.Equal(tag, Assert.Single(TagPolicies.Resolve([template], TagPolicy.Version, Context)).Value);

    [Fact]
    public void AChangedCheckoutIsMarkedHoweverShortTheCommit() =>
        Assert.Equal(
            ["0123456-dirty", "fedcba9", "0123456789abcdef0123456789abcdef01234567-dirty"],
            TagPolicies
                .Resolve(
                    ["{commit:7}", "{head:7}", "{commit}"],
                    TagPolicy.None,
                    Context with
                    {
                        Commit = $"{Context.Commit}-dirty",
                        Head = new("fedcba9876543210"),
                    }
                )
                .Select(tag => tag.Value)
        );

    [Theory]
    [InlineData("{nonsense}", "IMG1009")]
    [InlineData("{prerelease}", "IMG1009")]
    [InlineData("a/b", "IMG1004")]
    [InlineData("-a", "IMG1004")]
    [InlineData("{version", "IMG1004")]
    public void ATemplateThatCanNotBeATagIsAnError(string template, string code) =>
        Assert.Equal(code, Assert.Throws<ImagePublishException>(() => TagPolicies.Resolve([template], TagPolicy.Version, Context)).Code.Id);

    [Theory]
    [InlineData("{major}")]
    [InlineData("{major}.{minor}")]
    [InlineData("v{major}.{minor}.{patch}-alpine")]
    public void APrereleaseIsNotPassedOffAsARelease(string template)
    {
        var error = Assert.Throws<ImagePublishException>(() =>
            TagPolicies.Resolve([template], TagPolicy.Version, Context with { Version = "2.0.0-rc.1" })
        );

        Assert.Equal(DiagnosticCodes.InvalidTemplate, error.Code);
        Assert.Contains("2.0.0-rc.1 is a prerelease", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{major}.{minor}.{patch}-{prerelease}", "2.0.0-rc.1")]
    [InlineData("{major}-{commit:7}", "2-0123456")]
    public void APrereleaseMayTellItsNumbersWhereMoreIsSaid(string template, string tag) =>
        Assert.Equal(tag, Assert.Single(TagPolicies.Resolve([template], TagPolicy.Version, Context with { Version = "2.0.0-rc.1" })).Value);

    [Fact]
    public void WithoutSourceControlACommitIsAnErrorAndNotAnEmptyTag() =>
        Assert.Equal(
            DiagnosticCodes.InvalidTemplate,
            Assert.Throws<ImagePublishException>(() => TagPolicies.Resolve([], TagPolicy.Commit, Context with { Commit = null })).Code
        );

    [Theory]
    [InlineData("refs/heads/feature/x", "{branch} {ref}", "feature-x")]
    [InlineData("refs/tags/v1.2", "{tag} {ref}", "v1.2")]
    [InlineData("refs/pull/12/merge", "{branch} {ref}", "pr-12")]
    public void ABranchATagAndAPullRequestAreToldApart(string reference, string templates, string tag) =>
        Assert.Equal(
            tag,
            Assert
                .Single(TagPolicies.Resolve(templates.Split(' '), TagPolicy.Version, Context with { Ref = SourceRef.TryParse(reference) }))
                .Value
        );

    [Theory]
    [InlineData("refs/heads/main", "{tag}")]
    [InlineData("refs/tags/v1", "{branch}")]
    public void ABranchIsNoTagAndATagNoBranch(string reference, string template) =>
        Assert.Equal(
            "IMG1009",
            Assert
                .Throws<ImagePublishException>(() =>
                    TagPolicies.Resolve([template], TagPolicy.Version, Context with { Ref = SourceRef.TryParse(reference) })
                )
                .Code.Id
        );

    [Fact]
    public void APullRequestsTargetIsATokenAndAnErrorElsewhere()
    {
        Assert.Equal(
            "pr-12-release-2",
            Assert
                .Single(
                    TagPolicies.Resolve(
                        ["{ref}-{base_ref}"],
                        TagPolicy.Version,
                        Context with
                        {
                            Ref = new SourceRef(SourceRefKind.PullRequest, "12"),
                            BaseBranch = "release/2",
                        }
                    )
                )
                .Value
        );
        Assert.Equal(
            "IMG1009",
            Assert.Throws<ImagePublishException>(() => TagPolicies.Resolve(["{base_ref}"], TagPolicy.Version, Context)).Code.Id
        );
    }

    [Theory]
    [InlineData("{content}", "e3b0c44298fc")]
    [InlineData("{branch}-{content:16}", "feature-pfel-birnen-e3b0c44298fc1c14")]
    [InlineData("v{version}-{content:8}-x", "v1.4.2-e3b0c442-x")]
    public void ADigestIsFilledInLast(string template, string tag)
    {
        Assert.Empty(TagPolicies.Resolve([template], TagPolicy.Version, Context));
        Assert.Equal(tag, Assert.Single(TagPolicies.ResolveContentTags([template], Context)).For(Digest.Compute([])).Value);
    }

    // Cut off, it would be the tag of the image itself.
    [Fact]
    public void TheSuffixOfAVariantIsNeverCut()
    {
        var context = Context with { Ref = new SourceRef(SourceRefKind.Branch, new string('b', 300)), Suffix = "-debug" };

        var tags = TagPolicies.Resolve(["{branch}", "latest", "{version}"], TagPolicy.Version, context).Select(tag => tag.Value).ToList();
        var late = Assert
            .Single(TagPolicies.ResolveContentTags(["{branch}-{content}"], context))
            .For(ImagePublish.Oci.Digest.Compute([]))
            .Value;

        Assert.Equal([new string('b', 122) + "-debug", "latest-debug", "1.4.2-debug"], tags);
        Assert.EndsWith("-debug", late, StringComparison.Ordinal);
        Assert.Equal(128, late.Length);
    }

    [Fact]
    public void ALongBranchIsCutBeforeTheDigest()
    {
        var context = Context with { Ref = new SourceRef(SourceRefKind.Branch, new string('b', 300)) };

        var tag = Assert.Single(TagPolicies.ResolveContentTags(["{branch}-{content}.x"], context)).For(Digest.Compute([])).Value;

        Assert.Equal(128, tag.Length);
        Assert.EndsWith("be3b0c44298fc.x", tag, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{content:7}", "IMG1009")]
    [InlineData("{content:65}", "IMG1009")]
    [InlineData("{content:x}", "IMG1009")]
    [InlineData("{content:}", "IMG1009")]
    [InlineData("{content}-{nonsense}", "IMG1009")]
    [InlineData("{content}/{version}", "IMG1004")]
    [InlineData("{content}-{branch}", "IMG1009")]
    public void ATagWithADigestThatCanNotBeATagIsAnErrorBeforeThereIsADigest(string template, string code)
    {
        var context = Context with { Ref = new SourceRef(SourceRefKind.Branch, new string('b', 300)) };

        var error = Assert.Throws<ImagePublishException>(() => TagPolicies.ResolveContentTags([template], context));

        Assert.Equal(code, error.Code.Id);
    }

    [Fact]
    public void ATagIsNamedOnce() =>
        Assert.Equal("1.4.2", Assert.Single(TagPolicies.Resolve(["1.4.2", "{version}"], TagPolicy.Version, Context)).Value);

    [Fact]
    public void ALongBranchIsCutToATagsLength() =>
        Assert.Equal(
            128,
            Assert
                .Single(
                    TagPolicies.Resolve(
                        ["{branch}"],
                        TagPolicy.Version,
                        Context with
                        {
                            Ref = new SourceRef(SourceRefKind.Branch, new string('b', 300)),
                        }
                    )
                )
                .Value.Length
        );
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>Which tags an image gets where the user names none.</summary>
[Flags]
public enum TagPolicy
{
    /// <summary>None: the image is known by its digest alone.</summary>
    None = 0,

    /// <summary><c>{version}</c>, and <c>latest</c> for a release.</summary>
    Version = 1,

    /// <summary>As <see cref="Version"/>, and <c>{major}.{minor}</c> and <c>{major}</c> for a release from 1.0 on.</summary>
    SemVer = 2,

    /// <summary>The commit's first seven digits.</summary>
    Commit = 4,

    /// <summary>The branch, the tag of source control or <c>pr-12</c>, whichever is built.</summary>
    Branch = 8,
}

/// <summary>What tags are made of.</summary>
internal sealed record TagContext
{
    /// <summary>The project's version.</summary>
    public required string Version { get; init; }

    /// <summary>The commit that is built; null outside source control.</summary>
    public string? Commit { get; init; }

    /// <summary>The commit that is checked out, where it may be another one.</summary>
    public Lazy<string?>? Head { get; init; }

    /// <summary>The branch, tag or pull request that is built; null where none is known.</summary>
    public SourceRef? Ref { get; init; }

    /// <summary>The branch that a pull request goes to; null where none is known.</summary>
    public string? BaseBranch { get; init; }

    /// <summary>The commit's time, or the one that the user gives instead; null where none is known.</summary>
    public required DateTimeOffset? Created { get; init; }

    /// <summary>The build configuration.</summary>
    public required string Configuration { get; init; }

    /// <summary>The runtime identifier; null for an image of several platforms.</summary>
    public string? RuntimeIdentifier { get; init; }

    /// <summary>What every tag ends with, as those of a variant do.</summary>
    public string Suffix { get; init; } = "";
}

/// <summary>Makes tags of templates and policies.</summary>
internal static class TagPolicies
{
    /// <summary>The tags of an image.</summary>
    /// <param name="templates">What the user names, literally or with tokens; with none the policy decides.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="context">What the tags are made of.</param>
    /// <returns>The tags that are known before the image is, each once, in order.</returns>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: a tag is malformed; <c>IMG1009</c>: a template can't be filled
    /// in.</exception>
    public static IReadOnlyList<Tag> Resolve(IReadOnlyList<string> templates, TagPolicy policy, TagContext context) =>
        [
            .. (templates.Count > 0 ? templates : TemplatesOf(policy, context))
                .Where(template => !ContentTag.IsOne(template))
                .Select(template => WithSuffix(TagTemplate.Fill(template, context), context.Suffix))
                .Distinct(),
        ];

    /// <summary>Those of the tags that have a part of the image's digest in them.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: a tag is malformed; <c>IMG1009</c>: a template can't be filled
    /// in.</exception>
    public static IReadOnlyList<ContentTag> ResolveContentTags(IReadOnlyList<string> templates, TagContext context) =>
        [
            .. templates
                .Where(ContentTag.IsOne)
                .Select(template => TagTemplate.FillAllButContent(template + context.Suffix, context))
                .Distinct(),
        ];

    /// <summary>A tag with something at its end. What is too long is cut before it: without it the tag would be another image's.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: it is no tag.</exception>
    public static Tag WithSuffix(Tag tag, string suffix) =>
        suffix.Length == 0 ? tag : Tag.Parse(tag.Value[..Math.Min(tag.Value.Length, Tag.MaxLength - suffix.Length)] + suffix);

    private static List<string> TemplatesOf(TagPolicy policy, TagContext context)
    {
        var version = SemanticVersion.TryParse(context.Version);
        var templates = new List<string>();
        if ((policy & (TagPolicy.Version | TagPolicy.SemVer)) != 0)
            templates.Add("{version}");
        if (policy.HasFlag(TagPolicy.SemVer) && version is { IsStable: true, Major: not "0" })
            templates.AddRange(["{major}.{minor}", "{major}"]);
        if ((policy & (TagPolicy.Version | TagPolicy.SemVer)) != 0 && version is { IsStable: true })
            templates.Add("latest");
        if (policy.HasFlag(TagPolicy.Commit))
            templates.Add("{commit:7}");
        if (policy.HasFlag(TagPolicy.Branch))
            templates.Add("{ref}");
        return templates;
    }
}

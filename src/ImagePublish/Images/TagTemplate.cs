using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>A tag with tokens, such as <c>{version}-{commit:7}</c>.</summary>
internal static partial class TagTemplate
{
    private const string Tokens =
        "{version}, {major}, {minor}, {patch}, {prerelease}, {commit}, {commit:7}, {head}, {branch}, {tag}, {ref}, {base_ref}, "
        + "{date:yyyyMMdd}, {configuration}, {rid}, {content}";

    /// <summary>
    /// Fills a template in. What a token stands for may hold characters that a tag can't: each run of them becomes one <c>-</c>.
    /// </summary>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: it is no tag; <c>IMG1009</c>: it can't be filled in.</exception>
    public static Tag Fill(string template, TagContext context)
    {
        var filled = FillTokens(template, context);
        if (filled == template)
            return Tag.Parse(template);
        if (
            SemanticVersion.TryParse(context.Version) is { IsStable: false }
            && Token().Matches(template).All(token => token.Groups[1].Value is "major" or "minor" or "patch")
        )
            throw Unusable(
                template,
                $"{Text.Sanitize(context.Version)} is a prerelease, and the tag would look like a release. Add {{prerelease}}, "
                    + $"or use the ImageTagPolicy SemVer, which leaves such tags out."
            );
        filled = filled.TrimStart('-', '.');
        return Tag.Parse(filled[..Math.Min(filled.Length, Tag.MaxLength)]);
    }

    /// <summary>Fills in what is known before the image is: all tokens but <c>{content}</c>.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: it is no tag; <c>IMG1009</c>: it can't be filled in.</exception>
    public static ContentTag FillAllButContent(string template, TagContext context) =>
        ContentTag.Parse(FillTokens(template, context).TrimStart('-', '.'));

    private static string FillTokens(string template, TagContext context) =>
        template.Contains('{', StringComparison.Ordinal)
            ? Token()
                .Replace(template, token =>
                    token.Groups[1].Value == "content"
                        ? token.Value
                        : Clean(Value(template, token.Groups[1].Value, token.Groups[2].Value, context))
                )
            : template;

    private static string Value(string template, string name, string format, TagContext context)
    {
        var version = SemanticVersion.TryParse(context.Version);
        var value = name switch
        {
            "version" => context.Version,
            "major" => version?.Major,
            "minor" => version?.Minor,
            "patch" => version?.Patch,
            "prerelease" => version?.Prerelease,
            "commit" => Shortened(context.Commit, format),
            "head" => Shortened(context.Head?.Value ?? context.Commit, format),
            "branch" => context.Ref?.Kind == SourceRefKind.Tag ? null : context.Ref?.ToString(),
            "tag" => context.Ref?.Kind == SourceRefKind.Tag ? context.Ref.Name : null,
            "ref" => context.Ref?.ToString(),
            "base_ref" => context.BaseBranch,
            "date" => context.Created is { } instant ? Formatted(template, instant, format) : null,
            "configuration" => context.Configuration,
            "rid" => context.RuntimeIdentifier,
            _ => throw Unusable(template, $"there is no token '{{{Text.Sanitize(name)}}}'. Known are {Tokens}."),
        };
        return string.IsNullOrEmpty(value) ? throw Unusable(template, Missing(name)) : value;
    }

    private static string Missing(string name) =>
        name switch
        {
            "commit" or "head" => "no commit is known. Build in a git checkout, or set the property SourceRevisionId.",
            "branch" => "no branch is known. Build in a git checkout that is on a branch, or set the property RepositoryBranch.",
            "tag" => "the build is not of a tag in source control.",
            "ref" => "neither branch, tag nor pull request is known. Build in a git checkout, or set the property RepositoryBranch.",
            "base_ref" => "the build is not of a pull request whose target branch CI reports.",
            "date" => "no time is known. Build in a git checkout that has a commit, or set the property ImageCreated or the environment "
                + "variable SOURCE_DATE_EPOCH.",
            "rid" => "an image of several platforms has no single runtime identifier.",
            "prerelease" => "the version is a release and has no prerelease part.",
            _ => "the project's Version is not a semantic version.",
        };

    // What follows the hash, as -dirty, stays.
    private static string? Shortened(string? commit, string format)
    {
        if (commit is null || !int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            return commit;
        var end = commit.IndexOf('-', StringComparison.Ordinal) is >= 0 and var mark ? mark : commit.Length;
        return commit[..Math.Min(length, end)] + commit[end..];
    }

    private static string Formatted(string template, DateTimeOffset instant, string format)
    {
        try
        {
            return instant.UtcDateTime.ToString(format.Length == 0 ? "yyyyMMdd" : format, CultureInfo.InvariantCulture);
        }
        catch (FormatException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.InvalidTemplate,
                $"The tag '{Text.Sanitize(template)}' can't be made: '{Text.Sanitize(format)}' is not a date format.",
                exception
            );
        }
    }

    private static ImagePublishException Unusable(string template, string reason) =>
        new(DiagnosticCodes.InvalidTemplate, $"The tag '{Text.Sanitize(template)}' can't be made: {reason}");

    private static string Clean(string value)
    {
        var clean = new StringBuilder(value.Length);
        foreach (var character in value)
        {
            if (Tag.IsTagCharacter(character))
                clean.Append(character);
            else if (clean.Length == 0 || clean[^1] != '-')
                clean.Append('-');
        }

        return clean.ToString();
    }

    [GeneratedRegex(@"\{([^{}:]*)(?::([^{}]*))?\}")]
    private static partial Regex Token();
}

using System.IO.Enumeration;

namespace ImagePublish.Publishing.Verbs;

/// <summary>A pattern of names: <c>*</c> stands for any text, <c>?</c> for any one character.</summary>
/// <param name="Pattern">The pattern; empty for everything.</param>
public sealed record Glob(string Pattern)
{
    /// <summary>The pattern of everything.</summary>
    public static Glob All { get; } = new("");

    /// <summary>Whether it matches everything.</summary>
    public bool IsAll => Pattern.All(character => character == '*');

    /// <summary>Whether it has no wildcards, and so means one name.</summary>
    public bool IsLiteral => Pattern.Length > 0 && !Pattern.AsSpan().ContainsAny('*', '?');

    /// <summary>The part of a pattern of images that is about the tag: <c>pr-*</c> of <c>acme/shop:pr-*</c>.</summary>
    internal Glob TagPart => new(StoreNames.Tag(Pattern) ?? "");

    /// <summary>Whether a name is meant.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Whether it is.</returns>
    public bool Matches(string name) => Pattern.Length == 0 || FileSystemName.MatchesSimpleExpression(Pattern.Replace("\\", "\\\\", StringComparison.Ordinal), name, ignoreCase: false);

    /// <summary>Whether an image's name is meant: with its tag, or without.</summary>
    /// <param name="name">Such as <c>acme/shop:1.0</c>.</param>
    /// <returns>Whether it is.</returns>
    public bool MatchesImage(string name)
    {
        var colon = name.LastIndexOf(':');
        return Matches(name) || (colon > name.LastIndexOf('/') && Matches(name[..colon]));
    }
}

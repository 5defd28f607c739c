using System.IO.Enumeration;

namespace ImagePublish.Publishing.Verbs;

/// <summary>A pattern of names: <c>*</c> stands for any text, <c>?</c> for any one character.</summary>
/// <param name="Pattern">The pattern; empty for everything.</param>
public sealed record Glob(string Pattern)
{
    /// <summary>The pattern of everything.</summary>
    public static Glob All { get; } = new("");

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

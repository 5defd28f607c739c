using ImagePublish.Common;

namespace ImagePublish.Commands;

/// <summary>A pattern of names: <c>*</c> stands for any text, <c>?</c> for any one character.</summary>
internal sealed record Glob(string Pattern)
{
    public static Glob All { get; } = new("");

    public bool IsAll => Pattern.All(character => character == '*');

    public bool IsLiteral => Pattern.Length > 0 && !Pattern.AsSpan().ContainsAny('*', '?');

    /// <summary>The part of a pattern of images that is about the tag: <c>pr-*</c> of <c>acme/shop:pr-*</c>.</summary>
    internal Glob TagPart => new(StoreNames.Tag(Pattern) ?? "");

    public bool Matches(string name) => Pattern.Length == 0 || Wildcard.IsMatch(Pattern, name);

    /// <summary>Whether an image's name matches: with its tag, or without.</summary>
    public bool MatchesImage(string name)
    {
        var colon = name.LastIndexOf(':');
        return Matches(name) || (colon > name.LastIndexOf('/') && Matches(name[..colon]));
    }
}

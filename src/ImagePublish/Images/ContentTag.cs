using System.Globalization;
using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>A tag that has a part of the image's own digest in it (<c>{content}</c>), so that it is known last.</summary>
internal sealed partial record ContentTag
{
    // Two images of a repository get the same 32 bits once in 65,000 images; with fewer, a tag would move from one to the other.
    private const int MinLength = 8;
    private const int UsualLength = 12;

    // The other tokens are filled in.
    private readonly string text;

    private ContentTag(string text) => this.text = text;

    public static bool IsOne(string template) => Token().IsMatch(template);

    /// <summary>Reads a template whose other tokens are filled in.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1004</c>: it is no tag; <c>IMG1009</c>: it can't be filled in.</exception>
    public static ContentTag Parse(string text)
    {
        var lengths = Token().Matches(text).Select(LengthOf).ToList();
        if (lengths.Find(length => length is not (>= MinLength and <= 64)) is not null and var wrong)
            throw Unusable(text, $"it has {wrong} digits of the digest, and needs {MinLength} to 64");
        if (lengths.Contains(null))
            throw Unusable(text, "{content} takes a number of digits, such as {content:16}");
        var tag = new ContentTag(Fitting(text, lengths.Sum(length => length!.Value)));
        _ = tag.For(Digest.Compute([]));
        return tag;
    }

    public Tag For(Digest digest) => Tag.Parse(Token().Replace(text, token => digest.Hex[..LengthOf(token)!.Value]));

    public override string ToString() => text;

    // What is too long is cut before the digest, without which the tag would be any image's.
    private static string Fitting(string text, int digits)
    {
        var excess = Token().Replace(text, "").Length + digits - Tag.MaxLength;
        var start = Token().Match(text).Index;
        if (excess <= 0)
            return text;
        return excess <= start
            ? text.Remove(start - excess, excess)
            : throw Unusable(text, $"it is {excess} characters too long, and what is before the digest is shorter");
    }

    private static int? LengthOf(Match token)
    {
        if (!token.Groups[1].Success)
            return UsualLength;
        return int.TryParse(token.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : null;
    }

    private static ImagePublishException Unusable(string text, string reason) =>
        new(DiagnosticCodes.InvalidTemplate, $"The tag '{Common.Text.Sanitize(text)}' can't be made: {reason}.");

    [GeneratedRegex(@"\{content(?::([^{}]*))?\}")]
    private static partial Regex Token();
}

using System.Diagnostics.CodeAnalysis;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A movable name of an image within its repository, such as <c>1.4.2</c>. Valid by construction.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests">distribution-spec, Pulling
/// manifests</see>: <c>[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}</c>.
/// </remarks>
internal sealed record Tag
{
    public const int MaxLength = 128;

    private Tag(string value) => Value = value;

    public string Value { get; }

    /// <exception cref="ImagePublishException"><c>IMG1004</c>: it is malformed.</exception>
    public static Tag Parse(string text) =>
        TryParse(text, out var tag)
            ? tag
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidTag,
                $"'{Text.Sanitize(text)}' is not a tag: expected at most {MaxLength} of the characters A-Z a-z 0-9 . _ -, "
                    + "not beginning with . or -."
            );

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Tag? tag)
    {
        var wellFormed = text is { Length: > 0 and <= MaxLength } && text[0] is not ('.' or '-') && text.All(IsTagCharacter);
        tag = wellFormed ? new Tag(text!) : null;
        return wellFormed;
    }

    /// <summary>Whether a tag may hold this character, other than as its first.</summary>
    public static bool IsTagCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-';

    public override string ToString() => Value;
}

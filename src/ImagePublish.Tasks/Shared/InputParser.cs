using ImagePublish.Common;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Shared;

/// <summary>How properties and items become values.</summary>
internal static class InputParser
{
    private static readonly char[] Separators = [';', ',', ' ', '\t', '\r', '\n'];

    /// <summary>A list of words: <c>;</c>, <c>,</c> and white space all divide, so that a command line needs no quoting.</summary>
    public static string[] Words(string? text) => text?.Split(Separators, StringSplitOptions.RemoveEmptyEntries) ?? [];

    public static string? Optional(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>Names with the values that stand in their metadata, byte for byte.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Pairs(ITaskItem[] items, string kind) =>
        [
            .. items.Select(item =>
                string.IsNullOrWhiteSpace(item.ItemSpec) || item.ItemSpec.Contains('=', StringComparison.Ordinal)
                    ? throw Invalid(
                        ItemLocations.Locate(item, kind),
                        "a name may not be empty or hold '='; the value goes into the metadata 'Value'"
                    )
                    : KeyValuePair.Create(item.ItemSpec, item.GetMetadata("Value"))
            ),
        ];

    public static T Choice<T>(string? text, string property, T fallback)
        where T : struct, Enum
    {
        if (Optional(text) is not { } word)
            return fallback;
        return Enum.TryParse<T>(word, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(word[0])
            ? value
            : throw Invalid(property, word, $"expected one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    /// <summary>Reads a value; where it can't be, the failure names the property that it stands in.</summary>
    /// <exception cref="ImagePublishException">It can't be.</exception>
    public static T Named<TText, T>(string property, TText text, Func<TText, T> read)
    {
        try
        {
            return read(text);
        }
        catch (ImagePublishException exception)
        {
            throw new ImagePublishException(exception.Code, $"{property}: {exception.Message}", exception.InnerException);
        }
    }

    public static ImagePublishException Invalid(ItemSource item, string reason) =>
        new(DiagnosticCodes.InvalidValue, $"{item} can't be used: {reason}.") { Item = item };

    public static ImagePublishException Invalid(string name, string value, string reason) =>
        new(DiagnosticCodes.InvalidValue, $"{name} has the value '{Text.Sanitize(value)}': {reason}.");
}

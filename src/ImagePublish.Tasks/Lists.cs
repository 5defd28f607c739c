using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>How properties and items become values.</summary>
internal static class Lists
{
    private static readonly char[] Separators = [';', ',', ' ', '\t', '\r', '\n'];

    /// <summary>A list of words: <c>;</c>, <c>,</c> and white space all divide, so that a command line needs no quoting.</summary>
    /// <param name="text">The property's value.</param>
    /// <returns>The words.</returns>
    public static string[] Words(string? text) => text?.Split(Separators, StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>An optional text.</summary>
    /// <param name="text">The property's value.</param>
    /// <returns>The text without white space around it, or null if there is none.</returns>
    public static string? Optional(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>Names with the values that stand in their metadata, byte for byte.</summary>
    /// <param name="items">The items.</param>
    /// <param name="kind">The items' name, for messages.</param>
    /// <returns>The pairs, in order.</returns>
    public static IReadOnlyList<KeyValuePair<string, string>> Pairs(ITaskItem[] items, string kind) => [.. items.Select(item =>
        string.IsNullOrWhiteSpace(item.ItemSpec) || item.ItemSpec.Contains('=', StringComparison.Ordinal)
            ? throw Invalid(Sources.Of(item, kind), "a name may not be empty or hold '='; the value goes into the metadata 'Value'")
            : KeyValuePair.Create(item.ItemSpec, item.GetMetadata("Value")))];

    /// <summary>One of a few words, in any case.</summary>
    /// <typeparam name="T">The words.</typeparam>
    /// <param name="text">The property's value.</param>
    /// <param name="property">The property's name, for messages.</param>
    /// <param name="fallback">The value where there is no text.</param>
    /// <returns>The value.</returns>
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
    /// <typeparam name="TText">The text.</typeparam>
    /// <typeparam name="T">The value.</typeparam>
    /// <param name="property">The property's name.</param>
    /// <param name="text">The text.</param>
    /// <param name="read">Reads it.</param>
    /// <returns>The value.</returns>
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

    /// <summary>The failure of an item that can't be.</summary>
    /// <param name="item">The item.</param>
    /// <param name="reason">What is wrong.</param>
    /// <returns>The exception.</returns>
    public static ImagePublishException Invalid(ItemSource item, string reason) => new(DiagnosticCodes.InvalidValue, $"{item} can't be used: {reason}.") { Item = item };

    /// <summary>The failure of a value that can't be.</summary>
    /// <param name="name">The property or item.</param>
    /// <param name="value">Its value.</param>
    /// <param name="reason">What is wrong.</param>
    /// <returns>The exception.</returns>
    public static ImagePublishException Invalid(string name, string value, string reason) =>
        new(DiagnosticCodes.InvalidValue, $"{name} has the value '{Text.Shown(value)}': {reason}.");
}

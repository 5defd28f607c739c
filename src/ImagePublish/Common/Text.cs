using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Common;

/// <summary>The one way of text that others wrote into messages, tables, reports and files of CI systems.</summary>
/// <remarks>
/// <para>
/// What is invisible or changes how a line is drawn (control, format and ignorable characters, line ends, halves of surrogate pairs)
/// becomes <c>\uXXXX</c>. Commands of CI systems are broken visibly: <c>##vso[</c> becomes <c>## vso[</c>, and <c>::</c> at the start of a
/// line becomes <c>: :</c>. Agents look for the first anywhere in a line, and for the second after blanks.
/// </para>
/// <para>Text that went through once stays as it is: a message that is made of such text may go through again.</para>
/// </remarks>
internal static partial class Text
{
    private const int ShownLength = 200;

    /// <summary>Text from another machine, a file or a user, fit for one line of a message.</summary>
    public static string Shortened(string text, int length)
    {
        if (text.Length <= length)
            return OneLine(text);
        var end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return OneLine(text[..end]) + "…";
    }

    /// <summary>Text from another machine, a file or a user, fit for one line of a message, its addresses without what may be secret in
    /// them.</summary>
    public static string Sanitize(string text) => Shortened(PublicUrl.InText(text), ShownLength);

    public static string OneLine(string text) => Clean(text, keepsLines: false);

    public static string Lines(string text) => Clean(text, keepsLines: true);

    /// <summary>A number of things, whose plural ends with an s.</summary>
    public static string Count(int number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>An instant as the OCI specifications write it (RFC 3339, UTC, whole seconds).</summary>
    public static string Rfc3339(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Clean(string text, bool keepsLines)
    {
        var visible = text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? Visible(text, keepsLines) : text;
        // Most text has neither, and then no regular expression is compiled in a build that does nothing else.
        if (visible.Contains("##", StringComparison.Ordinal))
            visible = AgentCommand().Replace(visible, "## ");
        return visible.Contains("::", StringComparison.Ordinal) ? RunnerCommand().Replace(visible, "$1: ") : visible;
    }

    private static string Visible(string text, bool keepsLines)
    {
        var visible = new StringBuilder(text.Length);
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var isWhole = Rune.DecodeFromUtf16(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            var isLineEnd = keepsLines && rest[0] is '\n';
            if (keepsLines && rest.StartsWith("\r\n"))
            {
                // The line feed follows.
            }
            else if (isLineEnd || (isWhole && !IsHidden(rune)))
            {
                visible.Append(rest[..length]);
            }
            else
            {
                foreach (var unit in rest[..length])
                    visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            }

            rest = rest[length..];
        }

        return visible.ToString();
    }

    // Besides the categories, what Unicode calls ignorable (DerivedCoreProperties, Default_Ignorable_Code_Point) or draws as nothing: an
    // agent that compares by culture does not see it.
    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.Surrogate
        || rune.Value
            is 0x034F
                or 0x115F
                or 0x1160
                or 0x17B4
                or 0x17B5
                or (>= 0x180B and <= 0x180F)
                or 0x2800
                or 0x3164
                or (>= 0xFE00 and <= 0xFE0F)
                or 0xFFA0
                or (>= 0xE0000 and <= 0xE0FFF);

    // Azure Pipelines: ##vso[ and ##[. GitHub Actions: ##[. TeamCity: ##teamcity[.
    [GeneratedRegex(@"##(?=\w*\[)")]
    private static partial Regex AgentCommand();

    [GeneratedRegex(@"^([^\S\n]*):(?=:)", RegexOptions.Multiline)]
    private static partial Regex RunnerCommand();
}

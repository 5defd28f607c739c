using System.IO.Enumeration;

namespace ImagePublish.Common;

/// <summary>Patterns of names: <c>*</c> stands for any text, <c>?</c> for any one character.</summary>
internal static class Wildcard
{
    // A backslash is a character like any other here.
    public static bool IsMatch(string pattern, string name) =>
        FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), name, ignoreCase: false);
}

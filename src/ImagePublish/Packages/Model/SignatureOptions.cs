using System.Text.RegularExpressions;

namespace ImagePublish.Packages.Model;

/// <summary>The options of package sources that turn the check of signatures off. They are ignored, whoever sets them: what is not signed
/// is not put into an image.</summary>
internal static partial class SignatureOptions
{
    public static string Remove(string text)
    {
        var lines = Options()
            .Replace(text, match =>
            {
                var options = match.Groups["options"].Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                var kept = string.Join(' ', options.Where(option => !Weakening().IsMatch(option)));
                return match.Groups["type"].Value + (kept.Length > 0 ? $"[{kept}] " : "");
            });
        return Fields().Replace(lines, "");
    }

    [GeneratedRegex(
        @"^(?<type>[ \t]*deb(-src)?[ \t]+)\[(?<options>[^\]\n]*\b(trusted|allow-[a-z-]+)[+-]?=[^\]\n]*)\][ \t]*",
        RegexOptions.Multiline | RegexOptions.IgnoreCase
    )]
    private static partial Regex Options();

    [GeneratedRegex(@"\A(trusted|allow-[a-z-]+)[+-]?=", RegexOptions.IgnoreCase)]
    private static partial Regex Weakening();

    [GeneratedRegex(
        @"^(Trusted|Allow-(Insecure|Weak|Downgrade-To-Insecure))[ \t]*:[^\n]*\n?([ \t][^\n]*\n?)*",
        RegexOptions.Multiline | RegexOptions.IgnoreCase
    )]
    private static partial Regex Fields();
}

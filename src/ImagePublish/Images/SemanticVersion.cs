using System.Text.RegularExpressions;

namespace ImagePublish.Images;

/// <summary>A version in the parts that tags are made of.</summary>
internal sealed partial record SemanticVersion(string Major, string Minor, string Patch, string Prerelease)
{
    public bool IsStable => Prerelease.Length == 0;

    /// <summary>Reads a version, of two to four numbers too, as .NET's are.</summary>
    public static SemanticVersion? TryParse(string text)
    {
        var match = Pattern().Match(text);
        return match.Success
            ? new SemanticVersion(match.Groups[1].Value, Number(match.Groups[2]), Number(match.Groups[3]), match.Groups[4].Value)
            : null;
    }

    private static string Number(Group group) => group.Success ? group.Value : "0";

    [GeneratedRegex(@"\A(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.\d+)?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\z")]
    private static partial Regex Pattern();
}

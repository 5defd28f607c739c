using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Policies;

/// <summary>
/// Patterns of paths in an image: <c>*</c> stands for any text within a folder, <c>**</c> for any folders, <c>?</c> for one character. One
/// without a leading <c>/</c> may begin in any folder.
/// </summary>
internal sealed class PathPatterns(IReadOnlyList<string> patterns)
{
    private readonly Regex[] expressions = [.. patterns.Select(Compile)];

    public bool Match(string path) => expressions.Any(expression => expression.IsMatch(path));

    private static Regex Compile(string pattern)
    {
        var text = pattern.Replace('\\', '/');
        var expression = new StringBuilder(text.StartsWith('/') ? "^" : "^/(?:.*/)?");
        for (var index = 0; index < text.Length; )
        {
            var (part, length) = text.AsSpan(index) switch
            {
                ['*', '*', '/', ..] => ("(?:.*/)?", 3),
                ['*', '*', ..] => (".*", 2),
                ['*', ..] => ("[^/]*", 1),
                ['?', ..] => ("[^/]", 1),
                _ => (Regex.Escape(text[index].ToString()), 1),
            };
            expression.Append(part);
            index += length;
        }

        // Never backtracks: a pattern can't make a build slow.
        return new Regex(expression.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.Singleline);
    }
}

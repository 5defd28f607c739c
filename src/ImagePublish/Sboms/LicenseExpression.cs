using System.Text.RegularExpressions;

namespace ImagePublish.Sboms;

/// <summary>Licence expressions of SPDX: only those that are valid get into a document.</summary>
/// <remarks>
/// <see href="https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/">SPDX 2.3, annex D</see>.
/// </remarks>
internal static partial class LicenseExpression
{
    private const int MaxLength = 1024;
    private const int MaxDepth = 16;

    private static readonly Lazy<(Dictionary<string, string> Licenses, Dictionary<string, string> Exceptions)> Lists = new(ReadLists);

    /// <summary>Reads an expression, with the letter case of SPDX's list.</summary>
    /// <returns>Null where it is no expression of identifiers in that list.</returns>
    public static string? TryNormalize(string? text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength)
            return null;
        var tokens = Tokens().Matches(text).Select(match => match.Value).ToList();
        if (string.Concat(tokens).Length != text.Count(character => !char.IsWhiteSpace(character)))
            return null;
        var reader = new Reader(tokens);
        return reader.ReadExpression(0) is { } expression && reader.IsAtEnd ? expression : null;
    }

    private static (Dictionary<string, string> Licenses, Dictionary<string, string> Exceptions) ReadLists()
    {
        using var stream = typeof(LicenseExpression).Assembly.GetManifestResourceStream("ImagePublish.SpdxLicenses.txt")!;
        using var reader = new StreamReader(stream);
        var parts = reader.ReadToEnd().ReplaceLineEndings("\n").Split("\n\n");
        return (ListOf(parts[0]), ListOf(parts[1]));
    }

    private static Dictionary<string, string> ListOf(string lines) =>
        lines
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .DistinctBy(line => line, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(line => line, StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex(@"[()]|[A-Za-z0-9.+-]+")]
    private static partial Regex Tokens();

    private sealed class Reader(List<string> tokens)
    {
        private int at;

        public bool IsAtEnd => at == tokens.Count;

        private string? Next => at < tokens.Count ? tokens[at] : null;

        public string? ReadExpression(int depth)
        {
            if (ReadTerm(depth) is not { } expression)
                return null;
            while (Next is "AND" or "OR")
            {
                var joint = tokens[at++];
                if (ReadTerm(depth) is not { } term)
                    return null;
                expression = $"{expression} {joint} {term}";
            }

            return expression;
        }

        private string? ReadTerm(int depth)
        {
            if (Next is not { } token || depth > MaxDepth)
                return null;
            at++;
            if (token != "(")
                return ReadLicense(token);
            var inner = ReadExpression(depth + 1);
            if (inner is null || Next != ")")
                return null;
            at++;
            return $"({inner})";
        }

        private string? ReadLicense(string token)
        {
            var orLater = !Lists.Value.Licenses.ContainsKey(token) && token.EndsWith('+');
            if (!Lists.Value.Licenses.TryGetValue(orLater ? token[..^1] : token, out var license))
                return null;
            if (orLater)
                license += "+";
            if (Next != "WITH")
                return license;
            at++;
            if (Next is not { } name || !Lists.Value.Exceptions.TryGetValue(name, out var exception))
                return null;
            at++;
            return $"{license} WITH {exception}";
        }
    }
}

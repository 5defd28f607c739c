using System.Text;
using System.Text.Json;

namespace ImagePublish.Dockerfiles;

/// <summary>Words, quotes and variables of a Dockerfile.</summary>
/// <remarks>
/// A value that only a build knows stays in the text as a mark, so that whoever translates the text can refer to it: an <c>ARG</c>
/// without a default, or a variable that only the base image can have.
/// </remarks>
internal static class DockerfileText
{
    private const char ArgumentMark = '\uE000';
    private const char InheritedMark = '\uE001';
    private const char MarkEnd = '\uE002';
    private const int MaxValueLength = 1 << 15;
    private const int MaxNesting = 8;

    /// <summary>Text without characters that would be taken for marks.</summary>
    public static string Clean(string text) =>
        text.TrimStart('\uFEFF').Replace(ArgumentMark, '\uFFFD').Replace(InheritedMark, '\uFFFD').Replace(MarkEnd, '\uFFFD');

    /// <summary>What stands for an <c>ARG</c> that only a build has a value for.</summary>
    public static string Argument(string name) => $"{ArgumentMark}{name}{MarkEnd}";

    public static bool HasArgument(string text) => text.Contains(ArgumentMark, StringComparison.Ordinal);

    /// <summary>Whether a variable of the base image is in it.</summary>
    public static bool HasInherited(string text) => text.Contains(InheritedMark, StringComparison.Ordinal);

    public static bool IsKnown(string text) => !HasArgument(text) && !HasInherited(text);

    /// <summary>Text with each mark replaced by what a function makes of its name.</summary>
    public static string Replace(string text, Func<string, string> shown)
    {
        var replaced = new StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            var end = text[at] is ArgumentMark or InheritedMark ? text.IndexOf(MarkEnd, at) : -1;
            if (end < 0)
            {
                replaced.Append(text[at]);
                continue;
            }

            replaced.Append(shown(text[(at + 1)..end]));
            at = end;
        }

        return replaced.ToString();
    }

    /// <summary>The first word, with its quotes.</summary>
    public static string FirstWord(string text, char escape)
    {
        var quote = '\0';
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == escape && quote != '\'')
                at++;
            else if (quote != '\0')
                quote = text[at] == quote ? '\0' : quote;
            else if (text[at] is '"' or '\'')
                quote = text[at];
            else if (text[at] is ' ' or '\t' or '\n')
                return text[..at];
        }

        return text;
    }

    /// <summary>The words, with their quotes.</summary>
    public static IReadOnlyList<string> Words(string text, char escape)
    {
        var words = new List<string>();
        for (var rest = text.Trim(); rest.Length > 0; )
        {
            var word = FirstWord(rest, escape);
            words.Add(word);
            rest = rest[word.Length..].TrimStart();
        }

        return words;
    }

    /// <summary>Names with values: <c>A=1 B="two words"</c>, or the old form, <c>A two words</c>.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Pairs(string text, char escape)
    {
        var words = Words(text, escape);
        if (words.Count > 1 && !words[0].Contains('=', StringComparison.Ordinal))
            return [KeyValuePair.Create(words[0], text.Trim()[words[0].Length..].Trim())];
        return
        [
            .. words.Select(word =>
                word.IndexOf('=', StringComparison.Ordinal) is var equals and > 0
                    ? KeyValuePair.Create(word[..equals], word[(equals + 1)..])
                    : KeyValuePair.Create(word, "")
            ),
        ];
    }

    /// <summary>The words of the exec form, a JSON array of texts; null where it is something else, which is a line for a shell.</summary>
    public static string[]? Exec(string text)
    {
        if (!text.StartsWith('['))
            return null;
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 2 });
            return json.RootElement.EnumerateArray().All(word => word.ValueKind == JsonValueKind.String)
                ? [.. json.RootElement.EnumerateArray().Select(word => word.GetString()!)]
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A word without its quotes and with its variables' values, as Docker expands words.</summary>
    public static string Expand(string word, char escape, IReadOnlyDictionary<string, string> variables) =>
        new Expansion(word, escape, variables).Run(0);

    private sealed class Expansion(string word, char escape, IReadOnlyDictionary<string, string> variables)
    {
        private readonly StringBuilder value = new();

        public string Run(int nesting)
        {
            var quote = '\0';
            for (var at = 0; at < word.Length && value.Length < MaxValueLength; at++)
            {
                var one = word[at];
                if (one == quote)
                    quote = '\0';
                else if (quote == '\'')
                    value.Append(one);
                else if (one == escape && at + 1 < word.Length)
                    at = Escaped(at, quote);
                else if (quote == '\0' && one is '"' or '\'')
                    quote = one;
                else if (one == '$')
                    at = Variable(at, nesting);
                else
                    value.Append(one);
            }

            return value.Length > MaxValueLength ? value.ToString(0, MaxValueLength) : value.ToString();
        }

        // Within double quotes the escape stays before what has no meaning there.
        private int Escaped(int at, char quote)
        {
            var next = word[at + 1];
            if (quote == '"' && next != '"' && next != '$' && next != escape)
                value.Append(escape);
            value.Append(next);
            return at + 1;
        }

        private int Variable(int at, int nesting)
        {
            if (at + 1 < word.Length && word[at + 1] == '{')
                return Braced(at, nesting);
            var end = NameEnd(at + 1);
            if (end == at + 1)
                value.Append('$');
            else
                value.Append(ValueOf(word[(at + 1)..end]));
            return Math.Max(at, end - 1);
        }

        // ${NAME}, ${NAME:-default}, ${NAME:+alternative}; the same without the colon.
        private int Braced(int at, int nesting)
        {
            var close = Close(at + 2);
            var end = NameEnd(at + 2);
            if (close < 0 || end == at + 2 || nesting == MaxNesting)
            {
                value.Append('$');
                return at;
            }

            var name = word[(at + 2)..end];
            var modifier = word[end..close];
            var rest = modifier.TrimStart(':');
            // An ARG without a default is not set before a build.
            var known =
                variables.TryGetValue(name, out var found) && found != Argument(name) && (found.Length > 0 || modifier is not [':', ..]);
            value.Append(
                rest switch
                {
                    ['-', ..] => known ? found : Nested(rest[1..], nesting),
                    ['+', ..] => known ? Nested(rest[1..], nesting) : "",
                    "" or ['?', ..] => ValueOf(name),
                    // Patterns of ${NAME#…}, ${NAME%…} and ${NAME/…}.
                    _ => $"{InheritedMark}{name}{MarkEnd}",
                }
            );
            return close;
        }

        private string Nested(string text, int nesting) => new Expansion(text, escape, variables).Run(nesting + 1);

        private string ValueOf(string name) => variables.TryGetValue(name, out var found) ? found : $"{InheritedMark}{name}{MarkEnd}";

        private int NameEnd(int start)
        {
            var end = start;
            while (end < word.Length && (char.IsAsciiLetterOrDigit(word[end]) || word[end] == '_'))
                end++;
            return end;
        }

        private int Close(int start)
        {
            var open = 1;
            for (var at = start; at < word.Length; at++)
            {
                open += word[at] switch
                {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                if (open == 0)
                    return at;
            }

            return -1;
        }
    }
}

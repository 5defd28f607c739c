using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImagePublish.Tests.Support;

/// <summary>Text that wants to be more than text, and what a line must not have in it.</summary>
internal static partial class Hostile
{
    public const string AgentCommand = "##vso[task.setvariable variable=x]y";
    public const string RunnerCommand = "::set-output name=a::b";
    public const string Html = "<img src=x>";

    /// <summary>
    /// Everything at once: commands at the start of a line and in it, direction and width, HTML, Markdown, a terminal's escape sequence, a
    /// shell's command.
    /// </summary>
    public const string Everything =
        "a\n"
        + RunnerCommand
        + "\r\n  "
        + AgentCommand
        + "\u2028##[error]\u202e\u200b"
        + Html
        + "`|[x](https://example.org)\e[31m; touch /tmp/x #";

    /// <summary>A line of a log, an error or a summary.</summary>
    public static void AssertHarmless(string line)
    {
        AssertVisible(line);
        AssertNoCommand(line);
        Assert.True(!line.TrimStart().StartsWith("::", StringComparison.Ordinal), $"a command: {line}");
    }

    /// <summary>Markdown with lines of its own.</summary>
    public static void AssertHarmlessMarkdown(string markdown)
    {
        Assert.All(markdown.Split('\n'), AssertHarmless);
        Assert.DoesNotContain(Html, markdown, StringComparison.Ordinal);
        // Outside code there are only the table's own characters.
        var text = Code().Replace(markdown, "");
        Assert.True(!MarkupCharacter().IsMatch(text), markdown);
        Assert.All(markdown.Split('\n').Where(line => line.StartsWith('|')), row =>
            Assert.Equal(3, row.Count(character => character == '|'))
        );
    }

    /// <summary>Data of a page, as JSON.</summary>
    public static void AssertHarmlessData(string json)
    {
        AssertVisible(json);
        AssertNoCommand(json);
        Assert.DoesNotContain("<", json, StringComparison.Ordinal);
        Assert.All(Strings(JsonNode.Parse(json)), text => Assert.All(text.Split('\n'), AssertHarmless));
    }

    /// <summary>A document that somebody may print.</summary>
    public static void AssertNoCommand(string text) => Assert.True(!Command().IsMatch(text), $"a command: {text}");

    /// <summary>The paths of all strings in a document, and of the names in its maps.</summary>
    public static IEnumerable<string> Places(JsonNode? node, string path = "")
    {
        if (node is JsonArray array)
            return array.Index().SelectMany(item => Places(item.Item, $"{path}/{item.Index.ToString(CultureInfo.InvariantCulture)}"));
        if (node is JsonObject map)
        {
            var isMap = path.Split('/')[^1] is "Labels" or "annotations" or "ExposedPorts" or "Volumes";
            return map.SelectMany(field =>
                Places(field.Value, $"{path}/{Escaped(field.Key)}").Concat(isMap ? [$"{path}/{Escaped(field.Key)}#"] : [])
            );
        }

        return node is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.String ? [path] : [];
    }

    /// <summary>A copy of a document with another text in one place.</summary>
    public static JsonNode With(this JsonNode document, string place, string text)
    {
        var copy = document.DeepClone();
        var isName = place.EndsWith('#');
        var steps = place.TrimEnd('#').Split('/')[1..].Select(step => step.Replace("~1", "/", StringComparison.Ordinal)).ToList();
        var parent = steps
            .SkipLast(1)
            .Aggregate(copy, (node, step) => node is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)]! : node[step]!);
        if (parent is JsonArray array)
        {
            array[int.Parse(steps[^1], CultureInfo.InvariantCulture)] = text;
        }
        else if (isName)
        {
            var value = parent[steps[^1]]!.DeepClone();
            parent.AsObject().Remove(steps[^1]);
            parent[text] = value;
        }
        else
        {
            parent[steps[^1]] = text;
        }

        return copy;
    }

    public static byte[] Bytes(this JsonNode document) => Encoding.UTF8.GetBytes(document.ToJsonString());

    private static string Escaped(string step) => step.Replace("/", "~1", StringComparison.Ordinal);

    private static IEnumerable<string> Strings(JsonNode? node) =>
        node switch
        {
            JsonArray array => array.SelectMany(Strings),
            JsonObject map => map.SelectMany(field => Strings(field.Value).Append(field.Key)),
            JsonValue value when value.TryGetValue<string>(out var text) => [text],
            _ => [],
        };

    private static void AssertVisible(string line)
    {
        foreach (var rune in line.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            var isHidden =
                category
                is UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator;
            Assert.True(!isHidden, $"U+{rune.Value:x4} in {line}");
        }
    }

    [GeneratedRegex(@"##\w*\[")]
    private static partial Regex Command();

    [GeneratedRegex("[`<>&\\[\\]]")]
    private static partial Regex MarkupCharacter();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();
}

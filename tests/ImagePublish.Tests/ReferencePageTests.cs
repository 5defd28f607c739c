using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ImagePublish.Tests;

/// <summary>Keeps <c>docs/reference.md</c> and what editors show what docs/properties.md, the props and the targets say.</summary>
public sealed partial class ReferencePageTests
{
    private const string Update = "IMAGEPUBLISH_UPDATE_DOCS";

    private const string Editors =
        "The package contains the same descriptions in `build/ImagePublish.Tasks.targets.buildschema.json`. In Visual Studio, the "
        + "extension [MSBuild Editor](https://marketplace.visualstudio.com/items?itemName=mhutch.MSBuildEditor)\n"
        + "reads that file and shows them while you edit a project file. Visual Studio's built-in completion can't show them: it "
        + "knows only what is in MSBuild's own XML schema.";

    private static readonly string Root = RepositoryRoot.Path;

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    [Theory]
    [InlineData("docs/reference.md")]
    [InlineData("build/ImagePublish.Tasks.targets.buildschema.json")]
    public async Task TheReferenceIsWhatTheSourcesSay(string file)
    {
        var path = Path.Combine(Root, file);
        var expected = file.EndsWith(".md", StringComparison.Ordinal) ? Page() : EditorSchema();
        if (Environment.GetEnvironmentVariable(Update) == "1")
            await File.WriteAllTextAsync(path, expected, TestContext.Current.CancellationToken);

        var actual = File.Exists(path) ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : "";
        Assert.True(
            expected == actual.ReplaceLineEndings("\n"),
            $"{file} is out of date: run this test with {Update}=1, and commit the file."
        );
    }

    [Fact]
    public void EveryItemMetadataAndTargetIsDescribed()
    {
        Assert.All(Items(), item => Assert.NotEmpty(item.Text));
        Assert.All(Items().SelectMany(item => item.Metadata), metadata => Assert.NotEmpty(metadata.Text));
        Assert.All(Targets(), target => Assert.NotEmpty(target.Text));
    }

    private static string Page()
    {
        var text = new StringBuilder(
            $"# Reference\n\nThis page is generated from [Properties](properties.md) and from the package's props and targets "
                + $"(`ReferencePageTests`).\n\n{Editors}\n\n## Targets\n\n| Target | What it does |\n|---|---|\n"
        );
        foreach (var (name, about) in Targets())
            text.Append($"| `{name}` | {Cell(Sentence(about))} |\n");
        text.Append("\n## Properties\n\nYou can separate the entries of a list with `;`, `,` or spaces.\n");
        foreach (var (name, initial, about) in Properties())
            text.Append(
                $"\n<a id=\"{name.ToLowerInvariant()}\"></a>\n\n### {name}\n\n{Sentence(about)}\n{(initial.Length == 0 ? "" : $"\nDefault: {initial}.\n")}"
            );
        text.Append("\n## Items\n");
        foreach (var (name, about, metadata) in Items())
        {
            text.Append($"\n<a id=\"{name.ToLowerInvariant()}\"></a>\n\n### {name}\n\n{about}\n");
            if (metadata.Count > 0)
                text.Append(
                    $"\n| Metadata | Meaning "
                        + $"|\n|---|---|\n{string.Concat(metadata.Select(one => $"| `{one.Name}` | {Cell(one.Text)} |\n"))}"
                );
        }

        return text.ToString();
    }

    // As the extension MSBuild Editor of Visual Studio reads it, beside the file that it describes.
    private static string EditorSchema()
    {
        var schema = new JsonObject
        {
            ["properties"] = new JsonObject(
                Properties()
                    .Select(property =>
                        KeyValuePair.Create(
                            property.Name,
                            (JsonNode?)Described(Plain(Sentence(property.About)), TypeOf(property.Default), Plain(property.Default))
                        )
                    )
            ),
            ["items"] = new JsonObject(
                Items()
                    .Select(item =>
                        KeyValuePair.Create(
                            item.Name,
                            (JsonNode?)
                                new JsonObject
                                {
                                    ["description"] = Plain(item.Text),
                                    ["metadata"] = new JsonObject(
                                        item.Metadata.Select(one =>
                                            KeyValuePair.Create(one.Name, (JsonNode?)new JsonObject { ["description"] = Plain(one.Text) })
                                        )
                                    ),
                                }
                        )
                    )
            ),
            ["targets"] = new JsonObject(
                Targets()
                    .Select(target =>
                        KeyValuePair.Create(target.Name, (JsonNode?)new JsonObject { ["description"] = Plain(Sentence(target.Text)) })
                    )
            ),
        };
        return schema.ToJsonString(Readable) + "\n";
    }

    private static JsonObject Described(string text, string? type, string initial)
    {
        var node = new JsonObject { ["description"] = text + (initial.Length == 0 ? "" : $" Default: {initial}.") };
        if (type is not null)
            node["type"] = type;
        return node;
    }

    private static string? TypeOf(string initial) => initial.Trim('`') is "true" or "false" ? "bool" : null;

    private static IEnumerable<(string Name, string Default, string About)> Properties()
    {
        var page = File.ReadAllText(Path.Combine(Root, "docs", "properties.md")).ReplaceLineEndings("\n");
        var table = page[
            page.IndexOf("<!-- properties -->", StringComparison.Ordinal)..page.IndexOf("<!-- /properties -->", StringComparison.Ordinal)
        ];
        return Row()
            .Matches(table)
            .Select(row => (row.Groups["name"].Value, row.Groups["default"].Value.Trim(), row.Groups["about"].Value.Trim()));
    }

    private static List<(string Name, string Text, IReadOnlyList<(string Name, string Text)> Metadata)> Items() =>
        [
            .. from item in XDocument
                .Load(Path.Combine(Root, "build", "ImagePublish.Tasks.props"))
                .Descendants("ItemDefinitionGroup")
                .Elements()
            select (
                item.Name.LocalName,
                CommentBefore(item),
                (IReadOnlyList<(string, string)>)[.. item.Elements().Select(metadata => (metadata.Name.LocalName, CommentBefore(metadata)))]
            ),
        ];

    private static List<(string Name, string Text)> Targets() =>
        [
            .. from file in Directory.EnumerateFiles(Path.Combine(Root, "build")).Order(StringComparer.Ordinal)
            where Path.GetExtension(file) is ".targets" or ".props"
            where !file.Contains("multitargeting", StringComparison.Ordinal)
            from target in XDocument.Load(file).Root!.Elements("Target")
            let name = target.Attribute("Name")!.Value
            where name[0] != '_'
            orderby name
            select (name, Regex.Replace(CommentBefore(target), $"^{name}: ", "")),
        ];

    private static string CommentBefore(XElement element) =>
        element.PreviousNode is XComment comment
        || (element.PreviousNode is XText && (comment = (element.PreviousNode.PreviousNode as XComment)!) is not null)
            ? Blank().Replace(comment.Value.Replace("====", "", StringComparison.Ordinal), " ").Trim()
            : "";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Sentence(string text) =>
        text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..] + (text[^1] is '.' ? "" : ".");

    private static string Plain(string markdown) =>
        Link().Replace(More().Replace(markdown, ""), "$1").Replace("`", "", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| `(?<name>\w+)` \| (?<about>.*) \|(?<default>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();

    // Says nothing where there are no links.
    [GeneratedRegex(@"(?<=\.) \[More\]\([^)]*\)\.?")]
    private static partial Regex More();
}

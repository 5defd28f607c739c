using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;

namespace ImagePublish.Tests;

/// <summary>
/// What projects, scripts and CI systems rely on by name: properties, items and their metadata, targets, what targets return, codes, and
/// the fields of JSON files. <c>surface.txt</c> lists it. What is new is added to the list by <c>IMAGEPUBLISH_UPDATE_DOCS=1</c>; what
/// disappears breaks somebody's build, and only a person may take it off the list.
/// </summary>
public sealed partial class SurfaceTests
{
    private static readonly string Baseline = Path.Combine(RepositoryRoot.Path, "tests", "ImagePublish.Tests", "surface.txt");

    private static readonly string Build = Path.Combine(RepositoryRoot.Path, "build");

    [Fact]
    public void NothingDisappears()
    {
        var known = File.Exists(Baseline) ? File.ReadAllLines(Baseline) : [];
        var present = Present().Order(StringComparer.Ordinal).Distinct().ToList();
        if (Environment.GetEnvironmentVariable("IMAGEPUBLISH_UPDATE_DOCS") == "1")
            File.WriteAllLines(Baseline, known = [.. known.Union(present).Order(StringComparer.Ordinal)]);

        Assert.Empty(known.Except(present));
        Assert.Empty(present.Except(known));
    }

    private static IEnumerable<string> Present() =>
        [
            .. DiagnosticCodes.All.Select(code => $"code {code.Id}"),
            .. NamesOf("properties", "property"),
            .. NamesOf("items", "item"),
            .. Matches(PublicTarget(), "target"),
            .. Matches(PublicOutput(), "output"),
            .. Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "docs", "schemas")).SelectMany(FieldsOf),
        ];

    private static IEnumerable<string> NamesOf(string part, string kind)
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Build, "ImagePublish.Tasks.targets.buildschema.json")))!;
        foreach (var (name, description) in schema[part]!.AsObject())
        {
            yield return $"{kind} {name}";
            foreach (var (metadata, _) in description!["metadata"]?.AsObject() ?? [])
                yield return $"{kind} {name} {metadata}";
        }
    }

    private static IEnumerable<string> Matches(Regex pattern, string kind) =>
        Directory
            .EnumerateFiles(Build, "*.targets")
            .SelectMany(file => pattern.Matches(File.ReadAllText(file)))
            .Select(match => $"{kind} {match.Groups[1].Value}");

    private static IEnumerable<string> FieldsOf(string schema)
    {
        var name = Path.GetFileName(schema);
        return FieldsOf(JsonNode.Parse(File.ReadAllText(schema)), "").Select(field => $"field {name} {field}").Prepend($"schema {name}");
    }

    private static IEnumerable<string> FieldsOf(JsonNode? node, string path)
    {
        foreach (var (key, value) in node as JsonObject ?? [])
        {
            if (key == "properties")
            {
                foreach (var (field, description) in value!.AsObject())
                foreach (var one in FieldsOf(description, $"{path}.{field}").Prepend($"{path}.{field}"))
                    yield return one;
            }
            else if (key is "$defs" or "items" or "additionalProperties" || value is JsonObject)
            {
                foreach (var one in FieldsOf(value, key is "items" ? path : $"{path}/{key}"))
                    yield return one;
            }
        }
    }

    [GeneratedRegex("<Target Name=\"([A-Z]\\w*)\"")]
    private static partial Regex PublicTarget();

    [GeneratedRegex("<Output TaskParameter=\"\\w+\"\\s+(?:Item|Property)Name=\"([A-Z]\\w*)\"")]
    private static partial Regex PublicOutput();
}

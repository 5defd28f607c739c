using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

/// <summary>
/// Documents that are not what they should be: what Go writes is read, and everything else is refused in words that are not .NET's.
/// </summary>
public sealed partial class JsonReadingTests
{
    private const string Hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Descriptor = $$$"""
        {"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{Hash}}}","size":3,"urls":["https://example.org/a"],"annotations":{"a":"1"},"data":"","platform":{"os":"linux","architecture":"arm","variant":"v7","os.version":"1","os.features":["x"]},"novel":1}
        """;

    private static readonly Dictionary<string, (string Json, Func<byte[], object> Read)> Documents = new()
    {
        ["config"] = (
            $$$"""
            {"architecture":"amd64","os":"linux","os.version":"1","os.features":["x"],"variant":"v1","created":"2024","author":"a","rootfs":{"type":"layers","diff_ids":["{{{Hash}}}"]},
             "config":{"User":"0","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["a"],"Cmd":["b"],"Volumes":{"/v":{}},"WorkingDir":"/","Labels":{"a":"b"},"StopSignal":"9",
                       "Healthcheck":{"Test":["NONE"],"Interval":1,"Timeout":2,"StartPeriod":3,"StartInterval":4,"Retries":5},"OnBuild":["x"]},
             "history":[{"created":"2024","created_by":"x","author":"a","comment":"c","empty_layer":true}],"novel":{"a":1}}
            """,
            json => OciJson.ReadConfig(json)
        ),
        ["manifest"] = (
            $$"""{"schemaVersion":2,"mediaType":"m","config":{{Descriptor}},"layers":[{{Descriptor}}],"subject":{{Descriptor}},"annotations":{"k":"v"},"novel":true}""",
            json => OciJson.ReadManifest(json)
        ),
        ["index"] = (
            $$"""{"schemaVersion":2,"mediaType":"m","manifests":[{{Descriptor}}],"annotations":{"k":"v"},"artifactType":"t"}""",
            json => OciJson.ReadIndex(json)
        ),
    };

    private static readonly string[] Replacements =
    [
        "null",
        "true",
        "17",
        "1.5",
        "1e99",
        "\"text\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "{\"a\":null}",
        new string('[', 40) + new string(']', 40),
    ];

    private const string Mark = "replaced";

    [Theory]
    [InlineData(
        """{"architecture":"amd64","os":"linux","config":{"Env":null,"Entrypoint":null,"ExposedPorts":null,"Labels":null},"history":null,"rootfs":{"type":"layers","diff_ids":null}}"""
    )]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}""")]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":null}""")]
    [InlineData("""{"architecture":"amd64","os":"linux"}""")]
    [ReliabilityCase(
        "Base images",
        "a document has null instead of an empty list, as Go writes it, or lacks the list",
        "it is read as an empty list"
    )]
    public void AConfigWithoutLayersHasNone(string json)
    {
        var config = OciJson.ReadConfig(Encoding.UTF8.GetBytes(json));

        Assert.Empty(config.RootFs.DiffIds);
        Assert.Equal(("layers", "linux/amd64"), (config.RootFs.Type, config.Platform.ToString()));
    }

    [Fact]
    public void NullIsAnEmptyListOfLayersOrManifests()
    {
        Assert.Empty(OciJson.ReadManifest(Encoding.UTF8.GetBytes($$"""{"config":{{Descriptor}},"layers":null}""")).Layers);
        Assert.Empty(OciJson.ReadIndex("""{"schemaVersion":2,"manifests":null}"""u8).Manifests);
    }

    [Theory]
    [InlineData(
        "config",
        """{"config":{"Entrypoint":"/bin/sh"}}""",
        "the config's $.config.Entrypoint is the string '/bin/sh', but must be a list of strings"
    )]
    [InlineData("config", """{"config":{"Env":[1]}}""", "the config's $.config.Env[0] is the number 1, but must be a string")]
    [InlineData(
        "config",
        """{"config":{"ExposedPorts":["80/tcp"]}}""",
        "the config's $.config.ExposedPorts is a list, but must be an object"
    )]
    [InlineData("config", """{"config":{"Labels":{"a.b":[]}}}""", "the config's $.config.Labels['a.b'] is a list, but must be a string")]
    [InlineData("config", """{"config":{"Env":[null]}}""", "the config has null in a list")]
    [InlineData(
        "config",
        """{"rootfs":{"diff_ids":["sha256:12"]}}""",
        "the config's $.rootfs.diff_ids[0] is the string 'sha256:12', but must be a digest such as sha256:…"
    )]
    [InlineData(
        "config",
        """{"history":[{"empty_layer":1}]}""",
        "the config's $.history[0].empty_layer is the number 1, but must be true or false"
    )]
    [InlineData("config", """{"os":"linux","os":"windows"}""", "the config has $.os twice")]
    [InlineData("manifest", "{\"layers\":[]}", "the manifest has no $.config")]
    [InlineData("manifest", $$"""{"config":{{Descriptor}}}""", "the manifest has no $.layers")]
    [InlineData("index", """{"name":"somebody's package"}""", "the index has no $.manifests")]
    [InlineData("manifest", "[]", "the manifest's $ is a list, but must be an object")]
    [InlineData("manifest", "<html>", "the manifest is not JSON (line 1, byte 1)")]
    [InlineData("index", "{\"manifests\":[],\n", "the index is not JSON (line 2, byte 1)")]
    [InlineData(
        "index",
        """{"manifests":[{"mediaType":"m","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":1.5}]}""",
        "the index's $.manifests[0].size is the number 1.5, but must be a whole number"
    )]
    [InlineData("index", """{"manifests":[{"mediaType":null}]}""", "the index's $.manifests[0].mediaType is null, but must be a string")]
    [ReliabilityCase(
        "Base images",
        "a document of an image violates the specification",
        "one line names the document, the place in it, its value and the expected one"
    )]
    public void AProblemIsNamedInTheDocumentsOwnTerms(string document, string json, string message) =>
        Assert.Equal(message, Assert.ThrowsAny<JsonException>(() => Documents[document].Read(Encoding.UTF8.GetBytes(json))).Message);

    [Theory]
    [InlineData("config")]
    [InlineData("manifest")]
    [InlineData("index")]
    public void NoDocumentBringsTheFrameworksWordsIntoAMessage(string document)
    {
        var (json, read) = Documents[document];
        read(Encoding.UTF8.GetBytes(json));

        var messages = Spoilt(json)
            .Select(spoilt => Record.Exception(() => read(Encoding.UTF8.GetBytes(spoilt))))
            .OfType<Exception>()
            .ToList();

        Assert.True(messages.Count > 100, $"only {messages.Count} documents were refused");
        Assert.All(messages, exception => Assert.IsType<JsonException>(exception));
        Assert.All(messages, exception => Assert.DoesNotMatch(FrameworksWords(), exception.Message));
        Assert.All(messages, exception => Assert.DoesNotContain("is not what it must be", exception.Message, StringComparison.Ordinal));
    }

    // Every value replaced by every kind of value, every property left out or doubled, every place cut.
    private static IEnumerable<string> Spoilt(string json)
    {
        foreach (var number in Enumerable.Range(0, Nodes(JsonNode.Parse(json)!).Count()))
        {
            foreach (var replacement in Replacements)
                yield return Changed(json, number, node => node.ReplaceWith(Mark))
                    .Replace($"\"{Mark}\"", replacement, StringComparison.Ordinal);
            yield return Changed(json, number, node => (node.Parent as JsonObject)?.Remove(node.GetPropertyName()));
        }

        foreach (Match name in PropertyName().Matches(json))
            yield return json.Insert(name.Index, $"{name.Value}null,");
        for (var length = 0; length < json.Length; length += 7)
            yield return json[..length];
    }

    // The root can be replaced like any other value, since it is in a list here.
    private static string Changed(string json, int number, Action<JsonNode> change)
    {
        var holder = new JsonArray(JsonNode.Parse(json));
        change(Nodes(holder[0]!).ElementAt(number));
        return holder.ToJsonString()[1..^1];
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode node) =>
        node switch
        {
            JsonObject children => children.Select(child => child.Value!).SelectMany(Nodes).Prepend(node),
            JsonArray items => items.SelectMany(item => Nodes(item!)).Prepend(node),
            _ => [node],
        };

    [GeneratedRegex(
        @"System\.|ImagePublish\.|`\d|LineNumber|BytePosition|\bPath:|deserializ|constructor|nullability|JsonException|converted to",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex FrameworksWords();

    [GeneratedRegex("\"[\\w.]+\":")]
    private static partial Regex PropertyName();
}

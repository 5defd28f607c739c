using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>What an image says, as text that can be compared: one fact at a time.</summary>
public sealed class ImageFacts(JsonElement image, string mediaType, IReadOnlyList<string> tags)
{
    private readonly JsonElement config = image.GetProperty("config");

    /// <summary>An image in a registry, as its first tag has it.</summary>
    public static async Task<ImageFacts> ReadAsync(DockerRegistry registry, string repository, CancellationToken cancellationToken)
    {
        var tags = await registry.TagsAsync(repository, cancellationToken);
        var manifest = await registry.ManifestAsync(repository, tags[0], cancellationToken);
        return new ImageFacts(await registry.ConfigAsync(repository, tags[0], cancellationToken), manifest.MediaType, tags);
    }

    /// <summary>An image in an archive. skopeo reads no compressed ones.</summary>
    public static async Task<ImageFacts> ReadAsync(string archive, CancellationToken cancellationToken)
    {
        var unpacked = await new CommandLine("gzip", "--decompress", "--keep", "--force", archive).RunAsync(cancellationToken);
        archive = unpacked.ExitCode == 0 ? archive[..^".gz".Length] : archive;
        string[] inspect = ["--insecure-policy", "inspect", $"docker-archive:{archive}"];
        using var all = JsonDocument.Parse((await new CommandLine("skopeo", inspect).SucceedAsync(cancellationToken)).Output);
        using var config = JsonDocument.Parse(
            (await new CommandLine("skopeo", [.. inspect, "--config", "--raw"]).SucceedAsync(cancellationToken)).Output
        );
        return new ImageFacts(
            config.RootElement.Clone(),
            "",
            [.. all.RootElement.GetProperty("RepoTags").EnumerateArray().Select(tag => tag.GetString()!)]
        );
    }

    /// <summary>
    /// One fact: <c>tags</c>, <c>type</c>, <c>architecture</c>; a field of the config by its name; <c>Env NAME</c>, <c>Labels name</c>,
    /// <c>ExposedPorts 80/tcp</c>: one member of a field.
    /// </summary>
    public string this[string fact] =>
        fact.Split(' ', 2) switch
        {
            ["tags"] => string.Join(' ', tags),
            ["type"] => mediaType,
            ["architecture"] => image.GetProperty("architecture").GetString()!,
            ["Env", var name] => Member("Env", variable => variable.GetString()!.StartsWith(name + "=", StringComparison.Ordinal)),
            [var field, var name] => config.TryGetProperty(field, out var members)
            && members.ValueKind == JsonValueKind.Object
            && members.TryGetProperty(name, out var value)
                ? $"{name}: {Shown(value)}"
                : "",
            [var field] => config.TryGetProperty(field, out var value) ? Shown(value) : "",
            _ => throw new ArgumentException($"'{fact}' is no fact.", nameof(fact)),
        };

    private string Member(string field, Func<JsonElement, bool> isIt) =>
        config.TryGetProperty(field, out var members) ? string.Join('\n', members.EnumerateArray().Where(isIt).Select(Shown)) : "";

    // Empty and absent are the same; members of objects have no order.
    private static string Shown(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => "",
            JsonValueKind.Object => string.Join(
                '\n',
                value
                    .EnumerateObject()
                    .OrderBy(member => member.Name, StringComparer.Ordinal)
                    .Select(member => $"{member.Name}: {Shown(member.Value)}")
            ),
            JsonValueKind.Array => string.Join('\n', value.EnumerateArray().Select(Shown)),
            _ => value.ToString(),
        };
}

/// <summary>Text on its way into a project file or a Dockerfile.</summary>
public static partial class Escaped
{
    /// <summary>Everything that is ever split or quoted on the way.</summary>
    public const string Difficult = """Server=tcp:db:1433;Password="a'b" %41 =x, 🐳 naïve""";

    /// <summary>Once for MSBuild, once for XML.</summary>
    public static string ForProject(string value) =>
        System.Security.SecurityElement.Escape(
            value
                .Replace("%", "%25", StringComparison.Ordinal)
                .Replace(";", "%3B", StringComparison.Ordinal)
                .Replace("$", "%24", StringComparison.Ordinal)
        );

    public static string ForDockerfile(string value) => Special().Replace(value, match => "\\" + match.Value);

    /// <summary>An element that holds only in a build with a property <c>Kind</c>.</summary>
    public static string When(string kind, string xml)
    {
        var group =
            xml.Contains(" Include=", StringComparison.Ordinal) || xml.Contains(" Remove=", StringComparison.Ordinal)
                ? "ItemGroup"
                : "PropertyGroup";
        return $"""<{group} Condition="'$(Kind)' == '{kind}'">{xml.Replace("{difficult}", ForProject(Difficult), StringComparison.Ordinal)}</{group}>""";
    }

    [GeneratedRegex("""["\\$]""")]
    private static partial Regex Special();
}

using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>One step of a CI system that runs commands.</summary>
public sealed record CiStep(string Id, string Script, IReadOnlyDictionary<string, string> Environment);

/// <summary>What a page shows of a CI system's file: the steps with commands, and the files that the system fetches afterwards.</summary>
public sealed partial record CiRecipe(CiSystem System, IReadOnlyList<CiStep> Steps, IReadOnlyList<string> Files)
{
    private static readonly string[] FileKeys = ["path", "dotenv"];

    /// <summary>Reads YAML: GitHub's steps are called <c>run</c>, Azure's <c>script</c>, GitLab's <c>script</c> are lists.</summary>
    public static CiRecipe ParseYaml(string text)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(text);
        stream.Load(reader);
        var maps = stream.Documents[0].AllNodes.OfType<YamlMappingNode>().ToList();
        var system =
            maps.Any(map => Has(map, "run")) ? CiSystem.GitHub
            : maps.Any(map => Value(map, "script") is YamlSequenceNode) ? CiSystem.GitLab
            : maps.Any(map => Has(map, "script")) ? CiSystem.Azure
            : CiSystem.None;
        var steps =
            from map in maps
            let script = Value(map, "run") ?? Value(map, "script")
            where script is not null
            select new CiStep(Text(Value(map, "id")), Text(script), Variables(map));
        var files = from map in maps from key in FileKeys where Has(map, key) select Text(Value(map, key));
        return new CiRecipe(system, [.. steps], [.. files]);
    }

    /// <summary>Reads the shell's lines out of a Jenkins file.</summary>
    public static CiRecipe ParseGroovy(string text) =>
        new(
            CiSystem.Jenkins,
            [.. ShellStep().Matches(text).Select(step => new CiStep("", step.Groups[1].Value, new Dictionary<string, string>()))],
            []
        );

    private static Dictionary<string, string> Variables(YamlMappingNode step) =>
        Value(step, "env") is YamlMappingNode variables
            ? variables.ToDictionary(variable => Text(variable.Key), variable => Text(variable.Value))
            : [];

    private static bool Has(YamlMappingNode map, string key) => Value(map, key) is not null;

    private static YamlNode? Value(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    private static string Text(YamlNode? node) =>
        node switch
        {
            YamlScalarNode scalar => scalar.Value ?? "",
            YamlSequenceNode lines => string.Join('\n', lines.Select(Text)),
            _ => "",
        };

    [GeneratedRegex(@"sh '''\n(.*?)'''", RegexOptions.Singleline)]
    private static partial Regex ShellStep();
}

using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// Restores that need not be run: of a project whose inputs are those of its last restore, or those of another project, whose files it
/// gets. On an MSBuild server each restore starts a process of its own, and takes as long as the rest of a small publish.
/// </summary>
internal sealed partial class ProjectRestore(string workspace, string project)
{
    private static readonly ConcurrentDictionary<string, Dictionary<string, string>> Known = new();

    // What makes a restore one of this project only: other projects, its own name and folder, and files that are not in its obj.
    private static readonly string[] Own =
    [
        "ProjectReference",
        "$(MSBuildProject",
        "$(MSBuildThisFile",
        "$([",
        "Exists(",
        "ArtifactsPath",
        "ArtifactsOutput",
        "IntermediateOutputPath",
        "AssemblyName",
        "PackageId",
        "Lock",
        "Restore",
    ];

    // The image's properties, of which a restore may only read the platforms.
    private const string Unread = "(Image|Container)(?!Platforms|Runtime)";

    private readonly string folder = Path.GetDirectoryName(project)!;
    private readonly string name = Path.GetFileNameWithoutExtension(project);
    private string? last;

    private string Obj => Path.Combine(folder, "obj");

    private string Assets => Path.Combine(Obj, "project.assets.json");

    /// <summary>What the restore of a command depends on; null if it runs none.</summary>
    public string? ReadInputs(CommandLine command)
    {
        if (command.Arguments[0] is not ("publish" or "build") || command.Arguments.Contains("--no-restore"))
            return null;
        var settings = command.Arguments.Skip(1).Where(argument => !UnreadSwitch().IsMatch(argument));
        var environment = command
            .Environment.Where(variable => IsRead(variable.Key))
            .Select(variable => $"{variable.Key}={variable.Value}")
            .Order(StringComparer.Ordinal);
        var files = Files("*.props", "*.targets", "*.config", "*.lock.json", "global.json");
        var inputs = string.Join('\n', [.. settings, .. environment, .. files, ReadProject()]);
        if (inputs.Contains("ProjectReference", StringComparison.Ordinal))
            inputs += string.Concat(Files("*.*proj"));
        // The SDK restores more for a publish where a property such as PublishAot is set.
        if (PublishProperty().IsMatch(inputs))
            inputs += command.Arguments[0] == "publish";
        return Generalize(inputs);
    }

    /// <summary>Whether the project's files are what a restore with these inputs writes, if need be after copying them.</summary>
    public bool IsDone(string inputs) => (inputs == last && File.Exists(Assets)) || TryCopy(inputs);

    /// <summary>A restore with these inputs was run, or was not necessary.</summary>
    public void Complete(string? inputs)
    {
        last = inputs;
        if (inputs is null || Known.ContainsKey(inputs) || !IsShared(inputs) || !File.Exists(Assets))
            return;
        var written = Directory
            .GetFiles(Obj, $"{Path.GetFileName(project)}.nuget.*")
            .Append(Assets)
            .Append(Path.Combine(Obj, "project.nuget.cache"));
        Known.TryAdd(inputs, written.ToDictionary(Generalize, file => Generalize(File.ReadAllText(file))));
    }

    private bool TryCopy(string inputs)
    {
        if (!Known.TryGetValue(inputs, out var files))
            return false;
        Directory.CreateDirectory(Obj);
        foreach (var (file, content) in files)
        {
            // Another build of the project may be reading it.
            var whole = Path.Combine(Obj, Path.GetRandomFileName());
            File.WriteAllText(whole, Specialize(content));
            File.Move(whole, Specialize(file), overwrite: true);
        }
        return true;
    }

    private static bool IsShared(string inputs) => !Array.Exists(Own, part => inputs.Contains(part, StringComparison.Ordinal));

    // The project without what it says of images and of files to publish, unless something else in it reads that.
    private string ReadProject()
    {
        var root = XElement.Load(project);
        var unread = root.Elements()
            .Where(group => group.Name.LocalName is "PropertyGroup" or "ItemGroup")
            .Elements()
            .Where(element => UnreadElement().IsMatch(element.Name.LocalName))
            .ToList();
        unread.Remove();
        root.Elements().Where(group => !group.HasElements && group.Name.LocalName is "PropertyGroup" or "ItemGroup").Remove();
        var rest = root.ToString();
        return unread.Exists(element => Regex.IsMatch(rest, $@"[$@%]\({element.Name.LocalName}\b")) ? File.ReadAllText(project) : rest;
    }

    private IEnumerable<string> Files(params string[] patterns)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = 1,
            MatchCasing = MatchCasing.CaseInsensitive,
        };
        return patterns
            .SelectMany(pattern => Directory.EnumerateFiles(workspace, pattern, options))
            .Order(StringComparer.Ordinal)
            .Select(file => $"{file}\n{File.ReadAllText(file)}");
    }

    // Of a project's files and of what it is restored from: nothing of where it is and what it is called.
    private string Generalize(string text) =>
        Replacements.Aggregate(text, (all, one) => all.Replace(one.Own, one.General, StringComparison.Ordinal));

    private string Specialize(string text) =>
        Replacements.Reverse().Aggregate(text, (all, one) => all.Replace(one.General, one.Own, StringComparison.Ordinal));

    private (string Own, string General)[] Replacements =>
        [
            ($"/{name}{Path.GetExtension(project)}", $"/$name${Path.GetExtension(project)}"),
            ($"\"projectName\": \"{name}\"", "\"projectName\": \"$name$\""),
            ($"{folder}/", "$folder$/"),
            (workspace, "$workspace$"),
        ];

    // Variables of CI systems, and those of the package, have an underscore; properties that are set as variables have none.
    private static bool IsRead(string variable) =>
        !(variable.Contains('_', StringComparison.Ordinal) || variable.StartsWith("MSBUILD", StringComparison.Ordinal))
        || variable.StartsWith("NUGET_", StringComparison.Ordinal)
        || variable.StartsWith("DOTNET_", StringComparison.Ordinal);

    [GeneratedRegex(
        $"^({TestWorkspace.Release}$|-(t|v|m):|{BuildOutput.Log}(:|$)|-get|-p:(PublishImage=|{Unread}))",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex UnreadSwitch();

    [GeneratedRegex(@"\bPublish[A-Z]")]
    private static partial Regex PublishProperty();

    [GeneratedRegex($"^({Unread}|(None|Content|Compile)$)")]
    private static partial Regex UnreadElement();
}

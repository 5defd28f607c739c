using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Oci;

namespace ImagePublish.Tests;

/// <summary>Keeps dependencies pointing one way, by reading the code.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Source = Path.Combine(RepositoryRoot.Path, "src");

    // For the parameters of generic types and methods.
    private static readonly Type[] AnyType = [.. Enumerable.Repeat(typeof(object), 8)];

    private static readonly Lazy<Dictionary<string, HashSet<string>>> DeclaredTypes = new(FindDeclaredTypes);

    private static readonly Dictionary<string, string[]> AllowedModules = new()
    {
        ["Diagnostics"] = [],
        ["Common"] = ["Diagnostics"],
        ["Oci"] = ["Diagnostics", "Common"],
        ["Http"] = ["Diagnostics", "Common", "Oci"],
        ["Layers"] = ["Diagnostics", "Common", "Oci"],
        ["Images"] = ["Diagnostics", "Common", "Oci"],
        ["Registries"] = ["Diagnostics", "Common", "Oci", "Http"],
        ["Storage"] = ["Diagnostics", "Common", "Oci"],
        ["Trust"] = ["Diagnostics", "Common", "Oci", "Registries", "Storage"],
        ["Engines"] = ["Diagnostics", "Common", "Oci"],
        ["Deployments"] = ["Diagnostics", "Common", "Oci"],
        ["Dockerfiles"] = ["Diagnostics", "Common"],
        ["Migration"] = ["Diagnostics", "Common", "Images", "Dockerfiles"],
        ["Packages"] = ["Diagnostics", "Common", "Oci", "Layers"],
        ["Bases"] = ["Diagnostics", "Common", "Oci", "Layers", "Images", "Registries", "Storage", "Trust", "Engines"],
        ["Attachments"] = ["Diagnostics", "Common", "Oci", "Images", "Registries", "Storage", "Bases"],
        ["Signing"] = ["Diagnostics", "Common", "Oci", "Http", "Registries", "Trust", "Attachments"],
        ["Sboms"] = ["Diagnostics", "Common", "Oci", "Layers", "Images", "Packages"],
        ["Policies"] = ["Diagnostics", "Common", "Oci", "Layers"],
        ["Requests"] = ["Oci", "Trust", "Layers", "Images", "Packages", "Bases", "Attachments", "Signing", "Sboms", "Policies"],
        ["Destinations"] = ["Diagnostics", "Common", "Oci", "Registries", "Storage", "Trust", "Bases", "Attachments", "Signing"],
        ["LayerReuse"] = ["Diagnostics", "Common", "Oci", "Layers", "Images", "Registries", "Storage", "Bases", "Requests"],
        ["UpToDate"] = ["Common", "Oci", "Layers", "Images", "Storage", "Bases", "Attachments", "Requests", "Destinations", "LayerReuse"],
        ["Publishing"] =
        [
            "Diagnostics",
            "Common",
            "Oci",
            "Http",
            "Layers",
            "Images",
            "Registries",
            "Storage",
            "Trust",
            "Packages",
            "Bases",
            "Attachments",
            "Sboms",
            "Signing",
            "Policies",
            "Requests",
            "Destinations",
            "LayerReuse",
            "UpToDate",
        ],
        ["Commands"] =
        [
            "Diagnostics",
            "Common",
            "Oci",
            "Layers",
            "Images",
            "Registries",
            "Storage",
            "Trust",
            "Engines",
            "Bases",
            "Attachments",
            "Destinations",
        ],
        ["Rebasing"] =
        [
            "Diagnostics",
            "Common",
            "Oci",
            "Layers",
            "Images",
            "Registries",
            "Storage",
            "Trust",
            "Packages",
            "Bases",
            "Attachments",
            "Sboms",
            "Requests",
            "Destinations",
            "Publishing",
        ],
        ["Repositories"] =
        [
            "Diagnostics",
            "Common",
            "Oci",
            "Layers",
            "Images",
            "Registries",
            "Storage",
            "Bases",
            "Attachments",
            "Publishing",
            "Commands",
            "Rebasing",
        ],
        ["Reproducing"] =
        [
            "Diagnostics",
            "Common",
            "Oci",
            "Layers",
            "Images",
            "Storage",
            "Packages",
            "Bases",
            "Attachments",
            "Requests",
            "Publishing",
        ],
        ["Reporting"] =
        [
            "Common",
            "Oci",
            "Layers",
            "Trust",
            "Images",
            "Attachments",
            "Destinations",
            "Publishing",
            "Commands",
            "Rebasing",
            "Repositories",
            "Reproducing",
            "Dockerfiles",
            "Migration",
        ],
    };

    [Fact]
    public void EveryModuleUsesOnlyTheModulesItMay()
    {
        var uses =
            from file in CoreFiles()
            let module = ModuleOf(file)
            from Match use in ModuleUse().Matches(Code(file))
            let used = use.Groups[1].Value
            where used != module && AllowedModules.ContainsKey(used) && !AllowedModules[module].Contains(used)
            select $"{Path.GetRelativePath(Source, file)} uses {used}";

        Assert.Empty(uses.Distinct());
    }

    [Fact]
    public void EveryFolderOfTheCoreIsAKnownModule() =>
        Assert.All(CoreFiles(), file => Assert.Contains(ModuleOf(file), AllowedModules.Keys));

    [Fact]
    public void NoNamespaceUsesOneThatUsesIt()
    {
        var uses = SourceFiles()
            .SelectMany(file => UsedNamespaces(file).Select(used => (From: NamespaceOf(file), To: used)))
            .Where(use => use.From != use.To)
            .ToLookup(use => use.From, use => use.To);
        var reached = uses.ToDictionary(group => group.Key, group => Reached(group.Key, uses));

        var cycles =
            from one in reached.Keys
            from other in reached[one]
            where string.CompareOrdinal(one, other) < 0 && reached.TryGetValue(other, out var back) && back.Contains(one)
            select $"{one} and {other}";
        Assert.Empty(cycles);
    }

    [Theory]
    [InlineData(@"\bMicrosoft\.Build\b", "ImagePublish.Tasks/")]
    [InlineData(@"\bICSharpCode\.SharpZipLib\b", "ImagePublish/Common/TarHeaders.cs")]
    [InlineData(@"\bOrg\.BouncyCastle\b", "ImagePublish/Trust/Ed25519Key.cs", "ImagePublish/Signing/CosignKeyFile.cs")]
    [InlineData(@"\bSystem\.Net\.Http\b", "ImagePublish/Http/", "ImagePublish/Registries/", "ImagePublish/Engines/")]
    [InlineData(@"\bEnvironment\.GetEnvironmentVariable", "ImagePublish.Tasks/Shared/TaskEnvironment.cs")]
    [InlineData(@"\bEnvironment\.CurrentDirectory|Directory\.GetCurrentDirectory|DateTime(Offset)?\.(Utc)?Now\b", "ImagePublish.Tasks/")]
    [InlineData(@"##\w*\[|""::[a-z]", "ImagePublish.Tasks/Ci/AzureCommand.cs")]
    [InlineData(
        @"\bLog(Message|Warning|Error|CriticalMessage|CommandLine|ExternalProjectStarted|Telemetry)\w*\(|\bLog(Message|Warning|Error"
            + @"|Custom)Event\b",
        "ImagePublish.Tasks/TaskLog.cs"
    )]
    [InlineData(
        @"\bConsole\s*\.\s*(Write|Out\b|Error\b|Set\w+|Title|OpenStandard(Output|Error))|\bDebug\.(Write|Print)|\bTrace\.|\bEventSource\b",
        "ImagePublish.Tasks/Progress/ConsoleTerminal.cs"
    )]
    [InlineData(@"\bAzureCommand\b", "ImagePublish.Tasks/Ci/", "ImagePublish.Tasks/TaskLog.cs")]
    [InlineData(@"\bConsoleTerminal\(\)", "ImagePublish.Tasks/Progress/")]
    [InlineData(
        @"\bProcess\.Start\b|\bProcessStartInfo\b|\bnew Process\b",
        "ImagePublish/Common/Programs.cs",
        // The package for Aspire has no core: it starts dotnet, and nothing else.
        "ImagePublish.Aspire.Hosting/ProjectBuild.cs"
    )]
    public void WhatOneModuleIsForStaysInIt(string pattern, params string[] allowed)
    {
        var strays = SourceFiles()
            .Where(file => Regex.IsMatch(Code(file), pattern))
            .Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/'))
            .Where(file => !allowed.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)));

        Assert.Empty(strays);
    }

    // JSON by reflection takes longer to start than a publish without a change does.
    [Fact]
    public void NothingIsCalledThatNeedsReflection()
    {
        using var file = new PEReader(File.OpenRead(typeof(OciJson).Assembly.Location));
        var module = typeof(OciJson).Module;
        var calls = Enumerable
            .Range(1, file.GetMetadataReader().GetTableRowCount(TableIndex.MemberRef))
            .Select(row => module.ResolveMember(MetadataTokens.GetToken(MetadataTokens.MemberReferenceHandle(row)), AnyType, AnyType))
            .OfType<MethodBase>()
            .ToList();

        Assert.Contains(calls, call => call.DeclaringType == typeof(JsonSerializer));
        Assert.DoesNotContain(calls, call => call.IsDefined(typeof(RequiresUnreferencedCodeAttribute), inherit: false));
    }

    private static HashSet<string> Reached(string start, ILookup<string, string> uses)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(uses[start]);
        while (open.TryPop(out var next))
        {
            if (reached.Add(next))
            {
                foreach (var further in uses[next])
                    open.Push(further);
            }
        }

        return reached;
    }

    private static string NamespaceOf(string file) =>
        Path.GetRelativePath(Source, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.');

    // A name such as ImagePublish.Oci.Digest is cut down to the folder that it begins with.
    private static IEnumerable<string> UsedNamespaces(string file) =>
        FullName()
            .Matches(StringLiteral().Replace(Code(file), ""))
            .Select(match => match.Value)
            .Select(name =>
            {
                while (name.Length > 0 && !Directory.Exists(Path.Combine(Source, FolderOf(name))))
                    name = name.LastIndexOf('.') is var dot and >= 0 ? name[..dot] : "";
                return name;
            })
            .Where(name => name.Length > 0)
            .Concat(UsedParents(file))
            .Distinct();

    // The types of the namespaces around one's own need no using directive.
    private static IEnumerable<string> UsedParents(string file)
    {
        var words = Word().Matches(Code(file)).Select(match => match.Value).ToHashSet();
        var own = NamespaceOf(file);
        return DeclaredTypes
            .Value.Where(declared => own.StartsWith(declared.Key + ".", StringComparison.Ordinal) && words.Overlaps(declared.Value))
            .Select(declared => declared.Key);
    }

    private static Dictionary<string, HashSet<string>> FindDeclaredTypes() =>
        SourceFiles()
            .GroupBy(NamespaceOf)
            .ToDictionary(
                files => files.Key,
                files => files.SelectMany(file => Declaration().Matches(Code(file))).Select(match => match.Groups[1].Value).ToHashSet()
            );

    // The tasks' project is a folder of its own; everything else is below the core's.
    private static string FolderOf(string name) =>
        name.StartsWith("ImagePublish.Tasks", StringComparison.Ordinal)
            ? Path.Combine(
                "ImagePublish.Tasks",
                name["ImagePublish.Tasks".Length..].TrimStart('.').Replace('.', Path.DirectorySeparatorChar)
            )
            : name.Replace('.', Path.DirectorySeparatorChar);

    private static IEnumerable<string> CoreFiles() =>
        SourceFiles()
            .Where(file =>
                Path.GetRelativePath(Source, file).StartsWith("ImagePublish" + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            );

    private static IEnumerable<string> SourceFiles() => SourceTree.Files(Source, "*.cs");

    private static string ModuleOf(string file) =>
        Path.GetRelativePath(Path.Combine(Source, "ImagePublish"), file).Split(Path.DirectorySeparatorChar)[0];

    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"\bImagePublish\.([A-Z]\w+)")]
    private static partial Regex ModuleUse();

    [GeneratedRegex(@"\bImagePublish(\.[A-Z]\w+)+")]
    private static partial Regex FullName();

    [GeneratedRegex(@"(?m)^(?:public|internal) [^\n(=]*?\b(?:class|record struct|record|struct|enum|interface) (\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b[A-Z]\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""")]
    private static partial Regex StringLiteral();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();
}

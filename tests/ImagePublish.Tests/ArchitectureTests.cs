using System.Text.RegularExpressions;

namespace ImagePublish.Tests;

/// <summary>Keeps dependencies pointing one way, by reading the code.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Source = Path.Combine(RepositoryRoot.Path, "src");

    private static readonly Dictionary<string, string[]> AllowedModules = new()
    {
        ["Diagnostics"] = [],
        ["Common"] = ["Diagnostics"],
        ["Oci"] = ["Common", "Diagnostics"],
        ["Http"] = ["Common", "Diagnostics"],
        ["Layers"] = ["Oci", "Common", "Diagnostics"],
        ["Images"] = ["Oci", "Common", "Diagnostics"],
        ["Registries"] = ["Http", "Oci", "Common", "Diagnostics"],
        ["Storage"] = ["Oci", "Common", "Diagnostics"],
        ["Engines"] = ["Oci", "Common", "Diagnostics"],
        ["Packages"] = ["Layers", "Http", "Oci", "Common", "Diagnostics"],
        ["Bases"] = [],
        ["Destinations"] = [],
        ["LayerReuse"] = [],
        ["UpToDate"] = [],
        ["Publishing"] = [],
        ["Commands"] = [],
        ["Reporting"] = [],
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
    public void EveryFolderOfTheCoreIsAKnownModule() => Assert.All(CoreFiles(), file => Assert.Contains(ModuleOf(file), AllowedModules.Keys));

    [Theory]
    [InlineData(@"\bMicrosoft\.Build\b", "ImagePublish.Tasks/")]
    [InlineData(@"\bICSharpCode\.SharpZipLib\b", "ImagePublish/Layers/", "ImagePublish/Packages/", "ImagePublish/Storage/")]
    [InlineData(@"\bSystem\.Net\.Http\b", "ImagePublish/Http/", "ImagePublish/Registries/", "ImagePublish/Engines/")]
    [InlineData(
        @"\bEnvironment\.(GetEnvironmentVariable|CurrentDirectory)|Directory\.GetCurrentDirectory|DateTime(Offset)?\.(Utc)?Now\b",
        "ImagePublish.Tasks/"
    )]
    [InlineData(@"##\w*\[|""::[a-z]", "ImagePublish.Tasks/Ci/AzureCommand.cs")]
    [InlineData(
        @"\bLog(Message|Warning|Error|CriticalMessage|CommandLine|ExternalProjectStarted|Telemetry)\w*\(|\bLog(Message|Warning|Error|Custom)Event\b",
        "ImagePublish.Tasks/TaskLog.cs"
    )]
    [InlineData(
        @"\bConsole\s*\.\s*(Write|Out\b|Error\b|Set\w+|Title|OpenStandard(Output|Error))|\bDebug\.(Write|Print)|\bTrace\.|\bEventSource\b",
        "ImagePublish.Tasks/Progress/ConsoleTerminal.cs"
    )]
    [InlineData(@"\bAzureCommand\b", "ImagePublish.Tasks/Ci/", "ImagePublish.Tasks/TaskLog.cs")]
    [InlineData(@"\bConsoleTerminal\(\)", "ImagePublish.Tasks/Progress/")]
    [InlineData(@"\bProcess\.Start\b|\bProcessStartInfo\b|\bnew Process\b", "ImagePublish/Common/Programs.cs")]
    public void WhatOneModuleIsForStaysInIt(string pattern, params string[] allowed)
    {
        var strays = SourceFiles()
            .Where(file => Regex.IsMatch(Code(file), pattern))
            .Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/'))
            .Where(file => !allowed.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)));

        Assert.Empty(strays);
    }

    private static IEnumerable<string> CoreFiles() =>
        SourceFiles()
            .Where(file =>
                Path.GetRelativePath(Source, file).StartsWith("ImagePublish" + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            );

    private static IEnumerable<string> SourceFiles() =>
        Directory
            .EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Source, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string ModuleOf(string file) =>
        Path.GetRelativePath(Path.Combine(Source, "ImagePublish"), file).Split(Path.DirectorySeparatorChar)[0];

    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"\bImagePublish\.([A-Z]\w+)")]
    private static partial Regex ModuleUse();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();
}

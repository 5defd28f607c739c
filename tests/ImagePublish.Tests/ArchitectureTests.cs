using System.Text.RegularExpressions;

namespace ImagePublish.Tests;

/// <summary>Keeps dependencies pointing one way, by reading the code.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Source = Path.Combine(RepositoryRoot.Path, "src");

    private static readonly Dictionary<string, string[]> AllowedRooms = new()
    {
        ["Diagnostics"] = [],
        ["Oci"] = ["Diagnostics"],
        ["Layers"] = ["Oci", "Diagnostics"],
        ["Images"] = ["Oci", "Diagnostics"],
        ["Registries"] = ["Oci", "Diagnostics"],
        ["Storage"] = ["Oci", "Diagnostics"],
        ["Engines"] = ["Oci", "Diagnostics"],
        ["Packages"] = ["Oci", "Diagnostics", "Layers"],
        ["Publishing"] = ["Oci", "Diagnostics", "Layers", "Images", "Registries", "Storage", "Engines", "Packages"],
        ["Reporting"] = ["Oci", "Diagnostics", "Images", "Publishing"],
    };

    [Fact]
    public void EveryRoomUsesOnlyTheRoomsItMay()
    {
        var uses = from file in EngineFiles()
                   let room = RoomOf(file)
                   from Match use in RoomUse().Matches(Code(file))
                   let used = use.Groups[1].Value
                   where used != room && AllowedRooms.ContainsKey(used) && !AllowedRooms[room].Contains(used)
                   select $"{Path.GetRelativePath(Source, file)} uses {used}";

        Assert.Empty(uses.Distinct());
    }

    [Fact]
    public void EveryFolderOfTheEngineIsAKnownRoom() =>
        Assert.All(EngineFiles(), file => Assert.Contains(RoomOf(file), AllowedRooms.Keys));

    [Theory]
    [InlineData(@"\bMicrosoft\.Build\b", "ImagePublish.Tasks/")]
    [InlineData(@"\bICSharpCode\.SharpZipLib\b", "ImagePublish/Layers/", "ImagePublish/Packages/", "ImagePublish/Storage/")]
    [InlineData(@"\bSystem\.Net\.Http\b", "ImagePublish/Registries/", "ImagePublish/Engines/")]
    [InlineData(@"\bEnvironment\.(GetEnvironmentVariable|CurrentDirectory)|Directory\.GetCurrentDirectory|DateTime(Offset)?\.(Utc)?Now\b", "ImagePublish.Tasks/")]
    [InlineData(@"##\w*\[|""::[a-z]", "ImagePublish.Tasks/Ci/AzureCommand.cs")]
    [InlineData(@"\bLog(Message|Warning|Error|CriticalMessage|CommandLine|ExternalProjectStarted|Telemetry)\w*\(|\bLog(Message|Warning|Error|Custom)Event\b", "ImagePublish.Tasks/TaskLog.cs")]
    [InlineData(@"\bConsole\s*\.\s*(Write|Out\b|Error\b|Set\w+|Title|OpenStandard(Output|Error))|\bDebug\.(Write|Print)|\bTrace\.|\bEventSource\b", "ImagePublish.Tasks/Progress/ConsoleTerminal.cs")]
    [InlineData(@"\bAzureCommand\b", "ImagePublish.Tasks/Ci/", "ImagePublish.Tasks/TaskLog.cs")]
    [InlineData(@"\bConsoleTerminal\(\)", "ImagePublish.Tasks/Progress/")]
    [InlineData(@"\bProcess\.Start\b|\bProcessStartInfo\b|\bnew Process\b", "ImagePublish/Oci/Programs.cs")]
    public void WhatOneRoomIsForStaysInIt(string pattern, params string[] allowed)
    {
        var strays = SourceFiles()
            .Where(file => Regex.IsMatch(Code(file), pattern))
            .Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/'))
            .Where(file => !allowed.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)));

        Assert.Empty(strays);
    }

    private static IEnumerable<string> EngineFiles() =>
        SourceFiles().Where(file => Path.GetRelativePath(Source, file).StartsWith("ImagePublish" + Path.DirectorySeparatorChar, StringComparison.Ordinal));

    private static IEnumerable<string> SourceFiles() =>
        Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Source, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string RoomOf(string file) => Path.GetRelativePath(Path.Combine(Source, "ImagePublish"), file).Split(Path.DirectorySeparatorChar)[0];

    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"\bImagePublish\.([A-Z]\w+)")]
    private static partial Regex RoomUse();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();
}

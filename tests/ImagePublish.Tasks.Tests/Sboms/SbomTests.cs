using System.Security.Cryptography;
using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Sboms;

/// <summary>Bills of materials of whole builds, compared with the images that a registry has, and read by other programs.</summary>
public sealed class SbomTests(Peers peers)
{
    private const string Json = "Newtonsoft.Json 13.0.4";
    private const string Validation = "FluentValidation 12.2.0";
    private const string Project = "Lib 2.5.0";
    private const string Runtime = "Microsoft.NETCore.App.Runtime.linux-x64";
    private const string NativeRuntime = "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    // The app uses one package, through its library, and references another without using it.
    [Theory]
    [InlineData("runtime", "--no-self-contained", Json, Validation, Project, Runtime)]
    [InlineData("runtime-deps", "--self-contained", Json, Validation, Project, Runtime)]
    [InlineData("runtime-deps", "--self-contained -p:PublishSingleFile=true", Json, Validation, Project, Runtime)]
    [InlineData("runtime-deps", "--self-contained -p:PublishTrimmed=true", Json, Project, Runtime)]
    [InlineData("runtime-deps", "-p:PublishAot=true", Json, Project, NativeRuntime)]
    [ReliabilityCase(
        "Files",
        "an app that is trimmed, one file or native, with an SBOM",
        "every file of the image is listed and belongs to a component, and every package of which something is left"
    )]
    public async Task EveryFileOfTheImageIsListedAndNoOther(string baseName, string kind, params string[] parts)
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = CreateApp(workspace);
        string[] switches = [.. Switches.For(registry, "sbom/kinds", baseName), "-r", "linux-x64", .. kind.Split(' ')];

        var build = (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbom=Spdx"])).EnsureSuccess();

        var document = Read(Path.Combine(project.Folder, "bin/Release/net10.0/linux-x64/App.spdx.json"));
        Assert.Equal(await FilesAsync(workspace, registry, build.Digest), FilesOf(document));
        Assert.All(OwnersOf(document), owners => Assert.Single(owners));
        Assert.Equal(
            parts.Order(StringComparer.Ordinal),
            document
                .GetProperty("packages")
                .EnumerateArray()
                .Where(package => Text(package, "SPDXID").Split('-')[1] is "Package" or "Project" or "Runtime")
                .Select(package =>
                    Text(package, "name").StartsWith("Microsoft.", StringComparison.Ordinal) ? Text(package, "name") : NameOf(package)
                )
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task TheirOwnLibrariesReadBothForms()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = CreateApp(workspace);
        var switches = Switches.For(registry, "sbom/forms");

        (
            await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbom=Spdx", $"-p:ImageSbomFile={workspace["a.spdx.json"]}"])
        ).EnsureSuccess();
        (
            await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbom=CycloneDx", $"-p:ImageSbomFile={workspace["a.cdx.json"]}"])
        ).EnsureSuccess();

        var readers = await ReadersAsync(workspace);
        await Node(readers, workspace["a.spdx.json"], workspace["a.cdx.json"]).SucceedAsync(Cancelled);
        // A reader that accepts everything proves nothing.
        var twin = await File.ReadAllTextAsync(workspace["a.cdx.json"], Cancelled);
        workspace.Write("twin.cdx.json", twin.Replace("\"SHA-256\"", "\"SHA-255\"", StringComparison.Ordinal));
        Assert.NotEqual(0, (await Node(readers, workspace["twin.cdx.json"]).RunAsync(Cancelled)).ExitCode);
    }

    [Fact]
    public async Task PlatformsHaveAFileEachAndThePublishFolderHasNone()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = CreateApp(workspace);
        string[] switches = [.. Switches.For(registry, "sbom/platforms"), "-p:ImageSbom=CycloneDx"];

        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageRuntimeIdentifiers=linux-x64 linux-arm64"])).EnsureSuccess();
        var refused = await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbomFile=bin/Release/net10.0/publish/app.json"]);

        string[] files =
        [
            .. Directory
                .GetFiles(Path.Combine(project.Folder, "bin/Release/net10.0"), "*.cdx.json")
                .Select(file => Path.GetFileName(file)!),
        ];
        Assert.Equal(["App.linux-arm64.cdx.json", "App.linux-x64.cdx.json"], files.Order(StringComparer.Ordinal));
        Assert.Equal("IMG1072", Assert.Single(refused.Errors).Code);
    }

    private static TestProject CreateApp(TestWorkspace workspace)
    {
        var library = workspace
            .Empty("Lib")
            .Property("TargetFramework", "net10.0")
            .Property("Version", "2.5.0")
            .PackageReference("Newtonsoft.Json", "13.0.4")
            .Content(
                "Lib.cs",
                "namespace Lib; public static class Json { public static string Of(string text) => Newtonsoft.Json.JsonConvert.ToString(text); }"
            );
        return workspace
            .Empty("App")
            .WithImagePublish()
            .Property("TargetFramework", "net10.0")
            .Property("OutputType", "Exe")
            // Newtonsoft.Json is not made for it; what is trimmed is what counts here.
            .Property("SuppressTrimAnalysisWarnings", "true")
            .PackageReference("FluentValidation", "12.2.0")
            .ProjectReference(library)
            .Content("Program.cs", "System.Console.WriteLine(Lib.Json.Of(\"hello\"));");
    }

    // What a program that knows nothing of us makes of the image.
    private static async Task<SortedDictionary<string, string>> FilesAsync(TestWorkspace workspace, DockerRegistry registry, string digest)
    {
        var layout = workspace["layout"];
        await Skopeo.CopyAsync($"docker://{registry.Host}/sbom/kinds@{digest}", $"oci:{layout}:app", Cancelled);
        await new CommandLine("umoci", "unpack", "--rootless", "--image", $"{layout}:app", workspace["bundle"]).SucceedAsync(Cancelled);
        var root = workspace["bundle/rootfs"];
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (var file in new DirectoryInfo(root).EnumerateFiles("*", options))
        {
            await using var content = file.OpenRead();
            files["./" + Path.GetRelativePath(root, file.FullName)] = Convert.ToHexStringLower(
                await SHA256.HashDataAsync(content, Cancelled)
            );
        }

        return files;
    }

    private static SortedDictionary<string, string> FilesOf(JsonElement document) =>
        new(
            document
                .GetProperty("files")
                .EnumerateArray()
                .ToDictionary(file => Text(file, "fileName"), file => Text(file.GetProperty("checksums")[1], "checksumValue")),
            StringComparer.Ordinal
        );

    private static IEnumerable<IEnumerable<string>> OwnersOf(JsonElement document)
    {
        var owners = document
            .GetProperty("relationships")
            .EnumerateArray()
            .Where(relation => Text(relation, "relationshipType") == "CONTAINS")
            .ToLookup(relation => Text(relation, "relatedSpdxElement"), relation => Text(relation, "spdxElementId"));
        return document.GetProperty("files").EnumerateArray().Select(file => owners[Text(file, "SPDXID")]);
    }

    private static Task<string> ReadersAsync(TestWorkspace workspace) =>
        NodePackages.InstallAsync("Sboms/readers", workspace["readers"], Cancelled);

    private static CommandLine Node(string readers, params string[] files) =>
        new("node", ["read.mjs", .. files]) { WorkingDirectory = readers };

    private static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.Clone();
    }

    private static string NameOf(JsonElement package) => $"{Text(package, "name")} {Text(package, "versionInfo")}";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}

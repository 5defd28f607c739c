using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>An app on a Windows base whose layers may not be distributed, published here and read entry by entry.</summary>
public sealed class WindowsTests(Peers peers)
{
    private const string ForeignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";

    // A digest that the registry does not have: whoever asks for the layer fails.
    private const string ForeignDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    // A self-relative security descriptor: revision 1, self-relative, owner and group at 20 and 36, S-1-5-32-545 twice.
    private static readonly byte[] Users =
    [
        1,
        0,
        0,
        128,
        20,
        0,
        0,
        0,
        36,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        2,
        0,
        0,
        0,
        0,
        0,
        5,
        32,
        0,
        0,
        0,
        33,
        2,
        0,
        0,
        1,
        2,
        0,
        0,
        0,
        0,
        0,
        5,
        32,
        0,
        0,
        0,
        33,
        2,
        0,
        0,
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryEntryIsWhatWindowsNeedsAndTheBaseIsPassedOnUntouched()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        Seed(registry);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Winner")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("UseAppHost", "false")
            .Property("DebugType", "none")
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepository", "windows/winner")
            .Property("ImageBase", $"{registry.Host}/windows/nanoserver:1")
            .Property("ImageRuntimeIdentifiers", "win-x64")
            .Property("ImageLayering", "Single")
            .Item("ImageFile", "settings.ini", ("TargetPath", @"C:\data\settings.ini"))
            .Item("ImageEnvironmentVariable", "WHERE", ("Value", @"C:\app;D:\"))
            .Content("Program.cs", "return;")
            .Content("settings.ini", "[a]");

        (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();

        var manifest = JsonNode.Parse(registry.Content.Manifest("windows/winner", "1.0.0")!.Bytes.Span)!;
        var layers = manifest["layers"]!.AsArray();
        Assert.Equal(
            (ForeignType, ForeignDigest, "https://example.com/windows"),
            ((string?)layers[0]!["mediaType"], (string?)layers[0]!["digest"], (string?)layers[0]!["urls"]![0])
        );
        Assert.DoesNotContain(registry.Requests.Where(request => request.Step != RegistryStep.ManifestPut), request =>
            request.Target.Contains(ForeignDigest, StringComparison.Ordinal)
        );
        AssertConfig(JsonNode.Parse(registry.Content.Blob("windows/winner", (string)manifest["config"]!["digest"]!)!)!);
        var entries = layers
            .Skip(1)
            .SelectMany(layer => Entries(registry.Content.Blob("windows/winner", (string)layer!["digest"]!)!))
            .ToList();
        Assert.Equal(
            [
                "Files/ 16",
                "Files/data/ 16",
                "Files/data/settings.ini 32",
                "Hives/ 16",
                "Files/ 16",
                "Files/app/ 16",
                "Files/app/Winner.deps.json 32",
                "Files/app/Winner.dll 32",
                "Files/app/Winner.runtimeconfig.json 32",
                "Hives/ 16",
            ],
            entries
        );
    }

    private static void AssertConfig(JsonNode config)
    {
        Assert.Equal("10.0.26100.1", (string?)config["os.version"]);
        Assert.Equal("ContainerUser", (string?)config["config"]!["User"]);
        Assert.Equal(@"C:\app", (string?)config["config"]!["WorkingDir"]);
        Assert.Equal(["dotnet", @"C:\app\Winner.dll"], config["config"]!["Entrypoint"]!.AsArray().Select(word => (string?)word));
        Assert.Equal(["Path=C:\\Windows", @"WHERE=C:\app;D:\"], config["config"]!["Env"]!.AsArray().Select(variable => (string?)variable));
        Assert.Equal(3, config["rootfs"]!["diff_ids"]!.AsArray().Count);
    }

    // Each with its attributes; that it has the right descriptor is checked on the way.
    private static List<string> Entries(byte[] blob)
    {
        using var tar = new TarReader(new GZipStream(new MemoryStream(blob), CompressionMode.Decompress));
        var entries = new List<string>();
        while (tar.GetNextEntry() is { } entry)
        {
            var attributes = Assert.IsType<PaxTarEntry>(entry).ExtendedAttributes;
            Assert.Equal(Users, Convert.FromBase64String(attributes["MSWINDOWS.rawsd"]));
            entries.Add($"{entry.Name} {attributes["MSWINDOWS.fileattr"]}");
        }

        return entries;
    }

    private static void Seed(TestRegistry registry)
    {
        var config = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["architecture"] = "amd64",
                ["os"] = "windows",
                ["os.version"] = "10.0.26100.1",
                ["config"] = new JsonObject
                {
                    ["User"] = "ContainerUser",
                    ["Env"] = new JsonArray(@"Path=C:\Windows"),
                    ["Cmd"] = new JsonArray(@"c:\windows\system32\cmd.exe"),
                },
                ["history"] = new JsonArray(new JsonObject { ["created_by"] = "Install update" }),
                ["rootfs"] = new JsonObject
                {
                    ["type"] = "layers",
                    ["diff_ids"] = new JsonArray("sha256:2222222222222222222222222222222222222222222222222222222222222222"),
                },
            }.ToJsonString()
        );
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = new JsonObject
            {
                ["mediaType"] = "application/vnd.docker.container.image.v1+json",
                ["digest"] = registry.Content.PutBlob("windows/nanoserver", config),
                ["size"] = config.Length,
            },
            ["layers"] = new JsonArray(
                new JsonObject
                {
                    ["mediaType"] = ForeignType,
                    ["digest"] = ForeignDigest,
                    ["size"] = 2_000_000_000,
                    ["urls"] = new JsonArray("https://example.com/windows"),
                }
            ),
        };
        registry.Content.PutManifest("windows/nanoserver", "1", JsonSerializer.SerializeToUtf8Bytes(manifest), ManifestType);
    }
}

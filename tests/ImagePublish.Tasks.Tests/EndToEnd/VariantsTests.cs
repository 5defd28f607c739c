using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>An image for two platforms, with two variants and separate symbols, in one publish.</summary>
public sealed class VariantsTests(Peers peers)
{
    private static readonly string[] Platforms = ["amd64", "arm64"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OnePublishMakesTheImageItsVariantsAndItsSymbols()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = App(workspace);
        string[] settings =
        [
            "-p:PublishImage=true",
            $"-p:ImageRegistry={registry.Host}",
            $"-p:ImageArchive={workspace["out/shop.tar.gz"]}",
        ];

        var output = (await project.PublishAsync(Cancelled, settings)).EnsureSuccess();

        Assert.Equal(["1.0", "1.0-debug", "latest", "latest-debug"], TagsOf(registry, "acme/shop"));
        Assert.Equal(["1.0", "latest"], TagsOf(registry, "acme/shop-migrations"));
        foreach (var architecture in Platforms)
        {
            var (layers, config) = Read(registry, "acme/shop", "1.0", architecture);
            var (debugLayers, debug) = Read(registry, "acme/shop", "1.0-debug", architecture);
            var (migrationLayers, migrations) = Read(registry, "acme/shop-migrations", "1.0", architecture);
            Assert.Equal(layers, debugLayers[..^1]);
            Assert.Equal(layers, migrationLayers[..^1]);
            Assert.NotEqual(debugLayers[^1], migrationLayers[^1]);
            Assert.Equal(("1000", "0", "1000"), (TextOf(config, "User"), TextOf(debug, "User"), TextOf(migrations, "User")));
            Assert.Equal(["dotnet", "/app/App.dll"], ListOf(config, "Entrypoint"));
            Assert.Equal(["dotnet", "/app/App.dll"], ListOf(debug, "Entrypoint"));
            Assert.Equal(["/migrations/run", "--all"], ListOf(migrations, "Entrypoint"));
            Assert.Equal(["A=1", "B=2"], VariablesOf(config));
            Assert.Equal(["A=3", "B=2"], VariablesOf(debug));
        }

        Assert.Equal(
            ["shop-debug.tar.gz", "shop-migrations.tar.gz", "shop.tar.gz"],
            Directory.GetFiles(workspace["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(["1.0", "latest"], await NamesInAsync(workspace["out/shop.tar.gz"]));
        Assert.Equal(["1.0-debug", "latest-debug"], await NamesInAsync(workspace["out/shop-debug.tar.gz"]));
        Assert.Contains("attached: symbols", output.Command.All, StringComparison.Ordinal);
        var again = (await project.PublishAsync(Cancelled, [.. settings, "--no-build"])).EnsureSuccess();
        Assert.Equal(9, again.Command.All.Split("(unchanged)").Length - 1);

        string[] pull = [$"-p:ImageSource={registry.Host}/acme/shop:1.0-debug", $"-p:ImageSymbolsFolder={workspace.Path}/symbols"];
        (await project.MSBuildAsync(Cancelled, "-t:PullImageSymbols", pull[0], pull[1])).EnsureSuccess();
        Assert.True(File.Exists(Path.Combine(workspace.Path, "symbols", "app", "App.pdb")));
    }

    private static TestProject App(TestWorkspace workspace) =>
        workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("Version", "1.0")
            .Property("ImageRepository", "acme/shop")
            .Property("ImageBase", "scratch")
            .Property("ImageDefaultPackages", "false")
            .Property("ImageDoctor", "Off")
            .Property("ImageSymbols", "Separate")
            .Property("ImageUser", "1000")
            .Property("ImageRuntimeIdentifiers", "linux-x64 linux-arm64")
            .Content("Program.cs", "return;")
            .Content("tools/sh", "#!/busybox\n")
            .Content("run", "#!/bin/sh\n")
            .Element(
                """
                <ItemGroup>
                  <ImageEnvironmentVariable Include="A" Value="1" />
                  <ImageEnvironmentVariable Include="B" Value="2" />
                  <ImageVariant Include="debug" User="0" />
                  <ImageFile Include="tools/**" TargetPath="/usr/local/bin/" Variant="debug" />
                  <ImageEnvironmentVariable Include="A" Value="3" Variant="debug" />
                  <ImageVariant Include="migrations" Repository="acme/shop-migrations" Entrypoint="/migrations/run;--all" />
                  <ImageFile Include="run" TargetPath="/migrations/" Variant="migrations" />
                </ItemGroup>
                """
            );

    // The tags by which skopeo's oci-archive: finds the image.
    private static async Task<IEnumerable<string>> NamesInAsync(string archive)
    {
        await using var gzip = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        await using var tar = new TarReader(gzip);
        while (await tar.GetNextEntryAsync(copyData: true, Cancelled) is { } entry)
        {
            if (entry.Name != "index.json")
                continue;
            using var index = await JsonDocument.ParseAsync(entry.DataStream!, cancellationToken: Cancelled);
            return
            [
                .. index
                    .RootElement.GetProperty("manifests")
                    .EnumerateArray()
                    .Select(one => one.GetProperty("annotations").GetProperty("io.containerd.image.name").GetString()!.Split(':')[^1])
                    .Order(StringComparer.Ordinal),
            ];
        }

        return [];
    }

    // Not those that list attachments.
    private static IEnumerable<string> TagsOf(TestRegistry registry, string repository) =>
        registry
            .Content.Tags(repository)
            .Keys.Where(tag => !tag.StartsWith("sha256-", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static (List<string> Layers, JsonElement Config) Read(TestRegistry registry, string repository, string tag, string architecture)
    {
        var index = Parse(registry.Content.Manifest(repository, tag)!.Bytes);
        var entry = index
            .GetProperty("manifests")
            .EnumerateArray()
            .Single(one => one.GetProperty("platform").GetProperty("architecture").GetString() == architecture);
        var manifest = Parse(registry.Content.Manifest(repository, entry.GetProperty("digest").GetString()!)!.Bytes);
        var config = registry.Content.Blob(repository, manifest.GetProperty("config").GetProperty("digest").GetString()!);
        return (
            [.. manifest.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("digest").GetString()!)],
            Parse(config).GetProperty("config")
        );
    }

    private static IEnumerable<string> VariablesOf(JsonElement config) =>
        ListOf(config, "Env").Where(variable => variable[..2] is "A=" or "B=").Order(StringComparer.Ordinal);

    private static string? TextOf(JsonElement config, string name) => config.GetProperty(name).GetString();

    private static IEnumerable<string> ListOf(JsonElement config, string name) =>
        config.GetProperty(name).EnumerateArray().Select(text => text.GetString()!);

    private static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

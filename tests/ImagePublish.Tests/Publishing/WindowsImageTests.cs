using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Testing;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Publishing;

/// <summary>An image on a Windows base whose layers may not be distributed, entry by entry.</summary>
public sealed class WindowsImageTests
{
    private const string ForeignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

    // A digest that no registry here has: whoever asks for the layer fails.
    private static readonly Digest Foreign = Digest.Compute("two gigabytes"u8);

    [Fact]
    public async Task AForeignLayerIsPassedOnUntouchedAndTheAppLiesBelowFiles()
    {
        await using var bench = await PublishingBench.StartAsync();
        SeedWindows(bench.Server);

        var image = (await bench.PublishAsync(Request(bench))).Image;

        var manifest = OciJson.ReadManifest(image.Manifest.Content.Span);
        Assert.Equal(
            (ForeignType, Foreign, 2_000_000_000L),
            (manifest.Layers[0].MediaType, manifest.Layers[0].Digest, manifest.Layers[0].Size)
        );
        Assert.Equal(["https://example.com/windows-base"], manifest.Layers[0].Urls!.Select(url => url.ToString()));
        Assert.Equal("10.0.26100.1", image.Config.OsVersion);
        Assert.Equal(@"C:\app", image.Config.Config!.WorkingDir);
        Assert.DoesNotContain(bench.Server.Requests.Where(request => request.Step != RegistryStep.ManifestPut), request =>
            request.Target.Contains(Foreign.Hex, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task EveryEntryHasWhatWindowsNeeds()
    {
        await using var bench = await PublishingBench.StartAsync();
        SeedWindows(bench.Server);
        bench.Write("extra.txt", "x");

        var image = (await bench.PublishAsync(Request(bench) with { Layering = LayeringMode.Single })).Image;

        var layer = bench.Server.Content.Blob("acme/shop", image.Layers[^1].Descriptor.Digest.Value)!;
        var entries = await LayerReader
            .ReadAsync(new MemoryStream(layer), new LayerReaderOptions(), PublishingBench.Cancel)
            .ToListAsync(PublishingBench.Cancel);
        Assert.Equal(
            [
                "Files",
                "Files/app",
                "Files/app/App.dll",
                "Files/app/Package.dll",
                "Files/app/extra.txt",
                "Files/app/wwwroot",
                "Files/app/wwwroot/site.css",
                "Hives",
            ],
            entries.Select(entry => entry.Path)
        );
    }

    [Fact]
    public async Task AnIndexTellsTheVersionOfWindows()
    {
        await using var bench = await PublishingBench.StartAsync();
        SeedWindows(bench.Server);
        var request = Request(bench);
        var image = (await bench.PublishAsync(request)).Image;

        var index = await bench.PublishAsync(
            new IndexRequest
            {
                Images = [image.IndexEntry],
                Destinations = request.Destinations,
                LocalName = "x",
                Tags = [Tag.Parse("1")],
            }
        );

        Assert.Contains("\"os.version\":\"10.0.26100.1\"", Encoding.UTF8.GetString(index.Index.Content.Span), StringComparison.Ordinal);
    }

    private static PublishRequest Request(PublishingBench bench)
    {
        var request = bench.Request("1.0");
        return request with
        {
            Base = new RegistryImage(bench.Named("windows/base").ReferenceTo(Tag.Parse("1"))),
            Spec = request.Spec with
            {
                Platform = new Platform("windows", "amd64"),
                WorkingDirectory = @"C:\app",
                Entrypoint = ["dotnet", @"C:\app\App.dll"],
                Format = ImageFormat.Docker,
            },
        };
    }

    private static void SeedWindows(TestRegistry server)
    {
        var config = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["architecture"] = "amd64",
                ["os"] = "windows",
                ["os.version"] = "10.0.26100.1",
                ["config"] = new JsonObject { ["Cmd"] = new JsonArray(@"c:\windows\system32\cmd.exe") },
                ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest.Compute("tar"u8).Value) },
            }.ToJsonString()
        );
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.Manifest(ImageFormat.Docker),
            ["config"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.Config(ImageFormat.Docker),
                ["digest"] = server.Content.PutBlob("windows/base", config),
                ["size"] = config.Length,
            },
            ["layers"] = new JsonArray(
                new JsonObject
                {
                    ["mediaType"] = ForeignType,
                    ["digest"] = Foreign.Value,
                    ["size"] = 2_000_000_000,
                    ["urls"] = new JsonArray("https://example.com/windows-base"),
                }
            ),
        };
        server.Content.PutManifest(
            "windows/base",
            "1",
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            MediaTypes.Manifest(ImageFormat.Docker)
        );
    }
}

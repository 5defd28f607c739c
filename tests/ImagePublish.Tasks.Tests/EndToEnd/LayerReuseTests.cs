using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What a real reader finds in an image whose repository has an image that lies about its layers.</summary>
public sealed class LayerReuseTests(Peers peers) : IDisposable
{
    private const string Repository = "reuse/app";

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    // podman before 5.4 does not compare an unpacked layer with its diff id: it shows what the blob contains. containerd compares, and
    // refuses an image that does not fit.
    [Fact]
    [ReliabilityCase(
        "Layer reuse",
        "someone else's image at `latest` claims another blob for the app's layer; podman and containerd pull the next release",
        "both show the right file"
    )]
    public async Task PodmanAndContainerdFindTheHonestFile()
    {
        var registry = await peers.RegistryAsync();
        var reference = await SmallBase.PushToAsync(registry, "reuse/base:1", Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            .Content("marker.txt", "honest")
            .Element("""<ItemGroup><None Include="marker.txt" CopyToPublishDirectory="Always" /></ItemGroup>""");
        string[] switches = [.. Switches.Destination(registry, Repository), $"-p:ImageBase={reference}", "-p:ImageLayering=Single"];
        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.0", $"-p:ImageStore={folder["first"]}"])).EnsureSuccess();
        await PoisonAsync(registry);

        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.1", $"-p:ImageStore={folder["second"]}"])).EnsureSuccess();

        var image = $"{registry.Host}/{Repository}:1.1";
        await PodmanAsync("pull", "--tls-verify=false", image);
        var mounted = await PodmanAsync("image", "mount", image);
        Assert.Equal("honest", await File.ReadAllTextAsync(Path.Combine(mounted.Output.Trim(), "app", "marker.txt"), Cancelled));
        await PodmanAsync("image", "unmount", "--all");

        var docker = await peers.DockerAsync();
        var view = Directory.CreateDirectory(folder["containerd"]).FullName;
        await docker.Containerd("images", "pull", "--plain-http", "--snapshotter", "native", image).SucceedAsync(Cancelled);
        await docker.Containerd("images", "mount", "--snapshotter", "native", image, view).SucceedAsync(Cancelled);
        try
        {
            Assert.Equal("honest", await File.ReadAllTextAsync(Path.Combine(view, "app", "marker.txt"), Cancelled));
        }
        finally
        {
            await docker.Containerd("images", "unmount", view).SucceedAsync(Cancelled);
        }
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("0123456789abcdef0123456789abcdef", true)]
    [InlineData("0123456789abcdef", false)]
    public void ACacheKeyIsLongOrRefused(string? secret, bool isUsable)
    {
        if (isUsable)
        {
            Assert.Equal(secret is null, CacheTrustReader.ReadKey(secret) is null);
            return;
        }

        var failure = Assert.ThrowsAny<Diagnostics.ImagePublishException>(() => CacheTrustReader.ReadKey(secret));
        Assert.Equal("IMG5010", failure.Code.Id);
        Assert.DoesNotContain(secret!, failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    // The honest config and manifest, with another blob for the app's layer.
    private static async Task PoisonAsync(DockerRegistry registry)
    {
        var honest = await registry.ManifestAsync(Repository, "1.0", Cancelled);
        var manifest = JsonNode.Parse(honest.Json.GetRawText())!.AsObject();
        var layer = manifest["layers"]!.AsArray()[^1]!;
        var mediaType = layer["mediaType"]!.GetValue<string>();
        var evil = await registry.PutBlobAsync(Repository, mediaType, Seeding.LayerOf(("app/marker.txt", "EVIL")), Cancelled);
        layer["digest"] = evil["digest"]!.DeepClone();
        layer["size"] = evil["size"]!.DeepClone();
        await registry.PutManifestAsync(Repository, "latest", manifest, Cancelled);
    }

    private Task<CommandOutput> PodmanAsync(params string[] arguments) =>
        new CommandLine(
            "podman",
            ["--root", folder["root"], "--runroot", folder["run"], "--storage-driver", "vfs", .. arguments]
        ).SucceedAsync(Cancelled);
}

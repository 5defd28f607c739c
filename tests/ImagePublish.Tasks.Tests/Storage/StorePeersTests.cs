using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Storage;

/// <summary>Our store as other tools see it.</summary>
public sealed class StorePeersTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ImageStore Store => ImageStore.Open(folder.Path, new StoreOptions());

    [Theory]
    [InlineData("shop")]
    [InlineData("acme/shop:1.0")]
    [InlineData("localhost:5000/acme/shop:1.0")]
    [InlineData("docker.io/acme/shop:1.0")]
    public async Task SkopeoReadsAndWritesTheStoreUnderEveryName(string name)
    {
        var image = PeerImage.Create("amd64", "store-one", "store-two");
        await PutAsync(image);
        await Store.SetReferenceAsync(name, image.Manifest.Descriptor, Cancelled);

        var raw = await SkopeoAsync("inspect", "--raw", $"oci:{folder.Path}:{name}");
        await SkopeoAsync("copy", $"oci:{folder.Path}:{name}", $"oci:{folder.Path}:by-skopeo/{name}");

        Assert.Equal(image.Digest, Digest.Compute(System.Text.Encoding.UTF8.GetBytes(raw.Output)));
        Assert.Equal(image.Digest, (await Store.FindReferenceAsync($"by-skopeo/{name}", Cancelled))!.Digest);
        Assert.All(await Store.ListAsync(Cancelled), stored => Assert.True(stored.IsWhole));
    }

    [Fact]
    public async Task SkopeoReadsAllPlatformsOfTheStore()
    {
        Image[] images = [PeerImage.Create("amd64", "a"), PeerImage.Create("arm64", "b")];
        foreach (var image in images)
            await PutAsync(image);
        var index = await Store.PutAsync(PeerImage.Index(images), Cancelled);
        await Store.SetReferenceAsync("acme/shop:1.0", index.Descriptor, Cancelled);

        using var target = new TemporaryFolder();
        await SkopeoAsync("copy", "--all", $"oci:{folder.Path}:acme/shop:1.0", $"oci:{target["copy"]}:acme/shop:1.0");

        var copy = ImageStore.Open(target["copy"], new StoreOptions());
        Assert.Equal(index.Descriptor.Digest, (await copy.FindReferenceAsync("acme/shop:1.0", Cancelled))!.Digest);
        Assert.Equal(2, Assert.Single(await copy.ListAsync(Cancelled)).Platforms.Count);
    }

    [Fact]
    public async Task UmociUnpacksFromTheStore()
    {
        var image = PeerImage.Create("amd64", "unpacked");
        await PutAsync(image);
        await Store.SetReferenceAsync("shop", image.Manifest.Descriptor, Cancelled);

        using var target = new TemporaryFolder();
        await new CommandLine("umoci", "unpack", "--rootless", "--image", $"{folder.Path}:shop", target["bundle"]).SucceedAsync(Cancelled);

        Assert.Equal("unpacked", await File.ReadAllTextAsync(target["bundle/rootfs/unpacked"], Cancelled));
    }

    [Fact]
    public async Task PodmanPullsFromTheStore()
    {
        // podman takes the image's name from the folder's, which must be in lower case for that.
        using var target = new TemporaryFolder();
        var lowerCase = Path.Combine(Path.GetTempPath(), $"imagepublish-store-{Guid.NewGuid():N}");
        Directory.CreateSymbolicLink(lowerCase, folder.Path);
        try
        {
            var image = PeerImage.Create("amd64", "pulled");
            await PutAsync(image);
            await Store.SetReferenceAsync("localhost:5000/acme/shop:1.0", image.Manifest.Descriptor, Cancelled);

            string[] storage = ["--root", target["root"], "--runroot", target["run"], "--storage-driver", "vfs"];
            var pulled = await new CommandLine(
                "podman",
                [.. storage, "pull", $"oci:{lowerCase}:localhost:5000/acme/shop:1.0"]
            ).SucceedAsync(Cancelled);

            Assert.Contains(image.ConfigBlob.Descriptor.Digest.Hex, pulled.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(lowerCase);
        }
    }

    public void Dispose() => folder.Dispose();

    private async Task PutAsync(Image image)
    {
        foreach (var blob in image.Layers.Select(layer => layer.Source!).Append(image.ConfigBlob).Append(image.Manifest))
            await Store.PutAsync(blob, Cancelled);
    }

    private static Task<CommandOutput> SkopeoAsync(params string[] arguments) =>
        new CommandLine("skopeo", arguments).SucceedAsync(Cancelled);
}

using ImagePublish.Oci;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Storage;

/// <summary>Archives that we write and others read, and the other way round.</summary>
public sealed class ArchivePeersTests(Peers peers) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Archive => folder["image.tar"];

    [Fact]
    public async Task DockerLoadsOurArchiveUnderAllItsNamesAndWhatItSavesWeRead()
    {
        var docker = await peers.DockerAsync();
        var image = PeerImage.Create("amd64", "docker-one", "docker-two");
        await ArchiveWriter.WriteAsync(
            [ArchiveImage.Create(image, "acme/archive:1.0", "localhost:5000/acme/archive:1.0")],
            Archive,
            Cancelled
        );

        var loaded = await docker.LoadAsync(Archive, Cancelled);
        var inspected = await docker.InspectAsync("acme/archive:1.0", Cancelled);
        await docker.Command("save", "--output", folder["saved.tar"], "acme/archive:1.0").SucceedAsync(Cancelled);
        var saved = (await ImageArchive.OpenAsync(folder["saved.tar"], Cancelled)).Find("acme/archive:1.0").Platforms.Single();

        Assert.Contains("localhost:5000/acme/archive:1.0", loaded, StringComparison.Ordinal);
        Assert.Equal(
            DiffIds(image),
            inspected.GetProperty("RootFS").GetProperty("Layers").EnumerateArray().Select(layer => layer.GetString())
        );
        AssertSameContent(image, saved);
    }

    [Fact]
    public async Task DockerLoadsOnePlatformOfOurArchiveWithSeveral()
    {
        var docker = await peers.DockerAsync();
        Image[] images = [PeerImage.Create("arm64", "arm-only"), PeerImage.Create("amd64", "amd-only")];
        await ArchiveWriter.WriteAsync(
            [new ArchiveImage(PeerImage.Index(images), images, ["acme/platforms:1.0"]) { Preferred = Platform.Parse("linux/amd64") }],
            Archive,
            Cancelled
        );

        await docker.LoadAsync(Archive, Cancelled);

        Assert.Equal("amd64", (await docker.InspectAsync("acme/platforms:1.0", Cancelled)).GetProperty("Architecture").GetString());
    }

    [Fact]
    public async Task PodmanLoadsOurArchiveUnderAllItsNamesAndWhatItSavesWeRead()
    {
        var image = PeerImage.Create("amd64", "podman-one", "podman-two");
        await ArchiveWriter.WriteAsync(
            [ArchiveImage.Create(image, "acme/archive:1.0", "localhost:5000/acme/archive:1.0")],
            Archive,
            Cancelled
        );

        await PodmanAsync("load", "--input", Archive);
        await PodmanAsync("image", "exists", "docker.io/acme/archive:1.0");
        await PodmanAsync("image", "exists", "localhost:5000/acme/archive:1.0");
        foreach (var format in (string[])["oci-archive", "docker-archive"])
        {
            await PodmanAsync("save", "--format", format, "--output", folder[format], "localhost:5000/acme/archive:1.0");
            var saved = Assert.Single((await ImageArchive.OpenAsync(folder[format], Cancelled)).Images);
            Assert.Equal(DiffIds(image), saved.Platforms.Single().Config.RootFs.DiffIds.Select(diffId => diffId.Value));
        }
    }

    [Fact]
    public async Task PodmanLoadsOurArchiveWithOneName()
    {
        await ArchiveWriter.WriteAsync(
            [ArchiveImage.Create(PeerImage.Create("amd64", "podman-single"), "acme/single:1.0")],
            Archive,
            Cancelled
        );

        var loaded = await PodmanAsync("load", "--input", Archive);

        Assert.Contains("acme/single:1.0", loaded.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("oci-archive:", "oci:")]
    [InlineData("docker-archive:", "oci:")]
    [InlineData("oci-archive:", "oci-archive:")]
    [InlineData("docker-archive:", "docker-archive:")]
    public async Task SkopeoReadsOurArchiveAsEitherKindAndWhatItWritesWeRead(string from, string to)
    {
        var image = PeerImage.Create("amd64", "skopeo-one", "skopeo-two");
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(image, "acme/archive:1.0")], Archive, Cancelled);

        await SkopeoAsync("copy", from + Archive, $"{to}{folder["copy"]}:acme/archive:1.0");
        var copy = (await ImageArchive.OpenAsync(folder["copy"], Cancelled)).Find("acme/archive:1.0").Platforms.Single();

        Assert.Equal(DiffIds(image), copy.Layers.Select(layer => layer.DiffId.Value));
        if (from == "oci-archive:")
            Assert.Equal(image.Digest, copy.Digest);
    }

    [Fact]
    public async Task SkopeoCopiesAllPlatformsOfOurArchiveWithTheirDigests()
    {
        var registry = await peers.RegistryAsync();
        Image[] images = [PeerImage.Create("amd64", "all-amd"), PeerImage.Create("arm64", "all-arm")];
        var index = PeerImage.Index(images);
        await ArchiveWriter.WriteAsync([new ArchiveImage(index, images, ["acme/all:1.0"])], Archive, Cancelled);

        await SkopeoAsync(
            "copy",
            "--all",
            "--preserve-digests",
            "--dest-tls-verify=false",
            $"oci-archive:{Archive}:acme/all:1.0",
            $"docker://{registry.Host}/acme/all:1.0"
        );
        var raw = await SkopeoAsync("inspect", "--raw", "--tls-verify=false", $"docker://{registry.Host}/acme/all:1.0");

        Assert.Equal(index.Descriptor.Digest, Digest.Compute(System.Text.Encoding.UTF8.GetBytes(raw.Output)));
    }

    public void Dispose() => folder.Dispose();

    private static void AssertSameContent(Image expected, Image actual)
    {
        Assert.Equal(expected.ConfigBlob.Descriptor.Digest, actual.ConfigBlob.Descriptor.Digest);
        Assert.Equal(DiffIds(expected), actual.Layers.Select(layer => layer.DiffId.Value));
    }

    private static IEnumerable<string> DiffIds(Image image) => image.Layers.Select(layer => layer.DiffId.Value);

    private static Task<CommandOutput> SkopeoAsync(params string[] arguments) =>
        new CommandLine("skopeo", arguments).SucceedAsync(Cancelled);

    private Task<CommandOutput> PodmanAsync(params string[] arguments) =>
        new CommandLine(
            "podman",
            ["--root", folder["root"], "--runroot", folder["run"], "--storage-driver", "vfs", .. arguments]
        ).SucceedAsync(Cancelled);
}

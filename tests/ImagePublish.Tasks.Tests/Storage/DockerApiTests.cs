using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Storage;

/// <summary>Docker by its socket: what it lacks is sent, what it has is read.</summary>
public sealed class DockerApiTests(Peers peers) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OnlyTheLayersThatDockerLacksAreSent()
    {
        var docker = await peers.DockerAsync();
        using var loader = new DockerLoader(new(AddressOf(docker)));
        var first = PeerImage.Create("amd64", "api-base", "api-one");
        var second = PeerImage.Create("amd64", "api-base", "api-two");

        var whole = await loader.LoadAsync(ArchiveImage.Create(first, "acme/api:1"), Cancelled);
        var part = await loader.LoadAsync(ArchiveImage.Create(second, "acme/api:2"), Cancelled);
        var nothing = await loader.LoadAsync(ArchiveImage.Create(second, "acme/api:3"), Cancelled);

        Assert.Contains("acme/api:1", whole.Output, StringComparison.Ordinal);
        Assert.Equal(0, whole.KnownBytes);
        Assert.Equal(first.Layers[0].Descriptor.Size, part.KnownBytes);
        Assert.Equal(second.Layers.Sum(layer => layer.Descriptor.Size), nothing.KnownBytes);
        foreach (var tag in (string[])["2", "3"])
        {
            var layers = (await docker.InspectAsync($"acme/api:{tag}", Cancelled))
                .GetProperty("RootFS")
                .GetProperty("Layers")
                .EnumerateArray();
            Assert.Equal(second.Layers.Select(layer => layer.DiffId.Value), layers.Select(layer => layer.GetString()));
        }

        // What Docker has of it is what was sent and what was not.
        await docker.Command("save", "--output", folder["saved.tar"], "acme/api:2").SucceedAsync(Cancelled);
        var saved = (await ImageArchive.OpenAsync(folder["saved.tar"], Cancelled)).Find("acme/api:2").Platforms.Single();
        Assert.Equal(second.Layers.Select(layer => layer.DiffId), saved.Layers.Select(layer => layer.DiffId));
    }

    [Fact]
    public async Task OfSeveralPlatformsDockerWithoutContainerdsStoreGetsOneAndSaysWhich()
    {
        var docker = await peers.DockerAsync();
        using var loader = new DockerLoader(new(AddressOf(docker)));
        Image[] images = [PeerImage.Create("arm64", "api-arm"), PeerImage.Create("amd64", "api-amd")];
        var index = new ArchiveImage(PeerImage.Index(images), images, ["acme/several:1"]) { Preferred = Platform.Parse("linux/amd64") };

        var several = await loader.LoadAsync(index, Cancelled);
        var one = await loader.LoadAsync(ArchiveImage.Create(images[0], "acme/several:2"), Cancelled);

        Assert.Equal("linux/amd64", several.Only?.ToString());
        Assert.Null(one.Only);
        Assert.Equal("amd64", (await docker.InspectAsync("acme/several:1", Cancelled)).GetProperty("Architecture").GetString());
    }

    [Fact]
    public async Task AnImageOfDockerIsFetchedOnceAndAgainWhenItChanges()
    {
        var docker = await peers.DockerAsync();
        var store = ImageStore.Open(folder["store"], new StoreOptions());
        var images = new EngineImages(store);
        var source = new DockerImage("acme/local-base:1", AddressOf(docker));
        var missing = await Assert.ThrowsAsync<ImagePublishException>(() => images.LoadAsync(source, Cancelled));
        Assert.Equal(DiagnosticCodes.NotInEngine, missing.Code);
        using var loader = new DockerLoader(new(AddressOf(docker)));
        var first = PeerImage.Create("amd64", "local-one");
        await loader.LoadAsync(ArchiveImage.Create(first, "acme/local-base:1"), Cancelled);

        var fetched = await images.LoadAsync(source, Cancelled);
        var again = await images.LoadAsync(source, Cancelled);

        Assert.Equal(first.Layers[0].DiffId, fetched.Platforms.Single().Layers.Single().DiffId);
        Assert.Equal(fetched.Root.Descriptor, again.Root.Descriptor);
        var second = PeerImage.Create("amd64", "local-two");
        await loader.LoadAsync(ArchiveImage.Create(second, "acme/local-base:1"), Cancelled);
        Assert.Equal(second.Layers[0].DiffId, (await images.LoadAsync(source, Cancelled)).Platforms.Single().Layers.Single().DiffId);
        Assert.True((await store.PruneAsync(new PruneOptions { Unreferenced = true, DryRun = true }, Cancelled)).TemporaryFiles == 0);
    }

    [Fact]
    public async Task ADockerThatDoesNotAnswerIsToldByItsAddress()
    {
        using var engine = new ImagePublish.Engines.DockerEngine(new DockerAddress("unix", folder["nobody.sock"]));

        var failure = await engine.TryPingAsync(Cancelled);

        Assert.Equal(DiagnosticCodes.EngineFailed, failure!.Code);
        Assert.Contains(folder["nobody.sock"], failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private static DockerAddress AddressOf(Support.DockerEngine docker) => DockerAddress.TryParse(docker.Host)!;
}

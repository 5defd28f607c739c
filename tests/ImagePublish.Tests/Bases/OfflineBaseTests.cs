using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Tests.Publishing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Bases;

/// <summary>Without a network: from the store alone.</summary>
public sealed class OfflineBaseTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImageIsTheSameWithoutAskingAnything()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Project = new() };
        var online = await bench.PublishAsync(request);
        var remote = ((RegistryImage)request.Base).Reference;
        await using (var connected = RegistryBench.For(bench.Server))
            await new ImageCopier(connected.Client, bench.Store("away")).CopyAsync(
                new CopyRequest(new RegistryImage(remote), [], remote.Repository.ToString(), [remote.Tag!]),
                Cancel
            );
        bench.Server.Requests.Clear();

        await using var offline = Offline(bench);
        var result = await bench
            .Publisher(offline.Client, "away")
            .PublishAsync(request with { Base = new OfflineImage(remote), Destinations = [] }, Cancel);
        var again = await bench
            .Publisher(offline.Client, "away")
            .PublishAsync(request with { Base = new OfflineImage(remote), Destinations = [] }, Cancel);

        Assert.Empty(bench.Server.Requests);
        Assert.Equal(online.Image.Digest, result.Image.Digest);
        Assert.Equal(0, again.Deliveries[0].Transfer.UploadedBytes);
        Assert.True((await bench.Store("away").ListAsync(Cancel)).Single(image => image.Name == "acme/shop:1.0").IsWhole);
    }

    [Theory]
    [InlineData("registry.invalid/dotnet/aspnet:10.0")]
    [InlineData("registry.invalid/dotnet/aspnet@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public async Task ABaseThatTheStoreLacksIsToldWithTheWayToGetIt(string reference)
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var offline = Offline(bench);
        var request = bench.Request("1.0") with { Base = new OfflineImage(Reference.Parse(reference)), Destinations = [] };

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.BaseNotKept, () =>
            bench.Publisher(offline.Client).PublishAsync(request, Cancel)
        );

        Assert.Contains($"-t:PullImage -p:ImageSource={reference}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NothingIsSentToARegistry()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var offline = Offline(bench);

        await RegistryBench.FailsAsync(DiagnosticCodes.NetworkNeeded, () =>
            bench.Publisher(offline.Client).PublishAsync(bench.Request("1.0"), Cancel)
        );
        await RegistryBench.FailsAsync(DiagnosticCodes.NetworkNeeded, () =>
            new ImageInspector(offline.Client, bench.Store()).InspectAsync(CommandBench.At(bench.Server, "dotnet/aspnet:10.0"), Cancel)
        );

        Assert.Empty(bench.Server.Requests);
    }

    private static RegistryBench Offline(PublishingBench bench)
    {
        bench.Server.Requests.Clear();
        var offline = RegistryBench.For(bench.Server);
        offline.Options = offline.Options with { Offline = true };
        return offline;
    }
}

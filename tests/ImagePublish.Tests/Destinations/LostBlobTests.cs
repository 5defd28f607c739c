using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Destinations;

/// <summary>A registry that has lost what it confirmed, and several manifests that find out.</summary>
public sealed class LostBlobTests
{
    private const int Rounds = 100;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Manifest",
        "several manifests at once need one blob that was confirmed and then lost",
        "it is uploaded once, and all manifests are put"
    )]
    public async Task ManifestsThatMissTheSameBlobAtOnceAreAllPut()
    {
        await using var bench = await RegistryBench.StartAsync();
        for (var round = 0; round < Rounds; round++)
        {
            var repository = bench.Named($"acme/shop{round}");
            await using var destination = new RegistryDestination(bench.Client, new SharedLocations(), repository, Cancel);
            var subject = RegistryBench.Layer(10).Descriptor;
            var manifests = Enumerable
                .Range(0, 8)
                .Select(number => AttachedManifest.Create($"application/vnd.acme.n{number}", subject, []))
                .ToList();
            var config = manifests[0].Blobs.Single();
            await destination.UploadAsync(config);
            Assert.True(bench.Server.Content.RemoveBlob(repository.Name, config.Descriptor.Digest.Value));

            await Task.WhenAll(manifests.Select(one => Task.Run(() => destination.PutManifestAsync(one.Manifest), Cancel)));

            Assert.All(manifests, one =>
                Assert.NotNull(bench.Server.Content.Manifest(repository.Name, one.Manifest.Descriptor.Digest.Value))
            );
        }
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    [ReliabilityCase(
        "Manifest",
        "a registry that denies a blob while another job uploads the same one",
        "the manifest is sent again, five times at most; no tag moves before it is accepted"
    )]
    public async Task ABlobThatIsDeniedForAMomentIsNoFailure(int times, bool isAccepted)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var error = $$"""{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown","detail":"{{Digest.Compute("{}"u8)}}"}]}""";
        var denial = new Fault(RegistryStep.ManifestPut, FaultAction.Status(400, error, "application/json")) { Times = times };
        bench.Server.Faults.Add(denial);

        var failure = await Record.ExceptionAsync(() => bench.PublishAsync(bench.Request("1.0")));

        Assert.Equal(isAccepted, failure is null);
        Assert.Equal(times, denial.Hits);
        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(put => put.Path.Split('/')[^1]);
        Assert.Equal(isAccepted, puts.Contains("1.0"));
    }
}

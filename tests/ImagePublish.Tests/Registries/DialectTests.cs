using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Every dialect that registries speak, told apart by what they do and not by their names.</summary>
public sealed class DialectTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. RegistryDialects.All.Select(dialect => dialect.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    [ReliabilityCase(
        "Dialects",
        "each of Docker Hub, ACR, ECR private and public, GHCR, Google, Harbor, GitLab, Quay, Artifactory, Nexus, distribution, zot, Gitea",
        "an image is pushed, pulled and its tags listed; no upload is orphaned"
    )]
    public async Task AnImageIsPushedAndPulled(string name)
    {
        var (bench, reference) = await BenchAsync(name);
        await using var _ = bench;
        var image = new RandomImage(layers: 3);

        await image.PushAsync(bench.Client, reference, Cancel);
        await image.PullAndCompareAsync(bench.Client, reference, Cancel);

        Assert.Equal(image.Manifest.Descriptor, await bench.Client.FindManifestAsync(reference, Cancel));
        Assert.Equal([reference.Tag!], await bench.Client.ListTagsAsync(reference.Repository, Cancel).ToListAsync(Cancel));
        bench.HasNoOpenUpload();
    }

    [Theory]
    [MemberData(nameof(Names))]
    [ReliabilityCase(
        "Dialects",
        "each of them, with a connection that is lost half-way through a layer",
        "the layer is uploaded; no upload is orphaned"
    )]
    public async Task ALayerArrivesOverALineThatBreaks(string name)
    {
        var (bench, reference) = await BenchAsync(name);
        await using var _ = bench;
        var layer = RegistryBench.Layer(20 << 20);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(3 << 20));
        bench.Fail(RegistryStep.UploadPatch, FaultAction.ResetAfterRequestBytes(3 << 20), skip: 1);

        await bench.Client.PushBlobAsync(reference.Repository, layer, Cancel);

        Assert.True(bench.Server.Content.HasBlob(reference.Repository.Name, layer.Descriptor.Digest.Value));
        bench.HasNoOpenUpload();
    }

    private static async Task<(RegistryBench Bench, Reference Reference)> BenchAsync(string name)
    {
        var dialect = RegistryDialects.Named(name);
        var bench = await RegistryBench.StartAsync(dialect.Configure);
        bench.Credential = Credential.Create(dialect.User, dialect.Password);
        return (bench, bench.Named(dialect.Repository).ReferenceTo(Tag.Parse("1.0")));
    }
}

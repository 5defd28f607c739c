using ImagePublish.Attachments;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Testing;
using ImagePublish.Tests.Sboms;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Signing;

/// <summary>What SBOM, provenance and signatures of an image cost together, and that what is spared is not missed.</summary>
public sealed class AttachmentCostTests
{
    private const string Shop = "acme/shop";

    private static readonly SigningKey Key = NewKey();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, true, "Both", 12)]
    [InlineData(true, true, "Bundle", 7)]
    [InlineData(true, false, "Both", 17)]
    [InlineData(false, true, "Both", 14)]
    [InlineData(false, false, "Both", 19)]
    [InlineData(false, false, "Bundle", 12)]
    [ReliabilityCase(
        "Signing",
        "a changed image with SBOM, provenance and signatures in both forms",
        "12 more requests with the referrers API, 14 without it; 5 more if a registry opens a session for each blob"
    )]
    public async Task ItCostsSoManyRequests(bool hasReferrers, bool takesPosts, string format, int more)
    {
        await using var bench = await StartAsync(hasReferrers);
        bench.Publishing.Server.Options.Uploads.SinglePost = takesPosts;
        var request = Complete(bench, Enum.Parse<SignatureFormat>(format));
        var without = request with { Sbom = null, Attestations = null, Signing = null };
        await bench.Publishing.PublishAsync(without);
        var plain = await CountAsync(bench, without, "2");
        await bench.Publishing.PublishAsync(request);

        var complete = await CountAsync(bench, request, "3");

        Assert.True(complete - plain == more, $"{complete - plain} instead of {more}:\n{bench.Publishing.Server.Requests}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Signing",
        "SBOM, provenance and a signature for one image",
        "one update of its list adds all of them, before a tag moves"
    )]
    public async Task OneListHasThemAll(bool hasReferrers)
    {
        await using var bench = await StartAsync(hasReferrers);

        var result = await bench.Publishing.PublishAsync(Complete(bench, SignatureFormat.Both));

        var puts = bench.Publishing.Server.Requests.Of(RegistryStep.ManifestPut).Select(one => one.Path.Split('/')[^1]).ToList();
        Assert.Equal(hasReferrers ? 0 : 1, puts.Count(name => name == ReferrersTag.NameOf(result.Image.Digest)));
        Assert.Equal("1.0", puts[^1]);
        var listed = await ListAsync(bench, result.Image.Digest);
        Assert.Equal(
            [SigstoreBundle.MediaType, AttachmentTypes.Attestation],
            listed.Select(one => one.ArtifactType).Order(StringComparer.Ordinal)
        );
        Assert.Equal([AttachmentTypes.Provenance, AttachmentTypes.Spdx], Assert.Single(result.Attached).Types);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a registry that can't be asked whether it has a blob, and an image that is signed there",
        "no second signature by the same key, and no second attestation"
    )]
    public async Task WhatMayBeThereIsLookedFor()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var request = Complete(bench, SignatureFormat.Both);
        var first = await bench.Publishing.PublishAsync(request);
        bench.Publishing.Server.Faults.Add(new Fault(RegistryStep.BlobHead, FaultAction.Status(405)) { Times = Fault.Always });

        await bench.Publishing.PublishAsync(request with { Tags = [Tag.Parse("1.0"), Tag.Parse("2.0")] }, machine: "other");

        Assert.Equal(2, (await ListAsync(bench, first.Image.Digest)).Count);
    }

    [Theory]
    [InlineData(201)]
    [InlineData(202)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(415)]
    [InlineData(503)]
    [ReliabilityCase(
        "Signing",
        "a registry that refuses a blob sent with a POST, ignores it, or confirms it without storing it",
        "the blob is sent in a session; the image is signed"
    )]
    public async Task ABlobThatWasNotTakenIsSentAgain(int status)
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var server = bench.Publishing.Server;
        var lie = FaultAction.Custom("takes nothing", (http, request, _) =>
        {
            http.Response.StatusCode = status;
            if (status == 201)
                http.Response.Headers["Docker-Content-Digest"] = Uri.UnescapeDataString(request.Query.Split("digest=")[1]);
            return Task.CompletedTask;
        });
        var fault = new Fault(RegistryStep.UploadPost, lie) { Times = Fault.Always, When = HasBlob };
        server.Faults.Add(fault);

        var result = await bench.Publishing.PublishAsync(Complete(bench, SignatureFormat.Both));

        Assert.True(fault.Hits > 0);
        Assert.Equal(2, (await ListAsync(bench, result.Image.Digest)).Count);
        Assert.Equal(0, server.Content.OpenUploadSessions);

        static bool HasBlob(RecordedRequest request) => request.Query.Contains("digest=", StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "the empty config, which existed at the last publish, is gone",
        "it is uploaded again when the registry reports it missing"
    )]
    public async Task TheConfigThatIsRememberedMayBeGone()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var request = Complete(bench, SignatureFormat.Bundle);
        await bench.Publishing.PublishAsync(request);
        Assert.True(bench.Publishing.Server.Content.RemoveBlob(Shop, Digest.Compute("{}"u8).Value));

        bench.Publishing.Write("App.dll", "app 2");
        var result = await bench.Publishing.PublishAsync(request);

        Assert.Equal(2, (await ListAsync(bench, result.Image.Digest)).Count);
    }

    private static async Task<SbomBench> StartAsync(bool hasReferrers)
    {
        var bench = await SbomBench.StartAsync();
        bench.Publishing.Server.Options.Content.Referrers = hasReferrers;
        return bench;
    }

    private static PublishRequest Complete(SbomBench bench, SignatureFormat format) =>
        bench.Request() with
        {
            Attestations = new AttestationRequest(AttestationPlacement.Referrers) { Provenance = PublishingBench.Facts },
            Signing = new SigningRequest(Key, format),
        };

    private static async Task<int> CountAsync(SbomBench bench, PublishRequest request, string content)
    {
        bench.Publishing.Write("App.dll", content);
        bench.Publishing.Server.Requests.Clear();
        await bench.Publishing.PublishAsync(request);
        return bench.Publishing.Server.Requests.Count - bench.Publishing.Moved(RegistryStep.Ping);
    }

    private static async Task<IReadOnlyList<Descriptor>> ListAsync(SbomBench bench, Digest image)
    {
        await using var reader = RegistryBench.For(bench.Publishing.Server);
        var repository = bench.Publishing.Named(Shop);
        return await reader.Client.ListReferrersAsync(repository, image, Cancel)
            ?? await ReferrersTag.ListAsync(reader.Client, repository, image, Cancel);
    }

    private static SigningKey NewKey()
    {
        using var key = TestAuthority.NewKey("P-256");
        return SigningKey.Parse("P-256", key.ExportPkcs8PrivateKeyPem(), null);
    }
}

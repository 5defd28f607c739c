using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Registries;

/// <summary>Manifests: pushed so that no doubt is left, and read so that no trick works.</summary>
public sealed class ManifestTests
{
    private const string Area = "Manifest";
    private const string Base = "Base";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(Area, "returned digest differs", "one clear error, IMG4005")]
    public async Task AnotherDigestInTheAnswerIsAnError()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestPut, FaultAction.SetHeader("Docker-Content-Digest", Digests.Empty));

        await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () =>
            new RandomImage(layers: 1).PushAsync(bench.Client, bench.Latest, Cancel)
        );
    }

    [Fact]
    public async Task ARefusalInTextThatIsNotUnicodeIsOneLineToo()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.ManifestGet,
            FaultAction.Status(403, """{"errors": [{"code": "DENIED", "message": "\ud800"}]}""", "application/json")
        );

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryDenied, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Fact]
    [ReliabilityCase(Area, "blob unknown", "a typed error names the blobs; their next push uploads them without asking")]
    public async Task AMissingBlobIsNamedAndSentAgain()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = new RandomImage(layers: 3);
        await Task.WhenAll(image.Blobs.Select(bench.PushAsync));
        var lost = image.Layers[1];
        bench.Server.Content.RemoveBlob(bench.Repository.Name, lost.Descriptor.Digest.Value);

        var missing = await Assert.ThrowsAsync<MissingBlobsException>(() =>
            bench.Client.PushManifestAsync(bench.Latest, image.Manifest, Cancel)
        );
        Assert.Equal(lost.Descriptor.Digest, Assert.Single(missing.Digests));
        // The registry still believes that it has the blob: it is sent all the same.
        bench.Fail(RegistryStep.BlobHead, FaultAction.Status(200), Fault.Always);
        Assert.Equal(BlobPushKind.Uploaded, (await bench.PushAsync(lost)).Kind);
        await bench.Client.PushManifestAsync(bench.Latest, image.Manifest, Cancel);

        Assert.Equal(image.Manifest.Descriptor.Digest.Value, bench.Server.Content.Tags(bench.Repository.Name)["latest"]);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(412)]
    [ReliabilityCase(Area, "immutable tag 409 or 412", "one clear error, IMG4010")]
    public async Task AnImmutableTagIsToldAsSuch(int status)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.ImmutableTagStatus = status);
        await new RandomImage(layers: 1, seed: 1).PushAsync(bench.Client, bench.Latest, Cancel);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.TagImmutable, () =>
            new RandomImage(layers: 1, seed: 2).PushAsync(bench.Client, bench.Latest, Cancel)
        );

        Assert.Contains(bench.Latest.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "the response to the PUT is lost", "a HEAD decides; otherwise the same PUT is sent again")]
    public async Task ALostAnswerIsDecidedByAHead()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestPut, FaultAction.ProcessThenReset());

        await new RandomImage(layers: 1).PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.Equal((1, 1), (bench.CountOf(RegistryStep.ManifestPut), bench.CountOf(RegistryStep.ManifestHead)));
    }

    [Fact]
    [ReliabilityCase(Area, "PUT reset before it arrived", "the same PUT is sent again")]
    public async Task APutThatDidNotArriveIsRepeated()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestPut, FaultAction.Reset());

        await new RandomImage(layers: 1).PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.Equal(2, bench.CountOf(RegistryStep.ManifestPut));
    }

    [Fact]
    [ReliabilityCase(Area, "an index whose child is missing", "a typed error names it")]
    public async Task AnIndexWithoutItsChildIsRefused()
    {
        await using var bench = await RegistryBench.StartAsync();
        var child = new RandomImage(layers: 1).Manifest.Descriptor with { Platform = Platform.Parse("linux/amd64") };
        var index = MemoryBlobSource.Create(
            MediaTypes.OciIndex,
            OciJson.Write(new ImageIndex([child]) { MediaType = MediaTypes.OciIndex })
        );

        var missing = await Assert.ThrowsAsync<MissingBlobsException>(() => bench.Client.PushManifestAsync(bench.Latest, index, Cancel));

        Assert.Equal(child.Digest, Assert.Single(missing.Digests));
    }

    [Fact]
    [ReliabilityCase(Base, "a response body differs from its digest", "refused, IMG4005")]
    public async Task ABodyThatIsNotItsDigestIsRefused()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.ManifestGet, FaultAction.CorruptResponse(30), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Fact]
    [ReliabilityCase(Base, "Content-Type ≠ mediaType", "refused, IMG4004")]
    public async Task AContentTypeThatContradictsTheDocumentIsRefused()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.ManifestGet, FaultAction.SetHeader("Content-Type", MediaTypes.OciIndex), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Theory]
    [InlineData(
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"layers":[]}""",
        "both kinds at once"
    )]
    [InlineData(
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"a","digest":"sha256:xyz","size":1},"layers":[]}""",
        "malformed digest"
    )]
    [InlineData(
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"a","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":-1},"layers":[]}""",
        "negative size"
    )]
    [InlineData(
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"manifests":[]}""",
        "duplicate keys"
    )]
    [InlineData("""[]""", "no object")]
    [InlineData("""{"schemaVersion":2}""", "no type")]
    [ReliabilityCase(Base, "both kinds at once, malformed digest, negative size, duplicate keys", "refused, IMG4004")]
    [InlineData("""{"schemaVersion": 2, "mediaType": "\ud800"}""", "malformed")]
    public async Task AMalformedManifestIsRefused(string json, string what)
    {
        await using var bench = await RegistryBench.StartAsync();
        var type =
            json.Contains("index", StringComparison.Ordinal) ? MediaTypes.OciIndex
            : json.Contains("config", StringComparison.Ordinal) ? MediaTypes.OciManifest
            : "application/json";
        bench.Server.Content.PutManifest(bench.Repository.Name, "latest", Encoding.UTF8.GetBytes(json), type);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        Assert.True(failure.Code == DiagnosticCodes.RegistryProtocol, $"{what}: {failure.Code} {failure.Message}");
    }

    [Fact]
    [ReliabilityCase(Base, "deeply nested JSON", "refused, IMG4004")]
    public async Task DeepJsonIsRefused()
    {
        await using var bench = await RegistryBench.StartAsync();
        var json =
            "{\"schemaVersion\":2,\"mediaType\":\""
            + MediaTypes.OciIndex
            + "\",\"manifests\":[],\"x\":"
            + new string('[', 10_000)
            + new string(']', 10_000)
            + "}";
        bench.Server.Content.PutManifest(bench.Repository.Name, "latest", Encoding.UTF8.GetBytes(json), MediaTypes.OciIndex);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Fact]
    [ReliabilityCase(Base, "byte-order mark", "skipped; the digest includes it")]
    public async Task AByteOrderMarkIsPassedOver()
    {
        await using var bench = await RegistryBench.StartAsync();
        byte[] bytes = [.. "\uFEFF"u8, .. OciJson.Write(new ImageIndex([]) { MediaType = MediaTypes.OciIndex })];
        bench.Server.Content.PutManifest(bench.Repository.Name, "latest", bytes, MediaTypes.OciIndex);

        var manifest = await bench.Client.GetManifestAsync(bench.Latest, Cancel);

        Assert.Equal(Digest.Compute(bytes), manifest.Descriptor.Digest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase(Base, "a manifest of 50 MB, or without end", "refused after 4 MiB, IMG4009")]
    public async Task AManifestWithoutEndIsRefused(bool isAnnounced)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.ManifestGet,
            isAnnounced
                ? FaultAction.Bytes(200, new byte[50 << 20], MediaTypes.OciManifest)
                : FaultAction.EndlessBody(MediaTypes.OciManifest),
            Fault.Always
        );

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws")]
    [InlineData("application/json")]
    [ReliabilityCase(Base, "schema 1", "refused, and IMG4013 gives the reason")]
    public async Task Schema1IsRefusedWithTheReason(string type)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Server.Content.PutManifest(
            bench.Repository.Name,
            "latest",
            """{"schemaVersion":1,"name":"acme/shop","tag":"latest","fsLayers":[]}"""u8,
            type
        );

        await RegistryBench.FailsAsync(DiagnosticCodes.FormatObsolete, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Fact]
    [ReliabilityCase(Base, "content that does not exist", "null if the caller allows it, otherwise IMG4006")]
    public async Task WhatIsNotThereIsNull()
    {
        await using var bench = await RegistryBench.StartAsync();

        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));
        Assert.Null(await bench.Client.TryGetManifestAsync(bench.Latest, Cancel));
        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryNotFound, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));
    }

    [Theory]
    [InlineData("Docker-Content-Digest")]
    [InlineData("Content-Type")]
    public async Task AHeadThatDoesNotSayEnoughIsFollowedByAGet(string header)
    {
        await using var bench = await BenchAsync();
        var before = await bench.Client.FindManifestAsync(bench.Latest, Cancel);
        bench.Fail(RegistryStep.ManifestHead, FaultAction.RemoveHeader(header), Fault.Always);

        Assert.Equal(before, await bench.Client.FindManifestAsync(bench.Latest, Cancel));
        Assert.Equal(1, bench.CountOf(RegistryStep.ManifestGet));
    }

    [Fact]
    public async Task ATooLargeManifestIsNotEvenSent()
    {
        await using var bench = await RegistryBench.StartAsync();
        var manifest = MemoryBlobSource.Create(MediaTypes.OciManifest, new byte[OciJson.MaxManifestSize + 1]);

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () => bench.Client.PushManifestAsync(bench.Latest, manifest, Cancel));
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task AManifestIsDeletedAndARegistryThatDoesNotDeleteSaysSo()
    {
        await using var bench = await BenchAsync();
        var found = await bench.Client.FindManifestAsync(bench.Latest, Cancel);
        var reference = bench.Repository.ReferenceTo(found!.Digest);
        bench.Server.Options.Content.DeleteManifests = false;
        await RegistryBench.FailsAsync(DiagnosticCodes.DeleteUnsupported, () => bench.Client.DeleteManifestAsync(reference, Cancel));

        bench.Server.Options.Content.DeleteManifests = true;
        await bench.Client.DeleteManifestAsync(reference, Cancel);
        await bench.Client.DeleteManifestAsync(reference, Cancel);

        Assert.Empty(bench.Server.Content.AllTags);
    }

    private static async Task<RegistryBench> BenchAsync()
    {
        var bench = await RegistryBench.StartAsync();
        new RandomImage(layers: 1).PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        return bench;
    }
}

using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Signing;
using ImagePublish.Testing;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Signing;

/// <summary>One tag has the signatures of all signers, whoever writes at the same time.</summary>
public sealed class SignatureTagWriterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Signing",
        "8 jobs on different machines sign one image at once, each with its own key, at the tag `sha256-….sig`",
        "all 8 signatures are there and valid; jobs did overwrite each other in between"
    )]
    public async Task EightSignersAtOnceLoseNothing()
    {
        await using var first = await RegistryBench.StartAsync();
        var image = await PushImageAsync(first);
        // As far away as a registry is: a tag is read, and written a moment later.
        first.Fail(RegistryStep.ManifestGet, FaultAction.Delay(TimeSpan.FromMilliseconds(20)), times: Fault.Always);
        using var start = new Barrier(8);

        var keys = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ =>
                    Task.Factory.StartNew(
                            async () =>
                            {
                                await using var job = RegistryBench.For(first.Server);
                                job.Time = TimeProvider.System;
                                var key = NewKey();
                                var signature = await TagSignature.CreateAsync(key, image, "registry.example/acme/shop:1.0", Cancel);
                                start.SignalAndWait(Cancel);
                                await new SignatureTagWriter(job.Client, job.Repository, image).AddAsync([signature], Cancel);
                                return key;
                            },
                            Cancel,
                            TaskCreationOptions.LongRunning,
                            TaskScheduler.Default
                        )
                        .Unwrap()
                )
        );

        var artifacts = await new SignatureFinder(first.Client, first.Repository)
            .FindAsync(image, form => form == SignatureForm.SimpleSigning, Cancel)
            .ToListAsync(Cancel);
        Assert.Equal(8, artifacts.Count);
        Assert.All(keys, key => Assert.Single(artifacts, artifact => IsOf(artifact, key, image)));
        var writes = first.Server.Requests.CountOf(RegistryStep.ManifestPut);
        Assert.True(writes > 8, $"The tag was written {writes} times.");
        var config = JsonNode.Parse(first.Server.Content.Blob(first.Repository.Name, Manifest(first, image).Config.Digest.Value)!)!;
        Assert.Equal(
            Manifest(first, image).Layers.Select(layer => layer.Digest.Value),
            config["rootfs"]!["diff_ids"]!.AsArray().Select(one => (string?)one)
        );
    }

    // As long as a write takes, others may be at the same, so that is how long the writer watches the tag afterwards.
    [Fact]
    public async Task TheTagOfANewImageIsReadAndWrittenAtOnce()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = await PushImageAsync(bench);
        bench.Server.Requests.Clear();

        await SignAsync(bench, image);

        var steps = bench.Server.Requests.Select(request => request.Step).SkipWhile(step => step != RegistryStep.ManifestGet);
        Assert.Equal([RegistryStep.ManifestGet, RegistryStep.ManifestPut, RegistryStep.ManifestGet], steps);
    }

    [Fact]
    public async Task WhatOthersSignedStaysAsItIs()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = await PushImageAsync(bench);
        var payload = "{}"u8.ToArray();
        var layer = new JsonObject
        {
            ["mediaType"] = SimpleSigning.LayerType,
            ["digest"] = bench.Server.Content.PutBlob(bench.Repository.Name, payload),
            ["size"] = payload.Length,
            ["annotations"] = new JsonObject
            {
                [SimpleSigning.SignatureAnnotation] = "AAAA",
                ["dev.sigstore.cosign/bundle"] = """{"Payload":{}}""",
            },
        };
        Put(bench, image, layer);

        await SignAsync(bench, image);
        await SignAsync(bench, image);

        var layers = Manifest(bench, image).Layers;
        Assert.Equal(3, layers.Count);
        Assert.Equal("""{"Payload":{}}""", layers[0].Annotations!["dev.sigstore.cosign/bundle"]);
    }

    [Fact]
    [ReliabilityCase("Signing", "the tag for signatures is an image, an index, or damaged", "IMG6024, and the tag is unchanged")]
    public async Task SomethingElseAtTheTagStays()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = await PushImageAsync(bench);
        var tag = SimpleSigning.TagOf(image).Value;
        var own = bench.Server.Content.Manifest(bench.Repository.Name, image.Value)!;
        bench.Server.Content.Tag(bench.Repository.Name, tag, own.Digest);
        await FailsAsync(own.Digest, "it is something else");

        var index = OciJson.Write(new ImageIndex([]) { MediaType = MediaTypes.OciIndex });
        await FailsAsync(bench.Server.Content.PutManifest(bench.Repository.Name, tag, index, MediaTypes.OciIndex), "it is something else");

        async Task FailsAsync(string digest, string reason)
        {
            var error = await RegistryBench.FailsAsync(DiagnosticCodes.NotSigned, () => SignAsync(bench, image));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Equal(digest, bench.Server.Content.Tags(bench.Repository.Name)[tag]);
        }
    }

    [Fact]
    [ReliabilityCase("Signing", "too many signatures at the tag", "IMG6024")]
    public async Task MoreSignaturesThanAreReadAreNotWritten()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.CheckReferences = false);
        var image = await PushImageAsync(bench);
        var layers = Enumerable
            .Range(0, SignatureFinder.MaxSignatures)
            .Select(number => new JsonObject
            {
                ["mediaType"] = SimpleSigning.LayerType,
                ["digest"] = Digest.Compute(BitConverter.GetBytes(number)).Value,
                ["size"] = 4,
            })
            .ToArray();
        Put(bench, image, layers);

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.NotSigned, () => SignAsync(bench, image));

        Assert.Contains("it would have 33 signatures, and 32 are read", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(412)]
    [ReliabilityCase(
        "Signing",
        "a registry whose tags can't be moved, and a second signer",
        "the first signature is written; the second fails with a code that names the format without a tag"
    )]
    public async Task ATagThatMayNotMoveIsExplained(int status)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.ImmutableTagStatus = status);
        var image = await PushImageAsync(bench);
        await SignAsync(bench, image);

        var error = await Assert.ThrowsAnyAsync<ImagePublishException>(() => SignAsync(bench, image));

        Assert.Contains("ImageSignatureFormat=Bundle", error.Message, StringComparison.Ordinal);
        Assert.Single(Manifest(bench, image).Layers);
    }

    private static bool IsOf(SignatureArtifact artifact, SigningKey key, Digest image)
    {
        try
        {
            artifact.ReadCosign().Verify(key.Public, image);
            return true;
        }
        catch (RefusedSignatureException)
        {
            return false;
        }
    }

    private static SigningKey NewKey()
    {
        using var key = TestAuthority.NewKey("P-256");
        return SigningKey.Parse("key", key.ExportPkcs8PrivateKeyPem(), null);
    }

    private static async Task SignAsync(RegistryBench bench, Digest image)
    {
        await using var signer = RegistryBench.For(bench.Server);
        signer.Time = TimeProvider.System;
        var signature = await TagSignature.CreateAsync(NewKey(), image, $"{bench.Repository}:1.0", Cancel);
        await new SignatureTagWriter(signer.Client, bench.Repository, image).AddAsync([signature], Cancel);
    }

    private static ImageManifest Manifest(RegistryBench bench, Digest image) =>
        OciJson.ReadManifest(bench.Server.Content.Manifest(bench.Repository.Name, SimpleSigning.TagOf(image).Value)!.Bytes.Span);

    private static void Put(RegistryBench bench, Digest image, params JsonObject[] layers)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.OciConfig,
                ["digest"] = bench.Server.Content.PutBlob(bench.Repository.Name, "{}"u8),
                ["size"] = 2,
            },
            ["layers"] = new JsonArray([.. layers]),
        };
        bench.Server.Content.PutManifest(
            bench.Repository.Name,
            SimpleSigning.TagOf(image).Value,
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            MediaTypes.OciManifest
        );
    }

    private static async Task<Digest> PushImageAsync(RegistryBench bench)
    {
        var image = new RandomImage(layers: 1);
        await image.PushAsync(bench.Client, bench.Repository.ReferenceTo(Tag.Parse("1.0")), Cancel);
        bench.Server.Requests.Clear();
        return image.Manifest.Descriptor.Digest;
    }
}

using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Publishing;

/// <summary>A base that is not signed as the project wants it is refused before anything of it is used.</summary>
public sealed class SignedBaseTests
{
    private static readonly TestAuthority Authority = new();

    private static TrustPolicy Policy { get; } = new([new CertificateRule("acme.crt", new TrustAnchors([Authority.Root]))]);

    [Fact]
    public async Task AnUnsignedBaseIsRefusedBeforeAByteOfItIsUsed()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { BaseTrust = Policy, Lock = bench.Lock() };

        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () => bench.PublishAsync(request));

        Assert.Equal(0, bench.Moved(RegistryStep.BlobHead, RegistryStep.UploadPost, RegistryStep.MountPost, RegistryStep.ManifestPut));
        // What platforms it has is in its configs.
        var layers = bench
            .Server.Content.Manifests("dotnet/aspnet")
            .Where(one => MediaTypes.IsManifest(one.MediaType))
            .SelectMany(one => OciJson.ReadManifest(one.Bytes.Span).Layers)
            .Select(layer => layer.Digest.Value)
            .ToList();
        Assert.NotEmpty(layers);
        Assert.All(bench.Server.Requests.Of(RegistryStep.BlobGet), read =>
            Assert.DoesNotContain(layers, layer => read.Path.EndsWith(layer, StringComparison.Ordinal))
        );
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
        Assert.False(File.Exists(request.Lock.File));
    }

    [Fact]
    public async Task ASignedBaseIsUsedAndItsSignerTold()
    {
        await using var bench = await PublishingBench.StartAsync();
        Sign(bench, BaseDigest(bench));

        var result = await bench.PublishAsync(bench.Request("1.0") with { BaseTrust = Policy });

        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Contains(
            $"The base image {bench.Server.Host}/dotnet/aspnet:10.0 is signed by Acme signing (Notation).",
            bench.Log.Informations
        );
    }

    // The platform's own signature is as good: the index only names it.
    [Fact]
    public async Task ASignatureOfThePlatformsImageIsEnough()
    {
        await using var bench = await PublishingBench.StartAsync();
        var index = bench.Server.Content.Manifest("dotnet/aspnet", "10.0")!;
        var platform = OciJson.ReadIndex(index.Bytes.Span).Manifests.First(one => one.Platform!.Satisfies(new Platform("linux", "amd64")));
        Sign(bench, platform.Digest.Value);

        var result = await bench.PublishAsync(bench.Request("1.0") with { BaseTrust = Policy });

        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task TheSignatureOfAnotherPlatformIsNot()
    {
        await using var bench = await PublishingBench.StartAsync();
        var index = bench.Server.Content.Manifest("dotnet/aspnet", "10.0")!;
        var other = OciJson.ReadIndex(index.Bytes.Span).Manifests.First(one => !one.Platform!.Satisfies(new Platform("linux", "amd64")));
        Sign(bench, other.Digest.Value);

        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () =>
            bench.PublishAsync(bench.Request("1.0") with { BaseTrust = Policy })
        );
    }

    [Fact]
    public async Task WhatIsVerifiedIsNotVerifiedAgain()
    {
        await using var bench = await PublishingBench.StartAsync();
        Sign(bench, BaseDigest(bench));
        var request = bench.Request("1.0") with { BaseTrust = Policy };
        await bench.PublishAsync(request);

        var unchanged = await bench.PublishAsync(request);
        Assert.True(unchanged.IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);

        bench.Write("App.dll", "app 2");
        await bench.PublishAsync(request);
        Assert.Equal(0, bench.Moved(RegistryStep.Referrers));
        Assert.Equal(2, bench.Log.Informations.Count(line => line.Contains("is signed by Acme signing", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task AStricterPolicyIsNotSkippedByAnUnchangedPublish()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));

        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () =>
            bench.PublishAsync(bench.Request("1.0") with { BaseTrust = Policy })
        );
    }

    [Fact]
    public async Task APlanRefusesToo()
    {
        await using var bench = await PublishingBench.StartAsync();

        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () => bench.PlanAsync(bench.Request("1.0") with { BaseTrust = Policy }));
    }

    // The signature is where the image is, and the policy's statement is for the name that the project has.
    [Fact]
    public async Task AMirrorHasTheSignatureOfTheOriginal()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.SeedIndex("mcr/dotnet/aspnet", "10.0");
        Sign(bench, bench.TagDigest("mcr/dotnet/aspnet", "10.0")!, "mcr/dotnet/aspnet");
        var statement = new NotationStatement("p", ["mcr.example.test/dotnet/aspnet"])
        {
            Rule = new NotationRule { Authorities = new TrustAnchors([Authority.Root]) },
        };
        var mirrored = new RegistryImage(Reference.Parse("mcr.example.test/dotnet/aspnet:10.0"))
        {
            Mirror = bench.Named("mcr/dotnet/aspnet"),
        };

        await bench.PublishAsync(
            bench.Request("1.0") with
            {
                Base = mirrored,
                BaseTrust = new TrustPolicy([new PolicyRule("trustpolicy.json", [statement])]),
            }
        );

        Assert.NotNull(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ABaseOfThisMachineIsRefusedUnlessItWasVerifiedBefore()
    {
        await using var bench = await PublishingBench.StartAsync();
        var reference = bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0"));
        await using var registry = RegistryBench.For(bench.Server);
        var copier = new ImagePublish.Commands.ImageCopier(registry.Client, bench.Store());
        var request = new ImagePublish.Commands.CopyRequest(
            new RegistryImage(reference),
            [],
            reference.Repository.ToString(),
            [reference.Tag!]
        );
        await copier.CopyAsync(request, PublishingBench.Cancel);
        var offline = bench.Request("1.0") with { Base = new OfflineImage(reference), BaseTrust = Policy, Destinations = [] };

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.SignatureUnknown, () => bench.PublishAsync(offline));
        Assert.Contains($"dotnet msbuild -t:PullImage -p:ImageSource={reference}", error.Message, StringComparison.Ordinal);
        await RegistryBench.FailsAsync(DiagnosticCodes.SignatureUnknown, () =>
            bench.PublishAsync(offline with { Base = new StoreImage($"{reference.Repository}:10.0") })
        );

        Sign(bench, BaseDigest(bench));
        await bench
            .Context(registry.Client)
            .Signatures.RequireAsync(
                Policy,
                new VerifiedSubject("image", reference) { Location = reference.Repository, Digests = [Digest.Parse(BaseDigest(bench))] },
                PublishingBench.Cancel
            );
        await bench.PublishAsync(offline);
    }

    [Fact]
    public async Task AnImageOnScratchNeedsNoSignature()
    {
        await using var bench = await PublishingBench.StartAsync();

        await bench.PublishAsync(bench.Request("1.0") with { Base = new ScratchImage(), BaseTrust = Policy });

        Assert.NotNull(bench.TagDigest("acme/shop", "1.0"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase(
        "Trust",
        "files or layers of another image that is not signed, with `ImageBaseTrust` or the item's `Trust`",
        "IMG6017 names the item and its metadata before a byte of a layer is read; signed it is used, and the signer is told"
    )]
    public async Task AnotherImageMustBeSignedToo(bool hasLayers)
    {
        await using var bench = await PublishingBench.StartAsync();
        SeedTools(bench);
        var request = bench.Request("1.0") with { OtherImages = Tools(bench, hasLayers, Policy) };

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () => bench.PublishAsync(request));

        Assert.StartsWith(hasLayers ? "ImageLayerFrom 'tools' can't be used: " : "ImageFile 'tools' can't be used: ", error.Message);
        Assert.Contains("Where this image alone may be used, set the item's metadata Trust", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, bench.Moved(RegistryStep.MountPost, RegistryStep.ManifestPut));
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));

        Sign(bench, bench.TagDigest("acme/tools", "1")!, "acme/tools");
        var result = await bench.PublishAsync(request);
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Contains($"The image {bench.Server.Host}/acme/tools:1 is signed by Acme signing (Notation).", bench.Log.Informations);
    }

    [Fact]
    [ReliabilityCase(
        "Trust",
        "two items that take from one image, of which one trusts everybody; and an unchanged publish with a new `Trust`",
        "the image must be signed as the other item wants it; the new `Trust` is looked at"
    )]
    public async Task TheStricterItemDecides()
    {
        await using var bench = await PublishingBench.StartAsync();
        SeedTools(bench);
        var (files, layers) = (Tools(bench, hasLayers: false, null), Tools(bench, hasLayers: true, Policy));
        await bench.PublishAsync(bench.Request("1.0") with { OtherImages = files });

        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () =>
            bench.PublishAsync(bench.Request("1.0") with { OtherImages = new OtherImages(files.Files, layers.Layers) })
        );
        await RegistryBench.FailsAsync(DiagnosticCodes.Unsigned, () =>
            bench.PublishAsync(bench.Request("1.0") with { OtherImages = Tools(bench, hasLayers: false, Policy) })
        );
    }

    private static void SeedTools(PublishingBench bench) =>
        bench.Server.SeedImage(
            "acme/tools",
            "1",
            [TreeLayer.Create("d 755 0:0 bin", "f 755 0:0 bin/tool tool")],
            Seeding.ConfigOf("amd64")
        );

    private static OtherImages Tools(PublishingBench bench, bool hasLayers, TrustPolicy? trust)
    {
        var image = new RegistryImage(bench.Named("acme/tools").ReferenceTo(Tag.Parse("1")));
        return hasLayers
            ? new OtherImages([], [new LayersOfImage(new ItemSource("ImageLayerFrom", "tools", null), image) { Trust = trust }])
            : new OtherImages([new FilesOfImage(new ItemSource("ImageFile", "tools", null), image, "bin") { Trust = trust }], []);
    }

    private static string BaseDigest(PublishingBench bench) => bench.TagDigest("dotnet/aspnet", "10.0")!;

    private static void Sign(PublishingBench bench, string digest, string repository = "dotnet/aspnet")
    {
        var content = bench.Server.Content;
        var envelope = NotationWriter.Write(NotationWriter.CoseType, Authority.Issue(), new NotationOptions { Digest = digest });
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/vnd.cncf.notary.signature",
            ["config"] = Descriptor("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Descriptor(NotationWriter.CoseType, envelope)),
            ["subject"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.OciIndex,
                ["digest"] = digest,
                ["size"] = 1,
            },
        };
        content.PutManifest(repository, null, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);

        JsonObject Descriptor(string mediaType, byte[] bytes) =>
            new()
            {
                ["mediaType"] = mediaType,
                ["digest"] = content.PutBlob(repository, bytes),
                ["size"] = bytes.Length,
            };
    }
}

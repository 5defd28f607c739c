using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Testing;
using ImagePublish.Tests.Storage;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Trust;

/// <summary>A registry with an image to sign, a verifier, and its store.</summary>
internal sealed class SignedBench : IAsyncDisposable
{
    public const string Name = "acme/base";

    private readonly TestStore kept = new();

    private SignedBench(RegistryBench registry)
    {
        Registry = registry;
        registry.Server.SeedIndex(Name, "1.0");
        Image = Digest.Parse(registry.Server.Content.Tags(Name)["1.0"]);
    }

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public RegistryBench Registry { get; }

    public TestRegistry Server => Registry.Server;

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The digest of the index.</summary>
    public Digest Image { get; }

    public ImageVerifier Verifier => new(Registry.Client, kept.Store, Time);

    public VerifiedSubject Subject =>
        new("base image", Registry.Named(Name).ReferenceTo(Tag.Parse("1.0"))) { Location = Registry.Named(Name), Digests = [Image] };

    public static async Task<SignedBench> StartAsync(bool hasReferrers = true) =>
        new(await RegistryBench.StartAsync(options => options.Content.Referrers = hasReferrers));

    public Task<string> RequireAsync(params TrustRule[] rules) => Verifier.RequireAsync(new TrustPolicy(rules), Subject, Cancel);

    public Task<ImagePublishException> RefusesAsync(DiagnosticCode code, params TrustRule[] rules) =>
        RegistryBench.FailsAsync(code, () => RequireAsync(rules));

    /// <summary>Attaches an artifact to the image: as a referrer, or where the registry has none, at the fallback tag.</summary>
    public string Attach(string artifactType, string layerType, byte[] content, Action<JsonObject>? change = null)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = Descriptor("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Descriptor(layerType, content)),
            ["subject"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.OciIndex,
                ["digest"] = Image.Value,
                ["size"] = 1,
            },
        };
        change?.Invoke(manifest);
        var bytes = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        var digest = Server.Content.PutManifest(Name, null, bytes, MediaTypes.OciManifest);
        if (!Server.Options.Content.Referrers)
            List(digest, bytes.Length, artifactType);
        return digest;
    }

    public string AttachNotation(string mediaType, TestSigner signer, NotationOptions? options = null) =>
        Attach(
            "application/vnd.cncf.notary.signature",
            mediaType,
            NotationWriter.Write(mediaType, signer, options ?? new NotationOptions { Digest = Image.Value })
        );

    /// <summary>Puts a signature at cosign's tag.</summary>
    public void PutCosignTag(byte[] payload, byte[] signature, params (string Name, string Value)[] annotations)
    {
        var layer = Descriptor("application/vnd.dev.cosign.simplesigning.v1+json", payload);
        var marks = new JsonObject { ["dev.cosignproject.cosign/signature"] = Convert.ToBase64String(signature) };
        foreach (var (name, value) in annotations)
            marks[name] = value;
        layer["annotations"] = marks;
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(
                MediaTypes.OciConfig,
                """{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}"""u8.ToArray()
            ),
            ["layers"] = new JsonArray(layer),
        };
        Server.Content.PutManifest(
            Name,
            $"sha256-{Image.Hex}.sig",
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            MediaTypes.OciManifest
        );
    }

    public JsonObject Descriptor(string mediaType, byte[] content) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = Server.Content.PutBlob(Name, content),
            ["size"] = content.Length,
        };

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        kept.Dispose();
    }

    private void List(string digest, int size, string artifactType)
    {
        var tag = $"sha256-{Image.Hex}";
        var list = Server.Content.Manifest(Name, tag) is { } known
            ? JsonNode.Parse(known.Bytes.Span)!.AsObject()
            : new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciIndex,
                ["manifests"] = new JsonArray(),
            };
        list["manifests"]!
            .AsArray()
            .Add(
                new JsonObject
                {
                    ["mediaType"] = MediaTypes.OciManifest,
                    ["digest"] = digest,
                    ["size"] = size,
                    ["artifactType"] = artifactType,
                }
            );
        Server.Content.PutManifest(Name, tag, Encoding.UTF8.GetBytes(list.ToJsonString()), MediaTypes.OciIndex);
    }
}

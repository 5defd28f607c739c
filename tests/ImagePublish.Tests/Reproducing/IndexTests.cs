using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Reproducing;

namespace ImagePublish.Tests.Reproducing;

/// <summary>What an index has besides the images that were built again.</summary>
public sealed class IndexTests
{
    private static readonly Digest Amd64 = Digest.Compute("amd64"u8);
    private static readonly Digest Arm64 = Digest.Compute("arm64"u8);
    private static readonly Digest Other = Digest.Compute("other"u8);
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Images = [Amd64.Value, Arm64.Value];

    [Fact]
    public void WithoutItsAttestationsItIsTheSame()
    {
        var rebuilt = Index([]);

        var note = Assert.Single(IndexExplainer.Explain(Index([Attestation(Amd64), Attestation(Arm64)]), rebuilt, Images));

        Assert.Equal(
            $"The index has 2 attestations, which a build does not make. Without, it is the same: {Digest.Compute(rebuilt)}.",
            note
        );
    }

    [Fact]
    public void ASingleImageMayBeInAnIndexForItsAttestations()
    {
        var named = Write(Entry(Amd64, "amd64"), Attestation(Amd64));

        var note = Assert.Single(IndexExplainer.Explain(named, null, [Amd64.Value]));

        Assert.Equal("The image is in an index with 1 attestation, which a build does not make. Nothing else is in it.", note);
    }

    [Theory]
    [InlineData("image", "is in it, and was not compared.")]
    [InlineData("unknown", "for unknown/unknown is in it, and was not compared.")]
    [InlineData("attestation", "is of none of its images.")]
    [InlineData("annotation", @"Its annotation com.example.note is \u001b[31m, and here nothing.")]
    public void WhatElseIsInItIsNamed(string what, string told)
    {
        var named = what switch
        {
            "image" => Index([Entry(Other, "riscv64")]),
            "unknown" => Index([Entry(Other, "unknown", "unknown")]),
            "attestation" => Index([Attestation(Other)]),
            _ => Index([], ("com.example.note", "\u001b[31m")),
        };

        var notes = IndexExplainer.Explain(named, Index([]), Images);

        Assert.EndsWith("is another in the rest.", notes[0], StringComparison.Ordinal);
        Assert.EndsWith(told, Assert.Single(notes.Skip(1)), StringComparison.Ordinal);
    }

    private static byte[] Index(JsonObject[] more, params (string Name, string Value)[] annotations)
    {
        var index = JsonNode.Parse(IndexComposer.Compose([Described(Amd64, "amd64"), Described(Arm64, "arm64")], [], []).Content.Span)!;
        foreach (var entry in more)
            index["manifests"]!.AsArray().Add(entry);
        foreach (var (name, value) in annotations)
            index["annotations"] = new JsonObject { [name] = value };
        return Encoding.UTF8.GetBytes(index.ToJsonString(Relaxed));
    }

    private static byte[] Write(params JsonObject[] entries) =>
        Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciIndex,
                ["manifests"] = new JsonArray([.. entries]),
            }.ToJsonString(Relaxed)
        );

    private static Descriptor Described(Digest digest, string architecture) =>
        new(MediaTypes.OciManifest, digest, 5) { Platform = new Platform("linux", architecture) };

    private static JsonObject Entry(Digest digest, string architecture, string os = "linux") =>
        new()
        {
            ["mediaType"] = MediaTypes.OciManifest,
            ["digest"] = digest.Value,
            ["size"] = 5,
            ["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = os },
        };

    private static JsonObject Attestation(Digest subject)
    {
        var entry = Entry(Digest.Compute(Encoding.UTF8.GetBytes("of " + subject)), "unknown", "unknown");
        entry["annotations"] = new JsonObject
        {
            ["vnd.docker.reference.digest"] = subject.Value,
            ["vnd.docker.reference.type"] = "attestation-manifest",
        };
        return entry;
    }
}

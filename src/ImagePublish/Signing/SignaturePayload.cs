using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>What is signed of an image, as cosign writes it.</summary>
internal static class SignaturePayload
{
    /// <summary>The document at the tag <c>sha256-….sig</c>.</summary>
    /// <param name="reference">The image's name there. Readers of containers/image compare it with the one that is pulled.</param>
    public static byte[] WriteSimple(Digest image, string reference) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("critical");
            json.WriteStartObject("identity");
            json.WriteString("docker-reference", reference);
            json.WriteEndObject();
            json.WriteStartObject("image");
            json.WriteString("docker-manifest-digest", image.Value);
            json.WriteEndObject();
            json.WriteString("type", SimpleSigning.CosignType);
            json.WriteEndObject();
            json.WriteNull("optional");
            json.WriteEndObject();
        });

    /// <summary>The statement by which an image is signed.</summary>
    public static Statement CreateStatement(Digest image) => Statement.Create(SigstoreBundle.SignaturePredicate, image, [null], json =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
        });

    /// <summary>A bundle, as an artifact that is attached to the image.</summary>
    public static AttachedManifest Attach(Descriptor image, string predicateType, byte[] bundle)
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [SigstoreBundle.ContentAnnotation] = "dsse-envelope",
            [SigstoreBundle.PredicateAnnotation] = predicateType,
        };
        return AttachedManifest.Create(
            SigstoreBundle.MediaType,
            image,
            [(MemoryBlobSource.Create(SigstoreBundle.MediaType, bundle), null)],
            annotations
        );
    }

    /// <summary>A bundle whose signature a key makes.</summary>
    public static async Task<byte[]> CreateBundleAsync(Signer signer, ReadOnlyMemory<byte> statement, CancellationToken cancellationToken)
    {
        var signature = await signer.SignBundleAsync(SigstoreBundle.SignedBytes(statement.Span), cancellationToken);
        var key = await signer.GetPublicKeyAsync(cancellationToken);
        return WriteBundle(statement, signature, json =>
        {
            json.WriteStartObject("publicKey");
            json.WriteString("hint", key.Hint);
            json.WriteEndObject();
        });
    }

    /// <param name="writeMaterial">Writes what the signature is verified with: properties of an object.</param>
    internal static byte[] WriteBundle(ReadOnlyMemory<byte> statement, byte[] signature, Action<Utf8JsonWriter> writeMaterial) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("mediaType", SigstoreBundle.MediaType);
            json.WriteStartObject("verificationMaterial");
            writeMaterial(json);
            json.WriteEndObject();
            json.WritePropertyName("dsseEnvelope");
            WriteEnvelope(json, statement, signature);
            json.WriteEndObject();
        });

    internal static byte[] WriteEnvelope(ReadOnlyMemory<byte> statement, byte[] signature) =>
        OciJson.Write(json => WriteEnvelope(json, statement, signature));

    private static void WriteEnvelope(Utf8JsonWriter json, ReadOnlyMemory<byte> statement, byte[] signature)
    {
        json.WriteStartObject();
        json.WriteBase64String("payload", statement.Span);
        json.WriteString("payloadType", SigstoreBundle.StatementType);
        json.WriteStartArray("signatures");
        json.WriteStartObject();
        json.WriteBase64String("sig", signature);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

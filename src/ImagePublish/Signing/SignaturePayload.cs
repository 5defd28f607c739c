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

    /// <summary>A bundle, as an artifact that is attached to the image.</summary>
    public static async Task<AttachedManifest> CreateBundleAsync(Signer signer, Descriptor image, CancellationToken cancellationToken)
    {
        var statement = Statement.Create(SigstoreBundle.SignaturePredicate, image.Digest, [null], WriteEmpty).Blob.Content;
        var signature = await signer.SignBundleAsync(SigstoreBundle.SignedBytes(statement.Span), cancellationToken);
        var key = await signer.GetPublicKeyAsync(cancellationToken);
        var bundle = WriteBundle(key.Hint, statement, signature);
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [SigstoreBundle.ContentAnnotation] = "dsse-envelope",
            [SigstoreBundle.PredicateAnnotation] = SigstoreBundle.SignaturePredicate,
        };
        return AttachedManifest.Create(
            SigstoreBundle.MediaType,
            image,
            [(MemoryBlobSource.Create(SigstoreBundle.MediaType, bundle), null)],
            annotations
        );

        static void WriteEmpty(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
    }

    private static byte[] WriteBundle(string hint, ReadOnlyMemory<byte> statement, byte[] signature) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("mediaType", SigstoreBundle.MediaType);
            json.WriteStartObject("verificationMaterial");
            json.WriteStartObject("publicKey");
            json.WriteString("hint", hint);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("dsseEnvelope");
            json.WriteBase64String("payload", statement.Span);
            json.WriteString("payloadType", SigstoreBundle.StatementType);
            json.WriteStartArray("signatures");
            json.WriteStartObject();
            json.WriteBase64String("sig", signature);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
}

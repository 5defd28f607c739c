using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Notation;

/// <summary>A Notation signature that is still to be signed. It is written here and not by .NET's COSE, since the key may be a
/// plugin's.</summary>
/// <remarks><see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md">JWS</see>,
/// <see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-cose.md">COSE</see>.</remarks>
internal abstract class UnsignedEnvelope
{
    private const string Scheme = "notary.x509";
    private const string AgentHeader = "io.cncf.notary.signingAgent";

    /// <summary>What the signature is made of.</summary>
    public abstract byte[] SignedBytes { get; }

    /// <param name="payload">What is signed, in JSON.</param>
    public static UnsignedEnvelope Create(string mediaType, byte[] payload, SignatureAlgorithm algorithm, DateTimeOffset now) =>
        mediaType == CoseEnvelope.MediaType ? new Cose(payload, algorithm, now) : new Jws(payload, algorithm, now);

    /// <summary>What is signed of an image.</summary>
    public static byte[] WritePayload(Descriptor image) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("targetArtifact");
            json.WriteString("mediaType", image.MediaType);
            json.WriteString("digest", image.Digest.Value);
            json.WriteNumber("size", image.Size);
            json.WriteEndObject();
            json.WriteEndObject();
        });

    /// <param name="stamp">The token of a time-stamp authority; null for none.</param>
    public abstract byte[] Write(byte[] signature, IReadOnlyList<X509Certificate2> chain, byte[]? stamp);

    private sealed class Jws(byte[] payload, SignatureAlgorithm algorithm, DateTimeOffset now) : UnsignedEnvelope
    {
        private readonly string protectedText = Base64Url.EncodeToString(WriteHeaders(algorithm, now));
        private readonly string payloadText = Base64Url.EncodeToString(payload);

        public override byte[] SignedBytes => Encoding.ASCII.GetBytes($"{protectedText}.{payloadText}");

        public override byte[] Write(byte[] signature, IReadOnlyList<X509Certificate2> chain, byte[]? stamp) =>
            OciJson.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("payload", payloadText);
                json.WriteString("protected", protectedText);
                json.WriteStartObject("header");
                json.WriteStartArray("x5c");
                foreach (var certificate in chain)
                    json.WriteBase64StringValue(certificate.RawData);
                json.WriteEndArray();
                if (stamp is not null)
                    json.WriteBase64String(NotationEnvelope.TimeStampHeader, stamp);
                json.WriteString(AgentHeader, Transport.UserAgent);
                json.WriteEndObject();
                json.WriteString("signature", Base64Url.EncodeToString(signature));
                json.WriteEndObject();
            });

        private static byte[] WriteHeaders(SignatureAlgorithm algorithm, DateTimeOffset now) =>
            OciJson.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("alg", algorithm.JwsName);
                json.WriteString("cty", NotationEnvelope.PayloadType);
                json.WriteStartArray("crit");
                json.WriteStringValue(NotationEnvelope.SchemeHeader);
                json.WriteEndArray();
                json.WriteString(NotationEnvelope.SchemeHeader, Scheme);
                json.WriteString(NotationEnvelope.SigningTimeHeader, Text.Rfc3339(now));
                json.WriteEndObject();
            });
    }

    // RFC 9052: COSE_Sign1 = 18([protected, unprotected, payload, signature]).
    private sealed class Cose(byte[] payload, SignatureAlgorithm algorithm, DateTimeOffset now) : UnsignedEnvelope
    {
        private const CborTag Sign1 = (CborTag)18;
        private const int Parts = 4;
        private const int CertificatesLabel = 33;

        private readonly byte[] headers = WriteHeaders(algorithm, now);

        public override byte[] SignedBytes
        {
            get
            {
                var writer = new CborWriter(CborConformanceMode.Canonical);
                writer.WriteStartArray(Parts);
                writer.WriteTextString("Signature1");
                writer.WriteByteString(headers);
                writer.WriteByteString([]);
                writer.WriteByteString(payload);
                writer.WriteEndArray();
                return writer.Encode();
            }
        }

        public override byte[] Write(byte[] signature, IReadOnlyList<X509Certificate2> chain, byte[]? stamp)
        {
            var writer = new CborWriter(CborConformanceMode.Canonical);
            writer.WriteTag(Sign1);
            writer.WriteStartArray(Parts);
            writer.WriteByteString(headers);
            writer.WriteStartMap(stamp is null ? 2 : 3);
            writer.WriteInt32(CertificatesLabel);
            writer.WriteStartArray(chain.Count);
            foreach (var certificate in chain)
                writer.WriteByteString(certificate.RawData);
            writer.WriteEndArray();
            writer.WriteTextString(AgentHeader);
            writer.WriteTextString(Transport.UserAgent);
            if (stamp is not null)
            {
                writer.WriteTextString(NotationEnvelope.TimeStampHeader);
                writer.WriteByteString(stamp);
            }

            writer.WriteEndMap();
            writer.WriteByteString(payload);
            writer.WriteByteString(signature);
            writer.WriteEndArray();
            return writer.Encode();
        }

        private static byte[] WriteHeaders(SignatureAlgorithm algorithm, DateTimeOffset now)
        {
            var writer = new CborWriter(CborConformanceMode.Canonical);
            writer.WriteStartMap(5);
            writer.WriteInt32(1);
            writer.WriteInt32(algorithm.CoseNumber!.Value);
            writer.WriteInt32(2);
            writer.WriteStartArray(1);
            writer.WriteTextString(NotationEnvelope.SchemeHeader);
            writer.WriteEndArray();
            writer.WriteInt32(3);
            writer.WriteTextString(NotationEnvelope.PayloadType);
            writer.WriteTextString(NotationEnvelope.SchemeHeader);
            writer.WriteTextString(Scheme);
            writer.WriteTextString(NotationEnvelope.SigningTimeHeader);
            writer.WriteTag(CborTag.UnixTimeSeconds);
            writer.WriteInt64(now.ToUnixTimeSeconds());
            writer.WriteEndMap();
            return writer.Encode();
        }
    }
}

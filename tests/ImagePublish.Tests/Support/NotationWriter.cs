using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Tests.Support;

/// <summary>What a Notation envelope says, each of which a test may falsify.</summary>
internal sealed record NotationOptions
{
    public required string Digest { get; init; }

    public string? Algorithm { get; init; }

    public int? CoseAlgorithm { get; init; }

    public string ContentType { get; init; } = "application/vnd.cncf.notary.payload.v1+json";

    public string Scheme { get; init; } = "notary.x509";

    public IReadOnlyList<string>? Critical { get; init; }

    public DateTimeOffset? Expiry { get; init; }

    public DateTimeOffset? AuthenticTime { get; init; }

    /// <summary>Makes the time-stamp of a signature.</summary>
    public Func<byte[], byte[]>? Stamp { get; init; }

    /// <summary>The bytes that the signature is made of become these.</summary>
    public Func<byte[], byte[]> Signature { get; init; } = signature => signature;

    /// <summary>What is signed, in JSON; null for an index of <see cref="Digest"/>.</summary>
    public string? Target { get; init; }

    public string Payload =>
        Target
        ?? new JsonObject
        {
            ["targetArtifact"] = new JsonObject
            {
                ["mediaType"] = "application/vnd.oci.image.index.v1+json",
                ["digest"] = Digest,
                ["size"] = 1000,
            },
        }.ToJsonString();

    public IReadOnlyList<string> AllCritical =>
        Critical
        ??
        [
            "io.cncf.notary.signingScheme",
            .. AuthenticTime is null ? Array.Empty<string>() : ["io.cncf.notary.authenticSigningTime"],
            .. Expiry is null ? Array.Empty<string>() : ["io.cncf.notary.expiry"],
        ];
}

/// <summary>Writes Notation signatures with nothing but the framework.</summary>
internal static class NotationWriter
{
    public const string JwsType = "application/jose+json";
    public const string CoseType = "application/cose";

    public static byte[] Write(string mediaType, TestSigner signer, NotationOptions options) =>
        mediaType == JwsType ? Encoding.UTF8.GetBytes(Jws(signer, options).ToJsonString()) : Cose(signer, options);

    public static JsonObject Jws(TestSigner signer, NotationOptions options)
    {
        var headers = new JsonObject
        {
            ["alg"] = options.Algorithm ?? NameOf(signer.Key),
            ["cty"] = options.ContentType,
            ["crit"] = new JsonArray([.. options.AllCritical.Select(name => (JsonNode)name)]),
            ["io.cncf.notary.signingScheme"] = options.Scheme,
            ["io.cncf.notary.signingTime"] = "2026-11-28T11:00:00Z",
        };
        if (options.Expiry is { } expiry)
            headers["io.cncf.notary.expiry"] = expiry.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        if (options.AuthenticTime is { } time)
            headers["io.cncf.notary.authenticSigningTime"] = time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        var protectedText = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(headers.ToJsonString()));
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(options.Payload));
        var signature = options.Signature(Sign(signer.Key, Encoding.ASCII.GetBytes($"{protectedText}.{payload}")));
        var header = new JsonObject
        {
            ["x5c"] = new JsonArray([.. signer.Chain.Select(one => (JsonNode)Convert.ToBase64String(one.RawData))]),
            ["io.cncf.notary.signingAgent"] = "test/1.0",
        };
        if (options.Stamp is { } stamp)
            header["io.cncf.notary.timestampSignature"] = Convert.ToBase64String(stamp(signature));
        return new JsonObject
        {
            ["payload"] = payload,
            ["protected"] = protectedText,
            ["header"] = header,
            ["signature"] = Base64Url.EncodeToString(signature),
        };
    }

    // RFC 9052: COSE_Sign1 = 18([protected, unprotected, payload, signature]).
    private static byte[] Cose(TestSigner signer, NotationOptions options)
    {
        var protectedMap = ProtectedMap(signer, options);
        var payload = Encoding.UTF8.GetBytes(options.Payload);
        var signature = options.Signature(Sign(signer.Key, SigStructure(protectedMap, payload)));
        var writer = new CborWriter(CborConformanceMode.Lax);
        writer.WriteTag((CborTag)18);
        writer.WriteStartArray(4);
        writer.WriteByteString(protectedMap);
        writer.WriteStartMap(options.Stamp is null ? 1 : 2);
        writer.WriteInt32(33);
        writer.WriteStartArray(signer.Chain.Count);
        foreach (var certificate in signer.Chain)
            writer.WriteByteString(certificate.RawData);
        writer.WriteEndArray();
        if (options.Stamp is { } stamp)
        {
            writer.WriteTextString("io.cncf.notary.timestampSignature");
            writer.WriteByteString(stamp(signature));
        }

        writer.WriteEndMap();
        writer.WriteByteString(payload);
        writer.WriteByteString(signature);
        writer.WriteEndArray();
        return writer.Encode();
    }

    private static byte[] SigStructure(byte[] protectedMap, byte[] payload)
    {
        var writer = new CborWriter();
        writer.WriteStartArray(4);
        writer.WriteTextString("Signature1");
        writer.WriteByteString(protectedMap);
        writer.WriteByteString([]);
        writer.WriteByteString(payload);
        writer.WriteEndArray();
        return writer.Encode();
    }

    private static byte[] ProtectedMap(TestSigner signer, NotationOptions options)
    {
        var writer = new CborWriter(CborConformanceMode.Lax);
        writer.WriteStartMap(4 + (options.Expiry is null ? 0 : 1) + (options.AuthenticTime is null ? 0 : 1) + Unknown(options).Count());
        writer.WriteInt32(1);
        writer.WriteInt32(options.CoseAlgorithm ?? NumberOf(signer.Key));
        writer.WriteInt32(2);
        writer.WriteStartArray(options.AllCritical.Count);
        foreach (var name in options.AllCritical)
            writer.WriteTextString(name);
        writer.WriteEndArray();
        writer.WriteInt32(3);
        writer.WriteTextString(options.ContentType);
        writer.WriteTextString("io.cncf.notary.signingScheme");
        writer.WriteTextString(options.Scheme);
        WriteInstant(writer, "io.cncf.notary.expiry", options.Expiry);
        WriteInstant(writer, "io.cncf.notary.authenticSigningTime", options.AuthenticTime);
        foreach (var name in Unknown(options))
        {
            writer.WriteTextString(name);
            writer.WriteInt32(1);
        }

        writer.WriteEndMap();
        return writer.Encode();
    }

    private static IEnumerable<string> Unknown(NotationOptions options) =>
        options.AllCritical.Where(name =>
            !name.StartsWith("io.cncf.notary.", StringComparison.Ordinal)
            || name.StartsWith("io.cncf.notary.verificationPlugin", StringComparison.Ordinal)
        );

    private static void WriteInstant(CborWriter writer, string name, DateTimeOffset? instant)
    {
        if (instant is not { } value)
            return;
        writer.WriteTextString(name);
        writer.WriteTag(CborTag.UnixTimeSeconds);
        writer.WriteInt64(value.ToUnixTimeSeconds());
    }

    private static byte[] Sign(AsymmetricAlgorithm key, byte[] data) =>
        key is ECDsa ecdsa ? ecdsa.SignData(data, HashOf(key)) : ((RSA)key).SignData(data, HashOf(key), RSASignaturePadding.Pss);

    private static HashAlgorithmName HashOf(AsymmetricAlgorithm key) =>
        key.KeySize switch
        {
            384 or 3072 => HashAlgorithmName.SHA384,
            521 or 4096 => HashAlgorithmName.SHA512,
            _ => HashAlgorithmName.SHA256,
        };

    private static string NameOf(AsymmetricAlgorithm key) => (key is RSA ? "PS" : "ES") + HashOf(key).Name![3..];

    private static int NumberOf(AsymmetricAlgorithm key) =>
        NameOf(key) switch
        {
            "ES256" => -7,
            "ES384" => -35,
            "ES512" => -36,
            "PS256" => -37,
            "PS384" => -38,
            _ => -39,
        };
}

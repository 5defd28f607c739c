using System.Globalization;
using System.Text;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>A sigstore bundle with a DSSE envelope: how cosign 3 signs images.</summary>
/// <remarks><see href="https://docs.sigstore.dev/about/bundle/">Sigstore Bundle Format</see>, and
/// <see href="https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md">DSSE</see>.</remarks>
internal sealed record SigstoreBundle(ReadOnlyMemory<byte> Statement, byte[] Signature, SigstoreMaterial Material)
{
    public const string MediaTypePrefix = "application/vnd.dev.sigstore.bundle";
    public const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    /// <summary>The annotation of a bundle's manifest that names the predicate, so that attestations need not be fetched.</summary>
    public const string PredicateAnnotation = "dev.sigstore.bundle.predicateType";

    /// <summary>The annotation that says what kind of content the bundle has.</summary>
    public const string ContentAnnotation = "dev.sigstore.bundle.content";

    /// <summary>The predicate of an image's signature. A statement with another one says something of it, and does not sign it.</summary>
    public const string SignaturePredicate = "https://sigstore.dev/cosign/sign/v1";

    public const string StatementType = "application/vnd.in-toto+json";

    public const int MaxSize = 1 << 20;

    private const int MaxTimeStamps = 8;
    private const int MaxLogEntries = 8;
    private const string Bundle = "its bundle";
    private const string Content = "what it signs";

    private static readonly string[] MediaTypes =
    [
        MediaType,
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
    ];

    public static SigstoreBundle Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = SignatureJson.Parse(bytes, Bundle);
        var root = document.RootElement;
        var mediaType = SignatureJson.Text(root, "mediaType", Bundle);
        if (!MediaTypes.Contains(mediaType))
            throw RefusedSignatureException.Unsupported($"its bundle is '{Common.Text.Sanitize(mediaType)}', which is not supported");
        if (SignatureJson.Optional(root, "dsseEnvelope", JsonValueKind.Object, Bundle) is not { } envelope)
            throw RefusedSignatureException.Unsupported("its bundle has no DSSE envelope, so that it is not an image's signature");
        if (SignatureJson.Text(envelope, "payloadType", Bundle) is var type && type != StatementType)
            throw RefusedSignatureException.Malformed($"its payload is '{Common.Text.Sanitize(type)}' and not {StatementType}");
        var signatures = SignatureJson.Required(envelope, "signatures", JsonValueKind.Array, Bundle);
        if (signatures.GetArrayLength() != 1 || signatures[0].ValueKind != JsonValueKind.Object)
            throw RefusedSignatureException.Malformed($"{Bundle} has {signatures.GetArrayLength()} signatures, and must have one");
        return new SigstoreBundle(
            SignatureJson.Bytes(SignatureJson.Text(envelope, "payload", Bundle), Content),
            SignatureJson.Bytes(SignatureJson.Text(signatures[0], "sig", Bundle), "it"),
            ReadMaterial(SignatureJson.Required(root, "verificationMaterial", JsonValueKind.Object, Bundle))
        );
    }

    /// <summary>The bytes that are signed: the statement with its type, each with its length.</summary>
    public static byte[] SignedBytes(ReadOnlySpan<byte> statement)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"DSSEv1 {Encoding.UTF8.GetByteCount(StatementType)} {StatementType} {statement.Length} "
        );
        return [.. Encoding.UTF8.GetBytes(head), .. statement];
    }

    /// <summary>Makes sure that what is signed is a certain statement about a certain manifest.</summary>
    public void RequireTarget(Digest subject, string wanted)
    {
        using var document = SignatureJson.Parse(Statement, Content);
        var statement = document.RootElement;
        if (
            SignatureJson.Text(statement, "_type", Content)
            is not ("https://in-toto.io/Statement/v1" or "https://in-toto.io/Statement/v0.1")
        )
            throw RefusedSignatureException.Malformed($"{Content} is not an in-toto statement");
        var predicate = SignatureJson.Text(statement, "predicateType", Content);
        if (predicate != wanted)
            throw RefusedSignatureException.Malformed(
                wanted == SignaturePredicate
                    ? $"it says something about the image ({Common.Text.Sanitize(predicate)}), and does not sign it"
                    : $"it says something else about the image ({Common.Text.Sanitize(predicate)}) than its manifest says"
            );
        var subjects = SignatureJson.Required(statement, "subject", JsonValueKind.Array, Content);
        if (!subjects.EnumerateArray().Any(one => IsOf(one, subject)))
            throw RefusedSignatureException.Malformed("it is the signature of another image");
    }

    private static bool IsOf(JsonElement named, Digest subject) =>
        named.ValueKind == JsonValueKind.Object
        && SignatureJson.Optional(named, "digest", JsonValueKind.Object, Content) is { } digests
        && SignatureJson.OptionalText(digests, subject.Algorithm, Content) == subject.Hex;

    private static SigstoreMaterial ReadMaterial(JsonElement material)
    {
        var certificates = new List<byte[]>();
        if (SignatureJson.Optional(material, "certificate", JsonValueKind.Object, Bundle) is { } one)
            certificates.Add(ReadBytes(one, "rawBytes"));
        if (SignatureJson.Optional(material, "x509CertificateChain", JsonValueKind.Object, Bundle) is { } chain)
            certificates.AddRange(ReadList(chain, "certificates", "rawBytes", CertificateChain.MaxCertificates));
        var stamps = SignatureJson.Optional(material, "timestampVerificationData", JsonValueKind.Object, Bundle) is { } stamped
            ? ReadList(stamped, "rfc3161Timestamps", "signedTimestamp", MaxTimeStamps)
            : [];
        return new SigstoreMaterial(certificates) { TimeStamps = stamps, LogEntries = ReadLogEntries(material) };
    }

    private static IReadOnlyList<LogEntry> ReadLogEntries(JsonElement material)
    {
        if (SignatureJson.Optional(material, "tlogEntries", JsonValueKind.Array, Bundle) is not { } list)
            return [];
        if (list.GetArrayLength() > MaxLogEntries || list.EnumerateArray().Any(entry => entry.ValueKind != JsonValueKind.Object))
            throw RefusedSignatureException.Malformed($"{Bundle} has 'tlogEntries' that are not a list of at most {MaxLogEntries} objects");
        return [.. list.EnumerateArray().Select(LogEntry.Read)];
    }

    private static List<byte[]> ReadList(JsonElement element, string name, string part, int limit)
    {
        if (SignatureJson.Optional(element, name, JsonValueKind.Array, Bundle) is not { } list)
            return [];
        if (list.GetArrayLength() > limit)
            throw RefusedSignatureException.Malformed($"{Bundle} has {list.GetArrayLength()} {name}; at most {limit} are read");
        return [.. list.EnumerateArray().Select(item => ReadBytes(item, part))];
    }

    private static byte[] ReadBytes(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
            ? SignatureJson.Bytes(SignatureJson.Text(element, name, Bundle), $"'{name}' of {Bundle}")
            : throw RefusedSignatureException.Malformed($"{Bundle} has a list without '{name}'");
}

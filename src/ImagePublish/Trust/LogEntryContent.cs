using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace ImagePublish.Trust;

/// <summary>What a signature consists of, to be compared with what a log has of it.</summary>
/// <param name="Payload">What is signed, without its frame.</param>
/// <param name="Signed">The bytes that the signature is for.</param>
internal sealed record LoggedSignature(
    ReadOnlyMemory<byte> Payload,
    ReadOnlyMemory<byte> Signed,
    byte[] Signature,
    X509Certificate2 Signer
);

/// <summary>The kind of a log entry's content and the version of that, such as <c>hashedrekord</c> and <c>0.0.2</c>.</summary>
internal readonly record struct LogEntryKind(string Name, string Version)
{
    /// <summary>Whether Rekor's second version made it. Of <c>intoto</c> the first version has a 0.0.2, and the second none.</summary>
    public bool IsSecondVersion => this is { Name: "hashedrekord" or "dsse", Version: "0.0.2" };

    public static LogEntryKind Read(JsonElement body) =>
        new(SignatureJson.Text(body, "kind", LogEntryContent.Entry), SignatureJson.Text(body, "apiVersion", LogEntryContent.Entry));
}

/// <summary>What a log keeps of a signature. The second version of Rekor has only <c>hashedrekord</c>, for DSSE envelopes too; before its
/// first release it had <c>dsse</c>, which is in bundles of that time.</summary>
/// <remarks>Schemas: <see href="https://github.com/sigstore/rekor/tree/main/pkg/types">the first version's</see>,
/// <see href="https://github.com/sigstore/rekor-tiles/tree/main/api/proto/rekor/v2">the second's</see>.</remarks>
/// <param name="Hash">Of what is signed: of the payload for <c>dsse</c> and <c>intoto</c>, with its frame for <c>hashedrekord</c>.</param>
/// <param name="Certificate">The signer's, in DER; null where the log has another kind of key.</param>
internal sealed record LogEntryContent(LogEntryKind Kind, byte[] Signature, HashOutput Hash, byte[]? Certificate)
{
    internal const string Entry = "its log entry";

    public static LogEntryContent Read(JsonElement body)
    {
        var kind = LogEntryKind.Read(body);
        var spec = SignatureJson.Required(body, "spec", JsonValueKind.Object, Entry);
        return (kind.Name, kind.Version) switch
        {
            ("dsse", "0.0.1") => ReadDsse(kind, spec),
            ("intoto", "0.0.2") => ReadInToto(kind, spec),
            ("hashedrekord", "0.0.1") => ReadHashed(kind, spec),
            ("dsse", "0.0.2") => ReadSecondDsse(kind, SignatureJson.Required(spec, "dsseV002", JsonValueKind.Object, Entry)),
            ("hashedrekord", "0.0.2") => ReadSecondHashed(
                kind,
                SignatureJson.Required(spec, "hashedRekordV002", JsonValueKind.Object, Entry)
            ),
            var (name, version) => throw RefusedSignatureException.Unsupported(
                $"{Entry} is of the kind '{Common.Text.Sanitize(name)}' {Common.Text.Sanitize(version)}, which is not supported"
            ),
        };
    }

    /// <summary>Makes sure that it is of a certain signature.</summary>
    public void Require(LoggedSignature signature)
    {
        var content = Kind.Name == "hashedrekord" ? signature.Signed : signature.Payload;
        if (!Signature.AsSpan().SequenceEqual(signature.Signature))
            throw RefusedSignatureException.Malformed($"{Entry} is that of another signature");
        if (!Hash.Digest.AsSpan().SequenceEqual(CryptographicOperations.HashData(Hash.Algorithm, content.Span)))
            throw RefusedSignatureException.Malformed($"{Entry} is for another content");
        if (Certificate is null || !Certificate.AsSpan().SequenceEqual(signature.Signer.RawData))
            throw RefusedSignatureException.Malformed($"{Entry} is of another certificate");
    }

    private static LogEntryContent ReadDsse(LogEntryKind kind, JsonElement spec)
    {
        var signature = Only(spec);
        return new(kind, ReadBytes(signature, "signature"), ReadHash(spec, "payloadHash"), ReadPem(ReadBytes(signature, "verifier")));
    }

    // The signature is in base64 twice.
    private static LogEntryContent ReadInToto(LogEntryKind kind, JsonElement spec)
    {
        var content = SignatureJson.Required(spec, "content", JsonValueKind.Object, Entry);
        var signature = Only(SignatureJson.Required(content, "envelope", JsonValueKind.Object, Entry));
        var once = SignatureJson.Bytes(Encoding.ASCII.GetString(ReadBytes(signature, "sig")), Entry);
        return new(kind, once, ReadHash(content, "payloadHash"), ReadPem(ReadBytes(signature, "publicKey")));
    }

    private static LogEntryContent ReadHashed(LogEntryKind kind, JsonElement spec)
    {
        var signature = SignatureJson.Required(spec, "signature", JsonValueKind.Object, Entry);
        var key = SignatureJson.Required(signature, "publicKey", JsonValueKind.Object, Entry);
        var data = SignatureJson.Required(spec, "data", JsonValueKind.Object, Entry);
        return new(kind, ReadBytes(signature, "content"), ReadHash(data, "hash"), ReadPem(ReadBytes(key, "content")));
    }

    private static LogEntryContent ReadSecondDsse(LogEntryKind kind, JsonElement spec) =>
        ReadSecond(kind, Only(spec), SignatureJson.Required(spec, "payloadHash", JsonValueKind.Object, Entry));

    private static LogEntryContent ReadSecondHashed(LogEntryKind kind, JsonElement spec) =>
        ReadSecond(
            kind,
            SignatureJson.Required(spec, "signature", JsonValueKind.Object, Entry),
            SignatureJson.Required(spec, "data", JsonValueKind.Object, Entry)
        );

    private static LogEntryContent ReadSecond(LogEntryKind kind, JsonElement signature, JsonElement hash)
    {
        var verifier = SignatureJson.Required(signature, "verifier", JsonValueKind.Object, Entry);
        var certificate = SignatureJson.Optional(verifier, "x509Certificate", JsonValueKind.Object, Entry);
        return new(
            kind,
            ReadBytes(signature, "content"),
            new HashOutput(ReadAlgorithm(hash), ReadBytes(hash, "digest")),
            certificate is { } found ? ReadBytes(found, "rawBytes") : null
        );
    }

    private static HashAlgorithmName ReadAlgorithm(JsonElement hash) =>
        SignatureJson.Text(hash, "algorithm", Entry) switch
        {
            "SHA2_256" => HashAlgorithmName.SHA256,
            "SHA2_384" => HashAlgorithmName.SHA384,
            "SHA2_512" => HashAlgorithmName.SHA512,
            var other => throw RefusedSignatureException.Unsupported(
                $"{Entry} has the hash '{Common.Text.Sanitize(other)}', which is not supported"
            ),
        };

    private static HashOutput ReadHash(JsonElement element, string name)
    {
        var hash = SignatureJson.Required(element, name, JsonValueKind.Object, Entry);
        if (SignatureJson.Text(hash, "algorithm", Entry) != "sha256")
            throw RefusedSignatureException.Unsupported($"{Entry} has a hash other than SHA-256");
        return new HashOutput(HashAlgorithmName.SHA256, LogEntry.Hex(SignatureJson.Text(hash, "value", Entry)));
    }

    private static JsonElement Only(JsonElement spec)
    {
        var list = SignatureJson.Required(spec, "signatures", JsonValueKind.Array, Entry);
        return list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.Object
            ? list[0]
            : throw RefusedSignatureException.Malformed($"{Entry} has {list.GetArrayLength()} signatures, and must have one");
    }

    private static byte[]? ReadPem(byte[] pem)
    {
        var text = Encoding.ASCII.GetString(pem);
        return PemEncoding.TryFind(text, out var fields) && text[fields.Label] == "CERTIFICATE"
            ? Convert.FromBase64String(text[fields.Base64Data])
            : null;
    }

    private static byte[] ReadBytes(JsonElement element, string name) => LogEntry.ReadBytes(element, name);
}

/// <summary>A hash, and how it was computed.</summary>
internal readonly record struct HashOutput(HashAlgorithmName Algorithm, byte[] Digest);

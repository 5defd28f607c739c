using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ImagePublish.Oci;

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

/// <summary>The entry of a signature in Rekor: its promise to log it, the proof that it did, or both.</summary>
/// <remarks><see href="https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_rekor.proto">TransparencyLogEntry</see>, and
/// cosign's annotation <c>dev.sigstore.cosign/bundle</c>.</remarks>
internal sealed record LogEntry(byte[] Body, byte[] LogId, long Index, long IntegratedTime)
{
    private const string Entry = "its log entry";
    private const int MaxBody = 1 << 20;

    /// <summary>The log's signature of the time at which it took the entry; null where it has none.</summary>
    public byte[]? Promise { get; init; }

    public InclusionProof? Proof { get; init; }

    private DateTimeOffset Time => DateTimeOffset.FromUnixTimeSeconds(IntegratedTime);

    /// <summary>Reads an entry of a bundle.</summary>
    public static LogEntry Read(JsonElement entry)
    {
        var log = SignatureJson.Required(entry, "logId", JsonValueKind.Object, Entry);
        var promise = SignatureJson.Optional(entry, "inclusionPromise", JsonValueKind.Object, Entry);
        return new LogEntry(
            Limit(ReadBytes(entry, "canonicalizedBody")),
            ReadBytes(log, "keyId"),
            ReadNumber(entry, "logIndex"),
            ReadTime(entry)
        )
        {
            Promise = promise is { } promised ? ReadBytes(promised, "signedEntryTimestamp") : null,
            Proof = SignatureJson.Optional(entry, "inclusionProof", JsonValueKind.Object, Entry) is { } proof
                ? InclusionProof.Read(proof)
                : null,
        };
    }

    /// <summary>Reads an entry as cosign 2 has it beside a signature.</summary>
    public static LogEntry ReadAnnotation(string json)
    {
        using var document = SignatureJson.Parse(Encoding.UTF8.GetBytes(json), Entry);
        var payload = SignatureJson.Required(document.RootElement, "Payload", JsonValueKind.Object, Entry);
        return new LogEntry(
            Limit(ReadBytes(payload, "body")),
            Hex(SignatureJson.Text(payload, "logID", Entry)),
            ReadNumber(payload, "logIndex"),
            ReadTime(payload)
        )
        {
            Promise = ReadBytes(document.RootElement, "SignedEntryTimestamp"),
        };
    }

    /// <summary>Reads an answer of Rekor's first version: an object with the entry by its name.</summary>
    public static LogEntry ReadAnswer(ReadOnlyMemory<byte> json)
    {
        using var document = SignatureJson.Parse(json, Entry);
        if (document.RootElement.EnumerateObject().ToList() is not [{ Value.ValueKind: JsonValueKind.Object } only])
            throw RefusedSignatureException.Malformed($"{Entry} is not the only one of the answer");
        var verification = SignatureJson.Required(only.Value, "verification", JsonValueKind.Object, Entry);
        return new LogEntry(
            Limit(ReadBytes(only.Value, "body")),
            Hex(SignatureJson.Text(only.Value, "logID", Entry)),
            ReadNumber(only.Value, "logIndex"),
            ReadTime(only.Value)
        )
        {
            Promise = ReadBytes(verification, "signedEntryTimestamp"),
            Proof = SignatureJson.Optional(verification, "inclusionProof", JsonValueKind.Object, Entry) is { } proof
                ? InclusionProof.ReadAnswer(proof)
                : null,
        };
    }

    /// <summary>The kind of its content and the version of that, such as <c>dsse</c> and <c>0.0.1</c>.</summary>
    public (string Kind, string Version) ReadKind()
    {
        using var body = SignatureJson.Parse(Body, Entry);
        return (SignatureJson.Text(body.RootElement, "kind", Entry), SignatureJson.Text(body.RootElement, "apiVersion", Entry));
    }

    /// <summary>Makes sure that a trusted log has the entry.</summary>
    /// <returns>When it took it; null where only the proof says that it did, which has no time.</returns>
    public DateTimeOffset? VerifyInclusion(IReadOnlyList<TransparencyLog> logs)
    {
        var log = logs.FirstOrDefault(one => one.Id.Span.SequenceEqual(LogId))
            ?? throw RefusedSignatureException.Untrusted("its entry is in a log that is not trusted");
        if (!log.IsSupported)
            throw RefusedSignatureException.Unsupported("its log has a key of a kind that is not supported");
        if (Promise is null && Proof is null)
            throw RefusedSignatureException.Malformed($"{Entry} has neither a promise nor a proof of the log");
        if (Promise is not null && !log.Validity.Contains(Time))
            throw RefusedSignatureException.Untrusted($"its log was not trusted at {Common.Text.Rfc3339(Time)}");
        if (Promise is not null && !log.HasSigned(PromisedBytes(), Promise))
            throw RefusedSignatureException.Malformed($"{Entry} was altered: the log did not promise it");
        Proof?.Verify(log, Body);
        return Promise is null ? null : Time;
    }

    /// <summary>Makes sure that the entry is about a certain signature.</summary>
    public void RequireContent(LoggedSignature signature)
    {
        using var document = SignatureJson.Parse(Body, Entry);
        var spec = SignatureJson.Required(document.RootElement, "spec", JsonValueKind.Object, Entry);
        var (logged, hash, signer) = ReadKind() switch
        {
            ("dsse", "0.0.1") => ReadDsse(spec),
            ("intoto", "0.0.2") => ReadInToto(spec),
            ("hashedrekord", "0.0.1") => ReadHashed(spec),
            var (kind, version) => throw RefusedSignatureException.Unsupported(
                $"{Entry} is of the kind '{Common.Text.Sanitize(kind)}' {Common.Text.Sanitize(version)}, which is not supported"
            ),
        };
        var content = document.RootElement.GetProperty("kind").GetString() == "hashedrekord" ? signature.Signed : signature.Payload;
        if (!logged.AsSpan().SequenceEqual(signature.Signature))
            throw RefusedSignatureException.Malformed($"{Entry} is that of another signature");
        if (!hash.AsSpan().SequenceEqual(SHA256.HashData(content.Span)))
            throw RefusedSignatureException.Malformed($"{Entry} is for another content");
        if (!IsCertificate(signer, signature.Signer))
            throw RefusedSignatureException.Malformed($"{Entry} is of another certificate");
    }

    /// <summary>The entry as a bundle has it.</summary>
    public void Write(Utf8JsonWriter json)
    {
        var (kind, version) = ReadKind();
        json.WriteStartObject();
        WriteNumber(json, "logIndex", Index);
        json.WriteStartObject("logId");
        json.WriteBase64String("keyId", LogId);
        json.WriteEndObject();
        json.WriteStartObject("kindVersion");
        json.WriteString("kind", kind);
        json.WriteString("version", version);
        json.WriteEndObject();
        WriteNumber(json, "integratedTime", IntegratedTime);
        if (Promise is not null)
        {
            json.WriteStartObject("inclusionPromise");
            json.WriteBase64String("signedEntryTimestamp", Promise);
            json.WriteEndObject();
        }

        Proof?.Write(json);
        json.WriteBase64String("canonicalizedBody", Body);
        json.WriteEndObject();
    }

    /// <summary>The entry as cosign 2 has it beside a signature.</summary>
    public string WriteAnnotation() =>
        Encoding.UTF8.GetString(
            OciJson.Write(json =>
            {
                json.WriteStartObject();
                json.WriteBase64String("SignedEntryTimestamp", Promise);
                json.WriteStartObject("Payload");
                json.WriteBase64String("body", Body);
                json.WriteNumber("integratedTime", IntegratedTime);
                json.WriteNumber("logIndex", Index);
                json.WriteString("logID", Convert.ToHexStringLower(LogId));
                json.WriteEndObject();
                json.WriteEndObject();
            })
        );

    internal static void WriteNumber(Utf8JsonWriter json, string name, long value) =>
        json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));

    // As RFC 8785 writes it.
    private byte[] PromisedBytes() =>
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"body":"{{Convert.ToBase64String(Body)}}","integratedTime":{{IntegratedTime}},"logID":"{{Convert.ToHexStringLower(
                    LogId
                )}}","logIndex":{{Index}}}"""
            )
        );

    private static (byte[] Signature, byte[] Hash, byte[] Signer) ReadDsse(JsonElement spec)
    {
        var signature = Only(SignatureJson.Required(spec, "signatures", JsonValueKind.Array, Entry));
        return (ReadBytes(signature, "signature"), ReadHash(spec, "payloadHash"), ReadBytes(signature, "verifier"));
    }

    // The signature is in base64 twice.
    private static (byte[] Signature, byte[] Hash, byte[] Signer) ReadInToto(JsonElement spec)
    {
        var content = SignatureJson.Required(spec, "content", JsonValueKind.Object, Entry);
        var envelope = SignatureJson.Required(content, "envelope", JsonValueKind.Object, Entry);
        var signature = Only(SignatureJson.Required(envelope, "signatures", JsonValueKind.Array, Entry));
        var once = Encoding.ASCII.GetString(ReadBytes(signature, "sig"));
        return (SignatureJson.Bytes(once, Entry), ReadHash(content, "payloadHash"), ReadBytes(signature, "publicKey"));
    }

    private static (byte[] Signature, byte[] Hash, byte[] Signer) ReadHashed(JsonElement spec)
    {
        var signature = SignatureJson.Required(spec, "signature", JsonValueKind.Object, Entry);
        var key = SignatureJson.Required(signature, "publicKey", JsonValueKind.Object, Entry);
        var data = SignatureJson.Required(spec, "data", JsonValueKind.Object, Entry);
        return (ReadBytes(signature, "content"), ReadHash(data, "hash"), ReadBytes(key, "content"));
    }

    private static byte[] ReadHash(JsonElement element, string name)
    {
        var hash = SignatureJson.Required(element, name, JsonValueKind.Object, Entry);
        if (SignatureJson.Text(hash, "algorithm", Entry) != "sha256")
            throw RefusedSignatureException.Unsupported($"{Entry} has a hash other than SHA-256");
        return Hex(SignatureJson.Text(hash, "value", Entry));
    }

    private static JsonElement Only(JsonElement list) =>
        list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.Object
            ? list[0]
            : throw RefusedSignatureException.Malformed($"{Entry} has {list.GetArrayLength()} signatures, and must have one");

    private static bool IsCertificate(byte[] pem, X509Certificate2 certificate)
    {
        var text = Encoding.ASCII.GetString(pem);
        return PemEncoding.TryFind(text, out var fields)
            && text[fields.Label] == "CERTIFICATE"
            && Convert.FromBase64String(text[fields.Base64Data]).AsSpan().SequenceEqual(certificate.RawData);
    }

    private static byte[] Limit(byte[] body) =>
        body.Length <= MaxBody
            ? body
            : throw RefusedSignatureException.Malformed($"{Entry} has {body.Length} bytes; at most {MaxBody} are read");

    internal static byte[] ReadBytes(JsonElement element, string name) =>
        SignatureJson.Bytes(SignatureJson.Text(element, name, Entry), Entry);

    internal static byte[] Hex(string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException exception)
        {
            throw RefusedSignatureException.Malformed($"{Entry} has a hash that is not hexadecimal", exception);
        }
    }

    private static long ReadTime(JsonElement element)
    {
        var seconds = element.TryGetProperty("integratedTime", out _) ? ReadNumber(element, "integratedTime") : 0;
        return seconds <= 253402300799 ? seconds : throw RefusedSignatureException.Malformed($"{Entry} has an invalid time");
    }

    // JSON of protocol buffers has numbers of 64 bits as text.
    internal static long ReadNumber(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return 0;
        var text = value.ValueKind is JsonValueKind.Number or JsonValueKind.String ? value.ToString() : "";
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw RefusedSignatureException.Malformed($"{Entry} has a '{name}' that is not a number");
    }
}

/// <summary>The proof that a log of a certain size has an entry, with the log's signature of that size (a checkpoint).</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2">RFC 9162, Verifying an Inclusion Proof</see>, and
/// <see href="https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md">checkpoints</see>.</remarks>
internal sealed record InclusionProof(long Index, IReadOnlyList<byte[]> Hashes, string Checkpoint)
{
    private const string Proof = "the proof of its log entry";

    // A log with more entries than 2^63 does not exist.
    private const int MaxHashes = 64;
    private const int MaxCheckpoint = 16 * 1024;
    private const int HintSize = 4;

    public static InclusionProof Read(JsonElement proof)
    {
        // The first bundles had none.
        var checkpoint = SignatureJson.Optional(proof, "checkpoint", JsonValueKind.Object, Proof);
        var envelope = checkpoint is { } note ? SignatureJson.Text(note, "envelope", Proof) : "";
        return Create(proof, envelope, text => SignatureJson.Bytes(text, Proof));
    }

    /// <summary>Reads it as Rekor's first version answers it: with hexadecimal hashes.</summary>
    public static InclusionProof ReadAnswer(JsonElement proof) =>
        Create(proof, SignatureJson.Text(proof, "checkpoint", Proof), LogEntry.Hex);

    public void Verify(TransparencyLog log, ReadOnlySpan<byte> body)
    {
        var (size, root) = ReadCheckpoint(log);
        if (Index >= size)
            throw RefusedSignatureException.Malformed($"{Proof} is for a log that is smaller than its index");
        var inner = 64 - (int)long.LeadingZeroCount(Index ^ (size - 1));
        var border = long.PopCount(inner == 64 ? 0 : Index >> inner);
        if (Hashes.Count != inner + border)
            throw RefusedSignatureException.Malformed($"{Proof} has {Hashes.Count} hashes, and must have {inner + border}");
        var hash = Hash([0], body, []);
        for (var at = 0; at < Hashes.Count; at++)
        {
            var isRight = at >= inner || ((Index >> at) & 1) == 1;
            hash = isRight ? Hash([1], Hashes[at], hash) : Hash([1], hash, Hashes[at]);
        }

        if (!hash.AsSpan().SequenceEqual(root))
            throw RefusedSignatureException.Malformed($"{Proof} does not lead to what the log signed");
    }

    public void Write(Utf8JsonWriter json)
    {
        // What the log signed is its size and root hash.
        var lines = Checkpoint.Split('\n');
        json.WriteStartObject("inclusionProof");
        LogEntry.WriteNumber(json, "logIndex", Index);
        json.WriteString("rootHash", lines.ElementAtOrDefault(2) ?? "");
        json.WriteString("treeSize", lines.ElementAtOrDefault(1) ?? "");
        json.WriteStartArray("hashes");
        foreach (var hash in Hashes)
            json.WriteBase64StringValue(hash);
        json.WriteEndArray();
        json.WriteStartObject("checkpoint");
        json.WriteString("envelope", Checkpoint);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static InclusionProof Create(JsonElement proof, string checkpoint, Func<string, byte[]> decode)
    {
        IReadOnlyList<string> hashes = SignatureJson.Optional(proof, "hashes", JsonValueKind.Array, Proof) is { } list
            ? SignatureJson.Texts(list, Proof)
            : [];
        if (hashes.Count > MaxHashes || checkpoint.Length > MaxCheckpoint)
            throw RefusedSignatureException.Malformed($"{Proof} is too large");
        return new InclusionProof(LogEntry.ReadNumber(proof, "logIndex"), [.. hashes.Select(decode)], checkpoint);
    }

    private (long Size, byte[] Root) ReadCheckpoint(TransparencyLog log)
    {
        var end = Checkpoint.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
            throw RefusedSignatureException.Malformed($"{Proof} has a malformed checkpoint");
        var note = Checkpoint[..(end + 1)];
        var signatures = Checkpoint[(end + 2)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (!signatures.Any(line => IsSignedBy(log, line, note)))
            throw RefusedSignatureException.Malformed($"{Proof} has a checkpoint that the log did not sign");
        return
            note.Split('\n') is [_, var size, var root, ..]
            && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? (count, SignatureJson.Bytes(root, Proof))
            : throw RefusedSignatureException.Malformed($"{Proof} has a malformed checkpoint");
    }

    // "— name base64": the first four bytes are those of the log's id.
    private static bool IsSignedBy(TransparencyLog log, string line, string note)
    {
        if (line.Split(' ') is not ["\u2014", _, var base64])
            return false;
        var bytes = SignatureJson.Bytes(base64, Proof);
        return bytes.Length > HintSize
            && log.Id.Length >= HintSize
            && bytes.AsSpan(0, HintSize).SequenceEqual(log.Id.Span[..HintSize])
            && log.HasSigned(Encoding.UTF8.GetBytes(note), bytes.AsSpan(HintSize));
    }

    private static byte[] Hash(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        hash.AppendData(left);
        hash.AppendData(right);
        return hash.GetHashAndReset();
    }
}

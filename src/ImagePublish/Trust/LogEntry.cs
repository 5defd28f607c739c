using System.Globalization;
using System.Text;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>The entry of a signature in Rekor: its promise to log it, the proof that it did, or both.</summary>
/// <remarks><see href="https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_rekor.proto">TransparencyLogEntry</see>, and
/// cosign's annotation <c>dev.sigstore.cosign/bundle</c>.</remarks>
internal sealed record LogEntry(byte[] Body, byte[] LogId, long Index, long IntegratedTime)
{
    private const string Entry = LogEntryContent.Entry;
    private const int MaxBody = 1 << 20;

    /// <summary>The log's signature of the time at which it took the entry; null where it has none.</summary>
    public byte[]? Promise { get; init; }

    public InclusionProof? Proof { get; init; }

    /// <summary>What the bundle says that its content is, which a verifier must not rely on; null where it does not say.</summary>
    private LogEntryKind? NamedKind { get; init; }

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
            NamedKind = SignatureJson.Optional(entry, "kindVersion", JsonValueKind.Object, Entry) is { } named
                ? new LogEntryKind(SignatureJson.Text(named, "kind", Entry), SignatureJson.Text(named, "version", Entry))
                : null,
        };
    }

    /// <summary>Reads an answer of Rekor's second version: the entry as a bundle has it.</summary>
    public static LogEntry ReadSecondAnswer(ReadOnlyMemory<byte> json)
    {
        using var document = SignatureJson.Parse(json, Entry);
        return Read(document.RootElement);
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

    /// <summary>The kind of its content.</summary>
    public LogEntryKind ReadKind()
    {
        using var body = SignatureJson.Parse(Body, Entry);
        return LogEntryKind.Read(body.RootElement);
    }

    /// <summary>Makes sure that a trusted log has the entry.</summary>
    /// <param name="stamped">When time-stamp authorities saw the signature.</param>
    /// <returns>When the log took it; null where only the proof says that it did, which has no time.</returns>
    public DateTimeOffset? VerifyInclusion(IReadOnlyList<TransparencyLog> logs, IReadOnlyList<DateTimeOffset> stamped)
    {
        var log = logs.FirstOrDefault(one => one.Id.Span.SequenceEqual(LogId))
            ?? throw RefusedSignatureException.Untrusted("its entry is in a log that is not trusted");
        if (!log.IsSupported)
            throw RefusedSignatureException.Unsupported("its log has a key of a kind that is not supported");
        if (Promise is null && Proof is null)
            throw RefusedSignatureException.Malformed($"{Entry} has neither a promise nor a proof of the log");
        IReadOnlyList<DateTimeOffset> times = Promise is null ? stamped : [Time];
        foreach (var time in times.Where(time => !log.Validity.Contains(time)))
            throw RefusedSignatureException.Untrusted($"its log was not trusted at {Common.Text.Rfc3339(time)}");
        if (Promise is not null && !log.HasSigned(PromisedBytes(), Promise))
            throw RefusedSignatureException.Malformed($"{Entry} was altered: the log did not promise it");
        Proof?.Verify(log, Body, hasNamedOrigin: ReadKind().IsSecondVersion);
        return Promise is null ? null : Time;
    }

    /// <summary>Makes sure that the entry is about a certain signature.</summary>
    public void RequireContent(LoggedSignature signature)
    {
        using var document = SignatureJson.Parse(Body, Entry);
        var content = LogEntryContent.Read(document.RootElement);
        if (NamedKind is { } named && named != content.Kind)
            throw RefusedSignatureException.Malformed($"{Entry} is of another kind than its bundle says");
        content.Require(signature);
    }

    /// <summary>The entry as a bundle has it.</summary>
    public void Write(Utf8JsonWriter json)
    {
        var kind = ReadKind();
        json.WriteStartObject();
        WriteNumber(json, "logIndex", Index);
        json.WriteStartObject("logId");
        json.WriteBase64String("keyId", LogId);
        json.WriteEndObject();
        json.WriteStartObject("kindVersion");
        json.WriteString("kind", kind.Name);
        json.WriteString("version", kind.Version);
        json.WriteEndObject();
        // Without a promise nothing says that it is right, and the second version has none.
        if (Promise is not null)
        {
            WriteNumber(json, "integratedTime", IntegratedTime);
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

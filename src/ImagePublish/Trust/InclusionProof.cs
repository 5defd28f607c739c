using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ImagePublish.Trust;

/// <summary>The proof that a log of a certain size has an entry, with the log's signature of that size (a checkpoint).</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2">RFC 9162, Verifying an Inclusion Proof</see>, and
/// C2SP's <see href="https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md">checkpoints</see> and
/// <see href="https://github.com/C2SP/C2SP/blob/main/signed-note.md">signed notes</see>.</remarks>
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

    /// <param name="hasNamedOrigin">Whether the log's checkpoints have its name, as C2SP defines it: not so those of Rekor's first
    /// version.</param>
    public void Verify(TransparencyLog log, ReadOnlySpan<byte> body, bool hasNamedOrigin)
    {
        var (size, root) = ReadCheckpoint(log, hasNamedOrigin);
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

    private (long Size, byte[] Root) ReadCheckpoint(TransparencyLog log, bool hasNamedOrigin)
    {
        var end = Checkpoint.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || Checkpoint[..end].Split('\n') is not [var origin, var size, var root, ..])
            throw RefusedSignatureException.Malformed($"{Proof} has a malformed checkpoint");
        if (hasNamedOrigin && !log.IsNamed(origin))
            throw RefusedSignatureException.Malformed(
                $"{Proof} has a checkpoint of '{Common.Text.Sanitize(origin)}', which is another log"
            );
        var note = Checkpoint[..(end + 1)];
        var keyId = hasNamedOrigin ? log.NoteKeyId(origin) : log.Id.ToArray();
        // Other lines are those of witnesses, or of other keys.
        var lines = Checkpoint[(end + 2)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var signatures = lines
            .Select(line => line.Split(' ') is ["\u2014", var name, var base64] && (!hasNamedOrigin || name == origin) ? base64 : "")
            .Select(base64 => SignatureJson.Bytes(base64, Proof));
        if (!signatures.Any(signature => IsSignedBy(log, keyId, signature, note)))
            throw RefusedSignatureException.Malformed($"{Proof} has a checkpoint that the log did not sign");
        return long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? (count, SignatureJson.Bytes(root, Proof))
            : throw RefusedSignatureException.Malformed($"{Proof} has a malformed checkpoint");
    }

    // The first four bytes say which key it is.
    private static bool IsSignedBy(TransparencyLog log, byte[] keyId, byte[] signature, string note) =>
        signature.Length > HintSize
        && keyId.Length >= HintSize
        && signature.AsSpan(0, HintSize).SequenceEqual(keyId.AsSpan(0, HintSize))
        && log.HasSigned(Encoding.UTF8.GetBytes(note), signature.AsSpan(HintSize));

    private static byte[] Hash(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        hash.AppendData(left);
        hash.AppendData(right);
        return hash.GetHashAndReset();
    }
}

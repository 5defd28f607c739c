using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A content's identity: an algorithm and a hash, such as <c>sha256:2c26…</c>. Valid by construction.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests">image-spec, Digests</see>.
/// Only the registered algorithms <c>sha256</c> and <c>sha512</c> are accepted: what can't be verified is not used.
/// </remarks>
internal sealed record Digest
{
    private const string Sha256Prefix = "sha256:";
    private const string Sha512Prefix = "sha512:";
    private const int ReadSize = 256 * 1024;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private Digest(string value) => Value = value;

    public string Value { get; }

    public string Algorithm => Value[..(Sha256Prefix.Length - 1)];

    public string Hex => Value[Sha256Prefix.Length..];

    public HashAlgorithmName HashAlgorithm =>
        Value.StartsWith(Sha512Prefix, StringComparison.Ordinal) ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;

    /// <exception cref="ImagePublishException"><c>IMG1002</c>: it is malformed.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest)
            ? digest
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidDigest,
                $"'{Text.Sanitize(text)}' is not a digest: expected 'sha256:' and 64 lower-case hexadecimal digits."
            );

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Digest? digest)
    {
        digest = IsValid(text, Sha256Prefix, 64) || IsValid(text, Sha512Prefix, 128) ? new Digest(text!) : null;
        return digest is not null;
    }

    public static Digest Compute(ReadOnlySpan<byte> content) => FromSha256(SHA256.HashData(content));

    public static Digest FromSha256(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        return new Digest(Sha256Prefix + Convert.ToHexStringLower(hash));
    }

    public bool Matches(ReadOnlySpan<byte> hash) => Hex.Equals(Convert.ToHexStringLower(hash), StringComparison.Ordinal);

    /// <summary>The SHA-256 digest of a stream, from where it is to its end.</summary>
    internal static async Task<Digest> ComputeAsync(Stream content, CancellationToken cancellationToken) =>
        FromSha256(await HashAsync(content, HashAlgorithmName.SHA256, cancellationToken));

    /// <summary>Whether a stream, from where it is to its end, has this digest.</summary>
    internal async Task<bool> MatchesAsync(Stream content, CancellationToken cancellationToken) =>
        Matches(await HashAsync(content, HashAlgorithm, cancellationToken));

    public override string ToString() => Value;

    // The framework's HashDataAsync reads 4 KiB at a time, which costs half as much again as the hash.
    private static async Task<byte[]> HashAsync(Stream content, HashAlgorithmName algorithm, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            for (int read; (read = await content.ReadAsync(buffer.AsMemory(0, ReadSize), cancellationToken)) > 0; )
                hash.AppendData(buffer, 0, read);
            return hash.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsValid(string? text, string prefix, int digits) =>
        text is not null
        && text.Length == prefix.Length + digits
        && text.StartsWith(prefix, StringComparison.Ordinal)
        && !text.AsSpan(prefix.Length).ContainsAnyExcept(HexDigits);
}

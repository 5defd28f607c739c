using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace ImagePublish.Testing;

/// <summary>Digests as plain text, apart from the product's own type.</summary>
public static partial class Digests
{
    /// <summary>The digest of nothing.</summary>
    public const string Empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static string Sha256(ReadOnlySpan<byte> bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string Sha512(ReadOnlySpan<byte> bytes) => "sha512:" + Convert.ToHexStringLower(SHA512.HashData(bytes));

    /// <summary>Right in form, of an algorithm this registry can check.</summary>
    public static bool IsValid(string? text) => text is not null && Pattern().IsMatch(text);

    [GeneratedRegex("^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}

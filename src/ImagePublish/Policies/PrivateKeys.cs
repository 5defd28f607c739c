using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Policies;

/// <summary>Finds private keys by what files contain. What only looks like one, such as an example in a page, is none.</summary>
internal static partial class PrivateKeys
{
    private const int MinKeyLength = 32;
    private const string Encrypted = " (encrypted)";

    // -----BEGIN in base64, as a Kubernetes Secret or kubeconfig has it.
    private const string ArmorInBase64 = "LS0tLS1CRUdJTi";

    private static ReadOnlySpan<byte> KeyBag => [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01, 0x01];

    private static ReadOnlySpan<byte> ShroudedKeyBag => [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01, 0x02];

    /// <summary>What kind of private key a file has; null for none.</summary>
    public static string? Find(ReadOnlySpan<byte> content, string text) =>
        FindArmored(text) ?? FindEncoded(text) ?? FindOther(text) ?? FindBinary(content);

    private static string? FindArmored(string text)
    {
        if (!text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return null;
        foreach (Match begin in Armor().Matches(text))
        {
            var start = begin.Index + begin.Length;
            var length = text.AsSpan(start).IndexOf("-----END");
            if (length > 0 && Describe(begin.Groups[1].Value, text.Substring(start, length)) is { } found)
                return found;
        }

        return null;
    }

    private static string? Describe(string kind, string body)
    {
        // In JSON and environment variables line ends are written out.
        var lines = body.Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Split('\n');
        var isOld = lines.Any(line => line.Contains("ENCRYPTED", StringComparison.Ordinal));
        var base64 = string.Concat(
            lines.Where(line => !line.Contains(':', StringComparison.Ordinal)).Select(line => line.Trim(' ', '\t', '\r', '"', '\'', '\\'))
        );
        if (kind.StartsWith("PGP", StringComparison.Ordinal))
            return base64.Length >= 4 * MinKeyLength ? "an OpenPGP private key" : null;
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var length) || length < MinKeyLength)
            return null;
        var key = bytes.AsSpan(0, length);
        if (kind.StartsWith("OPENSSH", StringComparison.Ordinal))
            return key.StartsWith("openssh-key-v1\0"u8) ? $"an OpenSSH private key{(IsEncryptedSsh(key) ? Encrypted : "")}" : null;
        if (kind.Contains("ENCRYPTED", StringComparison.Ordinal) || isOld)
            return $"a private key in PEM{Encrypted}";
        return key[0] == 0x30 ? "a private key in PEM" : null;
    }

    // openssh-key-v1, a zero, and the cipher's name with its length before it.
    private static bool IsEncryptedSsh(ReadOnlySpan<byte> key) => !key[15..].StartsWith("\0\0\0\u0004none"u8);

    private static string? FindEncoded(string text)
    {
        for (
            var start = text.IndexOf(ArmorInBase64, StringComparison.Ordinal);
            start >= 0;
            start = text.IndexOf(ArmorInBase64, start + 1, StringComparison.Ordinal)
        )
        {
            var length = text.AsSpan(start).IndexOfAnyExcept(Base64Letters);
            var encoded = text.AsSpan(start, length < 0 ? text.Length - start : length);
            var bytes = new byte[encoded.Length];
            if (
                Convert.TryFromBase64Chars(encoded[..(encoded.Length / 4 * 4)], bytes, out var written)
                && FindArmored(Encoding.Latin1.GetString(bytes, 0, written)) is { } found
            )
                return found + " in base64";
        }

        return null;
    }

    private static readonly System.Buffers.SearchValues<char> Base64Letters = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    );

    private static string? FindOther(string text)
    {
        if (text.StartsWith("PuTTY-User-Key-File-", StringComparison.Ordinal) && text.Contains("Private-Lines:", StringComparison.Ordinal))
            return "a private key of PuTTY";
        if (text.Contains("\"kty\"", StringComparison.Ordinal) && JsonWebKey().IsMatch(text))
            return "a private JSON web key";
        return text.Contains("<masterKey", StringComparison.Ordinal) && DataProtectionKey().IsMatch(text)
            ? "a key of ASP.NET Core's data protection"
            : null;
    }

    private static string? FindBinary(ReadOnlySpan<byte> content)
    {
        if (content.Length < MinKeyLength)
            return null;
        if (content[0] == 0x30)
        {
            if (content.IndexOf(ShroudedKeyBag) >= 0 || content.IndexOf(KeyBag) >= 0)
                return "a certificate with its private key (PKCS#12)";
            return FindDer(content);
        }

        // A Java key store: magic, version and number of entries, the first of which begins with its kind.
        return BinaryPrimitives.ReadUInt32BigEndian(content) == 0xFEEDFEED && BinaryPrimitives.ReadUInt32BigEndian(content[12..]) == 1
            ? "a private key in a Java key store"
            : null;
    }

    private static string? FindDer(ReadOnlySpan<byte> content)
    {
        try
        {
            if (
                !AsnDecoder.TryReadEncodedValue(content, AsnEncodingRules.BER, out _, out _, out _, out var length)
                || length > content.Length
            )
                return null;
            return IsPrivateKey(content[..length]) ? "a private key in DER" : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    // PrivateKeyInfo: version 0 or 1, algorithm, octets. RSAPrivateKey: version 0 and eight integers. ECPrivateKey: version 1, octets.
    private static bool IsPrivateKey(ReadOnlySpan<byte> content)
    {
        var sequence = new AsnReader(content.ToArray(), AsnEncodingRules.BER).ReadSequence();
        if (!sequence.TryReadInt32(out var version) || version is < 0 or > 1 || !sequence.HasData)
            return false;
        var tag = sequence.PeekTag();
        if (tag.HasSameClassAndValue(Asn1Tag.PrimitiveOctetString))
            return version == 1 && sequence.ReadOctetString().Length >= 16;
        if (tag.HasSameClassAndValue(Asn1Tag.Sequence))
        {
            sequence.ReadSequence().ReadObjectIdentifier();
            return sequence.HasData && sequence.PeekTag().HasSameClassAndValue(Asn1Tag.PrimitiveOctetString);
        }

        var integers = 0;
        for (; sequence.HasData && sequence.PeekTag().HasSameClassAndValue(Asn1Tag.Integer); integers++)
            sequence.ReadIntegerBytes();
        return integers >= 8;
    }

    [GeneratedRegex("-----BEGIN ((?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?)-----", RegexOptions.CultureInvariant)]
    private static partial Regex Armor();

    [GeneratedRegex(@"""d""\s*:\s*""[A-Za-z0-9_-]{20,}""", RegexOptions.CultureInvariant)]
    private static partial Regex JsonWebKey();

    [GeneratedRegex(@"<masterKey\b[^>]*>\s*(?:<!--.{0,400}?-->\s*)?<value>\s*[A-Za-z0-9+/=]{40,}\s*</value>", RegexOptions.Singleline)]
    private static partial Regex DataProtectionKey();
}

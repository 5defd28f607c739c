using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImagePublish.Packages.Layout;

/// <summary>OpenSSL's hash of a certificate's subject, by which it finds an authority in a folder.</summary>
/// <remarks>
/// <see href="https://docs.openssl.org/3.0/man3/X509_NAME_hash/">X509_NAME_hash</see>: SHA-1 of the canonical name (strings as UTF-8, in
/// lower case, with single spaces; no outer sequence), the first four bytes as a little-endian number. A name, not a protection.
/// </remarks>
internal static class SubjectHash
{
    public static string? Compute(string pem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            return Compute(certificate.SubjectName.RawData);
        }
        catch (Exception exception) when (exception is CryptographicException or AsnContentException)
        {
            return null;
        }
    }

    private static string Compute(byte[] name)
    {
        var canonical = new List<byte>();
        var parts = new AsnReader(name, AsnEncodingRules.DER).ReadSequence();
        while (parts.HasData)
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            var set = parts.ReadSetOf();
            using (writer.PushSetOf())
            {
                while (set.HasData)
                    WriteAttribute(writer, set.ReadSequence());
            }

            canonical.AddRange(writer.Encode());
        }

#pragma warning disable CA5350 // OpenSSL's choice, for the name of a file.
        var hash = SHA1.HashData([.. canonical]);
#pragma warning restore CA5350
        return $"{BitConverter.ToUInt32(hash.AsSpan(0, 4)):x8}";
    }

    private static void WriteAttribute(AsnWriter writer, AsnReader attribute)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(attribute.ReadObjectIdentifier());
            var tag = attribute.PeekTag();
            if (
                (UniversalTagNumber)tag.TagValue is var kind
                && kind
                    is UniversalTagNumber.UTF8String
                        or UniversalTagNumber.PrintableString
                        or UniversalTagNumber.IA5String
                        or UniversalTagNumber.T61String
                        or UniversalTagNumber.BMPString
                        or UniversalTagNumber.UniversalString
                        or UniversalTagNumber.VisibleString
            )
                writer.WriteCharacterString(UniversalTagNumber.UTF8String, Canonical(attribute.ReadCharacterString(kind)));
            else
                writer.WriteEncodedValue(attribute.ReadEncodedValue().Span);
        }
    }

    // Only ASCII letters and spaces are touched, as OpenSSL does.
    private static string Canonical(string text)
    {
        var words = text.Split([' ', '\t', '\n', '\v', '\f', '\r'], StringSplitOptions.RemoveEmptyEntries);
        var canonical = new StringBuilder();
        foreach (var character in string.Join(' ', words))
            canonical.Append(char.IsAsciiLetterUpper(character) ? (char)(character | 0x20) : character);
        return canonical.ToString();
    }
}

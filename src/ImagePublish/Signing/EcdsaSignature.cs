using System.Formats.Asn1;
using System.Security.Cryptography;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>The two ways to write the two numbers of an ECDSA signature: in DER, or side by side.</summary>
internal static class EcdsaSignature
{
    public static byte[] ToDer(ReadOnlySpan<byte> numbers)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(Trimmed(numbers[..(numbers.Length / 2)]));
            writer.WriteIntegerUnsigned(Trimmed(numbers[(numbers.Length / 2)..]));
        }

        return writer.Encode();
    }

    /// <exception cref="CryptographicException">It is not a signature in DER, or one of a larger key.</exception>
    public static byte[] ToNumbers(ReadOnlyMemory<byte> der, VerificationKey key)
    {
        var size = (key.Key.KeySize + 7) / 8;
        var numbers = new byte[2 * size];
        try
        {
            var sequence = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            for (var end = size; end <= numbers.Length; end += size)
            {
                var number = sequence.ReadIntegerBytes().Span.TrimStart((byte)0);
                number.CopyTo(numbers.AsSpan(end - number.Length, number.Length));
            }
        }
        catch (Exception exception) when (exception is AsnContentException or ArgumentException)
        {
            throw new CryptographicException("the signature is not one of ECDSA", exception);
        }

        return numbers;
    }

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> number) => number.TrimStart((byte)0) is { Length: > 0 } rest ? rest : [0];
}

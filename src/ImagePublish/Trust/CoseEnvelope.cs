using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.Cose;

namespace ImagePublish.Trust;

/// <summary>Reads Notation signatures in COSE.</summary>
/// <remarks><see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-cose.md">COSE Sign1 Signature
/// Envelope</see>.</remarks>
internal static class CoseEnvelope
{
    public const string MediaType = "application/cose";

    private const byte Sign1Tag = 0xD2;
    private static readonly CoseHeaderLabel Certificates = new(33);

    public static NotationEnvelope Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.Span[0] != Sign1Tag)
            throw RefusedSignatureException.Malformed("its COSE envelope is not a COSE_Sign1");
        try
        {
            return Read(CoseMessage.DecodeSign1(bytes.Span));
        }
        catch (Exception exception)
            when (exception
                    is CryptographicException
                        or CborContentException
                        or InvalidOperationException
                        or ArgumentException
                        or OverflowException
                        or FormatException
            )
        {
            throw RefusedSignatureException.Malformed("its COSE envelope is malformed", exception);
        }
    }

    private static NotationEnvelope Read(CoseSign1Message message)
    {
        var headers = message.ProtectedHeaders;
        var chain = CertificateChain.Read(ReadCertificates(message));
        RequireAlgorithm(headers, chain.Key);
        if (message.Content is not { } payload || !Verify(message, chain.Key))
            throw RefusedSignatureException.Malformed("it does not fit its content: one of them was altered");
        var type = Value(headers, CoseHeaderLabel.ContentType)?.GetValueAsString();
        if (type != NotationEnvelope.PayloadType)
            throw RefusedSignatureException.Malformed(
                $"its payload is '{Common.Text.Sanitize(type ?? "")}' and not {NotationEnvelope.PayloadType}"
            );
        var scheme = NotationEnvelope.ReadScheme(Value(headers, new(NotationEnvelope.SchemeHeader))?.GetValueAsString() ?? "");
        var expiry = Instant(headers, NotationEnvelope.ExpiryHeader);
        return new NotationEnvelope(chain, payload, message.Signature)
        {
            Scheme = scheme,
            AuthenticTime = Instant(headers, NotationEnvelope.AuthenticTimeHeader),
            Expiry = expiry,
            PluginHeader = NotationEnvelope.RequireHeaders(ReadCritical(headers), scheme, expiry is not null),
            TimeStamp = Value(message.UnprotectedHeaders, new(NotationEnvelope.TimeStampHeader)) is { } stamp
                ? stamp.GetValueAsBytes().AsMemory()
                : (ReadOnlyMemory<byte>?)null,
        };
    }

    // The framework verifies with the algorithm that the header names: by then it is the one that the key decides.
    private static bool Verify(CoseSign1Message message, VerificationKey key)
    {
        try
        {
            return message.VerifyEmbedded(key.Key);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static void RequireAlgorithm(CoseHeaderMap headers, VerificationKey key)
    {
        var named = Value(headers, CoseHeaderLabel.Algorithm)?.GetValueAsInt32();
        NotationEnvelope.RequireAlgorithm(
            key,
            named is not null && named == key.NotationAlgorithm.CoseNumber,
            named?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""
        );
    }

    private static List<byte[]> ReadCertificates(CoseSign1Message message)
    {
        var value = Value(message.ProtectedHeaders, Certificates) ?? Value(message.UnprotectedHeaders, Certificates);
        var certificates = new List<byte[]>();
        if (value is not { } found)
            return certificates;
        var reader = new CborReader(found.EncodedValue);
        // One certificate is not in a list.
        if (reader.PeekState() == CborReaderState.ByteString)
            return [reader.ReadByteString()];
        reader.ReadStartArray();
        while (reader.PeekState() != CborReaderState.EndArray && certificates.Count <= CertificateChain.MaxCertificates)
            certificates.Add(reader.ReadByteString());
        return certificates;
    }

    private static List<string> ReadCritical(CoseHeaderMap headers)
    {
        var critical = new List<string>();
        if (Value(headers, CoseHeaderLabel.CriticalHeaders) is not { } value)
            return critical;
        var reader = new CborReader(value.EncodedValue);
        reader.ReadStartArray();
        while (reader.PeekState() != CborReaderState.EndArray)
            critical.Add(
                reader.PeekState() == CborReaderState.TextString
                    ? reader.ReadTextString()
                    : reader.ReadInt64().ToString(System.Globalization.CultureInfo.InvariantCulture)
            );
        return critical;
    }

    private static DateTimeOffset? Instant(CoseHeaderMap headers, string name)
    {
        if (Value(headers, new CoseHeaderLabel(name)) is not { } value)
            return null;
        var reader = new CborReader(value.EncodedValue);
        return reader.PeekTag() == CborTag.UnixTimeSeconds
            ? reader.ReadUnixTimeSeconds()
            : throw RefusedSignatureException.Malformed($"the header '{name}' is not an instant");
    }

    private static CoseHeaderValue? Value(CoseHeaderMap headers, CoseHeaderLabel label) =>
        headers.TryGetValue(label, out var value) ? value : null;
}

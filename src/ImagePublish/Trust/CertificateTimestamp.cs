using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Trust;

/// <summary>A log's word in a certificate that it has the certificate (SCT): whoever got one unnoticed would be found there.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc6962#section-3.2">RFC 6962, Structure of the Signed Certificate
/// Timestamp</see>.</remarks>
internal sealed record CertificateTimestamp(byte[] LogId, ulong Milliseconds, byte[] Extensions, byte[] Signature)
{
    private const string ListExtension = "1.3.6.1.4.1.11129.2.4.2";
    private const ulong LastMillisecond = 253402300799999;

    private DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds((long)Milliseconds);

    /// <summary>Makes sure that a trusted log has a certificate.</summary>
    /// <param name="issuers">Trusted authorities, of which one issued it.</param>
    public static void Require(X509Certificate2 certificate, IEnumerable<X509Certificate2> issuers, IReadOnlyList<TransparencyLog> logs)
    {
        var stamps = ReadList(certificate);
        if (stamps.Count == 0)
            throw RefusedSignatureException.Malformed("its certificate has no proof that a log of certificates has it");
        var hashes = issuers.Select(issuer => SHA256.HashData(issuer.PublicKey.ExportSubjectPublicKeyInfo())).ToList();
        var content = RemoveList(certificate);
        if (!stamps.Any(stamp => hashes.Exists(hash => stamp.IsBy(logs, hash, content))))
            throw RefusedSignatureException.Untrusted("no trusted log of certificates has its certificate");
    }

    private bool IsBy(IReadOnlyList<TransparencyLog> logs, byte[] issuer, byte[] content)
    {
        var signed = SignedBytes(issuer, content);
        return logs.Any(log => log.Id.Span.SequenceEqual(LogId) && log.Validity.Contains(Time) && log.HasSigned(signed, Signature));
    }

    private byte[] SignedBytes(byte[] issuer, byte[] content)
    {
        var time = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(time, Milliseconds);
        byte[] length = [(byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length];
        byte[] extensions = [(byte)(Extensions.Length >> 8), (byte)Extensions.Length, .. Extensions];
        // The version, what the signature is for, and that the certificate is one without this proof.
        return [0, 0, .. time, 0, 1, .. issuer, .. length, .. content, .. extensions];
    }

    private static List<CertificateTimestamp> ReadList(X509Certificate2 certificate)
    {
        if (certificate.Extensions.FirstOrDefault(one => one.Oid?.Value == ListExtension) is not { } extension)
            return [];
        try
        {
            var list = new TlsReader(AsnDecoder.ReadOctetString(extension.RawData, AsnEncodingRules.DER, out _));
            var items = new TlsReader(list.ReadBytes());
            var stamps = new List<CertificateTimestamp>();
            while (!items.IsAtEnd)
            {
                if (Read(new TlsReader(items.ReadBytes())) is { } stamp)
                    stamps.Add(stamp);
            }

            return stamps;
        }
        catch (Exception exception) when (exception is AsnContentException or ArgumentException)
        {
            throw RefusedSignatureException.Malformed("the proof of its certificate's log is malformed", exception);
        }
    }

    // Null for another version.
    private static CertificateTimestamp? Read(TlsReader reader)
    {
        if (reader.ReadFixed(1) is not [0])
            return null;
        var log = reader.ReadFixed(32);
        var time = BinaryPrimitives.ReadUInt64BigEndian(reader.ReadFixed(8));
        var extensions = reader.ReadBytes();
        // The algorithms of the signature are the key's.
        reader.ReadFixed(2);
        return time <= LastMillisecond ? new CertificateTimestamp(log, time, extensions, reader.ReadBytes()) : null;
    }

    // The signed part of the certificate as the log got it.
    private static byte[] RemoveList(X509Certificate2 certificate)
    {
        var content = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        var extensionsTag = new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true);
        using (writer.PushSequence())
        {
            while (content.HasData)
            {
                if (content.PeekTag() != extensionsTag)
                {
                    writer.WriteEncodedValue(content.ReadEncodedValue().Span);
                    continue;
                }

                var extensions = content.ReadSequence(extensionsTag).ReadSequence();
                using (writer.PushSequence(extensionsTag))
                using (writer.PushSequence())
                {
                    while (extensions.HasData)
                    {
                        var extension = extensions.ReadEncodedValue();
                        if (new AsnReader(extension, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() != ListExtension)
                            writer.WriteEncodedValue(extension.Span);
                    }
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Reads the encoding of TLS: lengths of two bytes before what has no fixed one.</summary>
    private sealed class TlsReader(byte[] bytes)
    {
        private int at;

        public bool IsAtEnd => at == bytes.Length;

        public byte[] ReadFixed(int length)
        {
            if (bytes.Length - at < length)
                throw new ArgumentException("It ends too early.", nameof(length));
            at += length;
            return bytes[(at - length)..at];
        }

        public byte[] ReadBytes() => ReadFixed(BinaryPrimitives.ReadUInt16BigEndian(ReadFixed(2)));
    }
}

using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Trust;

/// <summary>To whom Fulcio issued a certificate, by whose token.</summary>
/// <remarks><see href="https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md">Sigstore OID information</see>.</remarks>
/// <param name="Subject">A workflow's address, an e-mail address or another name.</param>
/// <param name="Issuer">The address of the issuer of identity tokens.</param>
internal sealed record KeylessIdentity(string Subject, string Issuer)
{
    private const string SubjectNames = "2.5.29.17";
    private const string Arc = "1.3.6.1.4.1.57264.1.";
    private const string OldIssuer = Arc + "1";
    private const string NewIssuer = Arc + "8";
    private const string UserName = Arc + "7";
    private const string Certificate = "its certificate";

    /// <summary>The repository that was built; null where the certificate does not say.</summary>
    public string? SourceRepository { get; init; }

    /// <summary>The branch or tag that was built.</summary>
    public string? SourceRef { get; init; }

    /// <summary>As it is shown.</summary>
    public string Description => $"{Text.Sanitize(Subject)} (by {Text.Sanitize(Issuer)})";

    public static KeylessIdentity Read(X509Certificate2 certificate)
    {
        try
        {
            return new KeylessIdentity(
                ReadSubject(certificate),
                ReadText(certificate, NewIssuer)
                    ?? (Find(certificate, OldIssuer) is { } old ? Strict(old) : null)
                    ?? throw RefusedSignatureException.Malformed($"{Certificate} does not say who issued the identity")
            )
            {
                SourceRepository = ReadText(certificate, Arc + "12"),
                SourceRef = ReadText(certificate, Arc + "14"),
            };
        }
        catch (Exception exception) when (exception is AsnContentException or DecoderFallbackException)
        {
            throw RefusedSignatureException.Malformed($"{Certificate} has a malformed identity", exception);
        }
    }

    /// <summary>To whom a certificate was issued; null where it does not name one identity.</summary>
    public static string? FindSubject(X509Certificate2 certificate)
    {
        try
        {
            return ReadSubject(certificate);
        }
        catch (Exception exception) when (exception is AsnContentException or RefusedSignatureException)
        {
            return null;
        }
    }

    private static string ReadSubject(X509Certificate2 certificate)
    {
        var bytes = Find(certificate, SubjectNames) ?? throw RefusedSignatureException.Malformed($"{Certificate} names no identity");
        var names = new AsnReader(bytes, AsnEncodingRules.DER).ReadSequence();
        var name = ReadName(names);
        // Two names could be two people.
        return name is { Length: > 0 } && !names.HasData
            ? name
            : throw RefusedSignatureException.Malformed($"{Certificate} does not name one identity");
    }

    private static string? ReadName(AsnReader names)
    {
        var tag = names.PeekTag();
        if (tag.TagClass != TagClass.ContextSpecific)
            return null;
        switch (tag.TagValue)
        {
            case 1 or 6:
                return names.ReadCharacterString(UniversalTagNumber.IA5String, tag);
            case 0:
                var other = names.ReadSequence(tag);
                return other.ReadObjectIdentifier() == UserName
                    ? other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadCharacterString(UniversalTagNumber.UTF8String)
                    : null;
            default:
                return null;
        }
    }

    private static string? ReadText(X509Certificate2 certificate, string oid) =>
        Find(certificate, oid) is { } bytes
            ? new AsnReader(bytes, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.UTF8String)
            : null;

    private static byte[]? Find(X509Certificate2 certificate, string oid) =>
        certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == oid)?.RawData;

    private static string Strict(byte[] utf8) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
}

/// <summary>Whose keyless signatures are accepted.</summary>
/// <param name="Subject">Their identity; <c>*</c> in it stands for any characters.</param>
/// <param name="Issuer">Who must have issued their token, exactly.</param>
internal sealed record IdentityPattern(string Subject, string Issuer)
{
    public string? SourceRepository { get; init; }

    public string? SourceRef { get; init; }

    public bool Matches(KeylessIdentity identity) =>
        identity.Issuer == Issuer
        && Matches(Subject, identity.Subject)
        && (SourceRepository is null || (identity.SourceRepository is { } source && Matches(SourceRepository, source)))
        && (SourceRef is null || (identity.SourceRef is { } branch && Matches(SourceRef, branch)));

    /// <summary>Whether a text is as a pattern has it, in which <c>*</c> stands for any characters.</summary>
    public static bool Matches(string pattern, string text)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
            return pattern == text;
        if (!text.StartsWith(parts[0], StringComparison.Ordinal))
            return false;
        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            var found = text.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0)
                return false;
            at = found + part.Length;
        }

        return text.Length - at >= parts[^1].Length && text.EndsWith(parts[^1], StringComparison.Ordinal);
    }
}

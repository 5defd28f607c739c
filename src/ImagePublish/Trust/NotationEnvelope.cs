using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>How the time of a Notation signature is known.</summary>
internal enum SigningScheme
{
    /// <summary>The signer's clock counts for nothing; a time-stamp may prove the time.</summary>
    X509,

    /// <summary>The signer is an authority whose clock is trusted.</summary>
    SigningAuthority,
}

/// <summary>A signature of the Notary Project, read from an envelope and verified with the key of its own certificate.</summary>
/// <remarks><see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md">Signature
/// specification</see>.</remarks>
internal sealed record NotationEnvelope(CertificateChain Chain, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Signature)
{
    public const string ArtifactType = "application/vnd.cncf.notary.signature";
    public const string PayloadType = "application/vnd.cncf.notary.payload.v1+json";

    public const string SchemeHeader = "io.cncf.notary.signingScheme";
    public const string SigningTimeHeader = "io.cncf.notary.signingTime";
    public const string AuthenticTimeHeader = "io.cncf.notary.authenticSigningTime";
    public const string ExpiryHeader = "io.cncf.notary.expiry";
    public const string TimeStampHeader = "io.cncf.notary.timestampSignature";

    public const int MaxSize = 1 << 20;

    // What only a plugin of notation understands.
    private static readonly string[] PluginHeaders = ["io.cncf.notary.verificationPlugin", "io.cncf.notary.verificationPluginMinVersion"];

    public SigningScheme Scheme { get; init; }

    /// <summary>When the authority signed it; only with <see cref="SigningScheme.SigningAuthority"/>.</summary>
    public DateTimeOffset? AuthenticTime { get; init; }

    /// <summary>Until when the signer wants the image to be used; null for ever.</summary>
    public DateTimeOffset? Expiry { get; init; }

    /// <summary>A critical header that only a plugin of notation understands, which alone can verify it in full; null for none.</summary>
    public string? PluginHeader { get; init; }

    /// <summary>The time-stamp (RFC 3161) of <see cref="Signature"/>; null where it has none.</summary>
    public ReadOnlyMemory<byte>? TimeStamp { get; init; }

    /// <summary>Reads an envelope.</summary>
    public static NotationEnvelope Read(string mediaType, ReadOnlyMemory<byte> bytes) =>
        mediaType switch
        {
            JwsEnvelope.MediaType => JwsEnvelope.Read(bytes),
            CoseEnvelope.MediaType => CoseEnvelope.Read(bytes),
            _ => throw RefusedSignatureException.Malformed($"its envelope is '{Text.Sanitize(mediaType)}', which is neither JWS nor COSE"),
        };

    /// <summary>Makes sure that what is signed is a certain manifest.</summary>
    public void RequireTarget(Digest subject)
    {
        using var payload = SignatureJson.Parse(Payload, "its payload");
        var target = SignatureJson.Required(payload.RootElement, "targetArtifact", JsonValueKind.Object, "its payload");
        var digest = SignatureJson.Text(target, "digest", "its payload");
        if (digest != subject.Value)
            throw RefusedSignatureException.Malformed($"it is the signature of another image, {Text.Sanitize(digest)}");
    }

    /// <summary>Reads what both envelopes write in the same words.</summary>
    public static SigningScheme ReadScheme(string scheme) =>
        scheme switch
        {
            "notary.x509" => SigningScheme.X509,
            "notary.x509.signingAuthority" => SigningScheme.SigningAuthority,
            _ => throw RefusedSignatureException.Malformed($"its signing scheme is '{Text.Sanitize(scheme)}', which is unknown"),
        };

    /// <summary>Makes sure that the headers say what they must, and no more than is understood here or by a plugin.</summary>
    /// <returns>What <see cref="PluginHeader"/> is.</returns>
    public static string? RequireHeaders(IReadOnlyCollection<string> critical, SigningScheme scheme, bool hasExpiry)
    {
        string[] known = [SchemeHeader, AuthenticTimeHeader, ExpiryHeader, .. PluginHeaders];
        if (critical.Except(known).FirstOrDefault() is { } unknown)
            throw NotUnderstood(unknown);
        string[] needed =
        [
            SchemeHeader,
            .. scheme == SigningScheme.SigningAuthority ? [AuthenticTimeHeader] : Array.Empty<string>(),
            .. hasExpiry ? [ExpiryHeader] : Array.Empty<string>(),
        ];
        if (needed.Except(critical).FirstOrDefault() is { } missing)
            throw RefusedSignatureException.Malformed($"its header '{missing}' is not marked as critical");
        return critical.FirstOrDefault(PluginHeaders.Contains);
    }

    /// <summary>Refuses one that is to be verified in full without a plugin.</summary>
    public void RequireNoPlugin()
    {
        if (PluginHeader is not null)
            throw NotUnderstood(PluginHeader);
    }

    private static RefusedSignatureException NotUnderstood(string header) =>
        RefusedSignatureException.Unsupported($"its header '{Text.Sanitize(header)}' is critical, and is not supported");

    /// <summary>Makes sure that the algorithm is the one that the certificate's key decides.</summary>
    public static void RequireAlgorithm(VerificationKey key, bool isExpected, string named)
    {
        if (!isExpected)
            throw RefusedSignatureException.Malformed(
                $"its algorithm is '{Text.Sanitize(named)}', and its certificate's key ({key.Description}) signs with "
                    + $"{key.NotationAlgorithm.JwsName ?? "no algorithm of the Notary Project's"} only"
            );
    }
}

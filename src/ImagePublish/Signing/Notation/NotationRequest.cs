using ImagePublish.Http;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Notation;

/// <summary>A key whose certificates are known.</summary>
internal sealed record CertifiedKey(Signer Key, SigningCertificates Certificates);

/// <summary>How images are signed for Notation: with a key and its certificates, or by a plugin.</summary>
internal sealed record NotationRequest
{
    /// <summary>Null where <see cref="Plugin"/> signs.</summary>
    public CertifiedKey? Key { get; init; }

    public NotationPlugin? Plugin { get; init; }

    /// <summary>The media type of the envelope.</summary>
    public string Envelope { get; init; } = JwsEnvelope.MediaType;

    /// <summary>The authority of time-stamps; null for none.</summary>
    public RequestUrl? TimeStamps { get; init; }

    /// <summary>Changes with the key, the certificates and the plugin. Nothing secret is in it.</summary>
    public string Id => $"notation {Key?.Certificates.Id}{Plugin?.Id} {Envelope} {TimeStamps}";
}

using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using ImagePublish.Diagnostics;
using ImagePublish.Http;

namespace ImagePublish.Signing;

/// <summary>A time-stamp of a signature.</summary>
/// <param name="Response">What the authority answered, as sigstore's bundles have it.</param>
/// <param name="Token">The part of it that says when, as envelopes of Notation have it.</param>
internal sealed record NewTimeStamp(byte[] Response, Rfc3161TimestampToken Token);

/// <summary>Asks authorities for time-stamps (<see href="https://www.rfc-editor.org/rfc/rfc3161">RFC 3161</see>).</summary>
internal sealed class TimeStampClient(ServiceClient services)
{
    // The smallest that cannot repeat by chance; some authorities take no longer ones.
    private const int NonceSize = 4;

    /// <param name="advice">What to do where there is none: a sentence.</param>
    /// <exception cref="ImagePublishException"><c>IMG6044</c>: there is none.</exception>
    public async Task<NewTimeStamp> StampAsync(
        RequestUrl authority,
        byte[] signature,
        HashAlgorithmName hash,
        string advice,
        CancellationToken cancellationToken
    )
    {
        var query = Rfc3161TimestampRequest.CreateFromData(
            signature,
            hash,
            nonce: RandomNumberGenerator.GetBytes(NonceSize),
            requestSignerCertificates: true
        );
        var ask = new ServiceRequest("get a time-stamp", HttpMethod.Post, authority)
        {
            Body = query.Encode(),
            BodyType = "application/timestamp-query",
            Accept = "application/timestamp-reply",
            Code = DiagnosticCodes.TimeStampRefused,
            Advice = advice,
        };
        var response = await services.SendAsync(ask, cancellationToken);
        try
        {
            return new NewTimeStamp(response.Body, query.ProcessResponse(response.Body, out _));
        }
        catch (CryptographicException exception)
        {
            throw ServiceClient.Fail(ask, "its answer is not a time-stamp of the signature, or refuses one", exception);
        }
    }
}

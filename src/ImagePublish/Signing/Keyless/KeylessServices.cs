using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Keyless;

/// <summary>Asks an instance of sigstore: for a certificate, for an entry in its log, and for a time-stamp.</summary>
/// <remarks><see href="https://github.com/sigstore/fulcio/blob/main/fulcio.proto">Fulcio's API, v2</see>;
/// <see href="https://github.com/sigstore/rekor/blob/main/openapi.yaml">Rekor's API, v1</see>;
/// <see href="https://www.rfc-editor.org/rfc/rfc3161">RFC 3161</see>.</remarks>
internal sealed class KeylessServices(KeylessRequest request, ServiceClient services)
{
    private const string Retry = "Publish again later, or sign with a key (ImageSigningKey)";
    private const string Answer = "its answer";

    /// <summary>Gets a certificate for a key.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6042</c>: there is none.</exception>
    public async Task<X509Certificate2> CertifyAsync(IdentityToken token, ECDsa key, CancellationToken cancellationToken)
    {
        var ask = new ServiceRequest("get a signing certificate", HttpMethod.Post, FindAuthority().Append("/api/v2/signingCert"))
        {
            Body = OciJson.Write(json => WriteCertificateRequest(json, token, key)),
            Code = DiagnosticCodes.CertificateRefused,
            Advice = $"Check the token's issuer and audience, which the authority must know. {Retry}.",
        };
        var response = await services.SendAsync(ask, cancellationToken);
        try
        {
            return ReadCertificate(response.Body);
        }
        catch (Exception exception) when (exception is RefusedSignatureException or CryptographicException or ArgumentException)
        {
            throw ServiceClient.Fail(ask, $"{Answer} has no certificate that can be used", exception);
        }
    }

    /// <summary>Puts a signature into the log.</summary>
    /// <param name="entry">What is proposed: a document with kind, version and content.</param>
    /// <exception cref="ImagePublishException"><c>IMG6043</c>: it is not in the log.</exception>
    public async Task<LogEntry> LogAsync(byte[] entry, CancellationToken cancellationToken)
    {
        var ask = new ServiceRequest("put the signature into the public log", HttpMethod.Post, FindLog().Append("/api/v1/log/entries"))
        {
            Body = entry,
            Code = DiagnosticCodes.LogRefused,
            Advice = $"{Retry}.",
        };
        var response = await services.AskAsync(ask, cancellationToken);
        // A first attempt got there, and its answer did not get here.
        if (
            response.Status == HttpStatusCode.Conflict
            && ask.Url.TryResolve(response.Location, out var known)
            && known.IsSameOrigin(ask.Url)
        )
            response = await services.AskAsync(ask with { Method = HttpMethod.Get, Url = known, Body = null }, cancellationToken);
        if (!response.IsSuccess)
            throw services.Refused(ask, response);
        try
        {
            return LogEntry.ReadAnswer(response.Body);
        }
        catch (RefusedSignatureException exception)
        {
            throw ServiceClient.Fail(ask, exception.Message, exception);
        }
    }

    /// <summary>Gets a time-stamp of a signature, where there is an authority.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6044</c>: there is none.</exception>
    public async Task<byte[]?> StampAsync(byte[] signature, CancellationToken cancellationToken)
    {
        if (request.TimeStamps is not { } authority)
            return null;
        var advice = $"Check ImageTimeStampUrl, or leave it out: the log's time is enough. {Retry}.";
        var stamp = await new TimeStampClient(services).StampAsync(
            authority,
            signature,
            HashAlgorithmName.SHA256,
            advice,
            cancellationToken
        );
        return stamp.Response;
    }

    private static void WriteCertificateRequest(Utf8JsonWriter json, IdentityToken token, ECDsa key)
    {
        var proof = key.SignData(Encoding.UTF8.GetBytes(token.Subject), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        json.WriteStartObject();
        json.WriteStartObject("credentials");
        json.WriteString("oidcIdentityToken", token.Value);
        json.WriteEndObject();
        json.WriteStartObject("publicKeyRequest");
        json.WriteStartObject("publicKey");
        json.WriteString("algorithm", "ECDSA");
        json.WriteString("content", key.ExportSubjectPublicKeyInfoPem());
        json.WriteEndObject();
        json.WriteBase64String("proofOfPossession", proof);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static X509Certificate2 ReadCertificate(byte[] answer)
    {
        using var json = SignatureJson.Parse(answer, Answer);
        var signed = SignatureJson.Required(json.RootElement, "signedCertificateEmbeddedSct", JsonValueKind.Object, Answer);
        var chain = SignatureJson.Required(signed, "chain", JsonValueKind.Object, Answer);
        var certificates = SignatureJson.Texts(SignatureJson.Required(chain, "certificates", JsonValueKind.Array, Answer), Answer);
        return X509Certificate2.CreateFromPem(certificates.Count > 0 ? certificates[0] : "");
    }

    private RequestUrl FindAuthority() =>
        request.Authority
        ?? FindNow(request.Root.Authorities, one => one.Validity, one => one.Address)
        ?? throw Unknown(DiagnosticCodes.CertificateRefused, "authority of certificates", "ImageFulcioUrl");

    private RequestUrl FindLog() =>
        request.Log
        ?? FindNow(request.Root.Logs.Where(log => log.IsFirstVersion), log => log.Validity, log => log.Address)
        ?? throw Unknown(DiagnosticCodes.LogRefused, "log", "ImageRekorUrl");

    // The newest that is trusted now.
    private RequestUrl? FindNow<T>(IEnumerable<T> candidates, Func<T, Validity> validity, Func<T, string> address) =>
        candidates
            .Where(one => validity(one).Contains(services.Time.GetUtcNow()))
            .OrderByDescending(one => validity(one).From)
            .Select(one => RequestUrl.TryParse(address(one), out var url) ? url : null)
            .FirstOrDefault(url => url is not null);

    private static ImagePublishException Unknown(DiagnosticCode code, string what, string property) =>
        new(code, $"Images can't be signed without a key: the trusted root of sigstore names no {what} for today. Set {property}.");
}

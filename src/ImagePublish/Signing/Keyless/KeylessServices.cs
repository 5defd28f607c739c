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

/// <summary>A log of signatures: Rekor.</summary>
internal sealed record SignatureLog(RequestUrl Address, bool IsSecondVersion);

/// <summary>Asks an instance of sigstore: for a certificate, for an entry in its log, and for a time-stamp.</summary>
/// <remarks><see href="https://github.com/sigstore/fulcio/blob/main/fulcio.proto">Fulcio's API, v2</see>;
/// <see href="https://github.com/sigstore/rekor/blob/main/openapi.yaml">Rekor's API, v1</see>, and
/// <see href="https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md">v2</see>;
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

    /// <summary>Finds the logs that get a signature.</summary>
    /// <param name="atTag">Whether the signature is for the tag <c>sha256-….sig</c>, which has entries of the first version only.</param>
    /// <exception cref="ImagePublishException"><c>IMG6043</c>: there are not enough.</exception>
    public IReadOnlyList<SignatureLog> FindLogs(bool atTag)
    {
        IReadOnlyList<SignatureLog> logs = request.Log is { } one ? [new(one, IsSecondVersion(one))] : FindNamedLogs(atTag);
        if (logs.Count == 0)
            throw Unknown(DiagnosticCodes.LogRefused, "log", "ImageRekorUrl");
        return atTag && logs.FirstOrDefault(log => log.IsSecondVersion) is { } second
            ? throw new ImagePublishException(
                DiagnosticCodes.LogRefused,
                $"The signature can't be put into the log at {second.Address.Shown}: it is Rekor's second version, whose entries "
                    + "have no form at the tag 'sha256-….sig'. Set ImageSignatureFormat to Bundle, or name a log of the first version in "
                    + "ImageRekorUrl."
            )
            : logs;
    }

    /// <summary>Puts a signature into a log.</summary>
    /// <param name="entry">What is proposed, in the form of the log's version.</param>
    /// <exception cref="ImagePublishException"><c>IMG6043</c>: it is not in the log.</exception>
    public async Task<LogEntry> LogAsync(SignatureLog log, byte[] entry, CancellationToken cancellationToken)
    {
        var path = log.IsSecondVersion ? "/api/v2/log/entries" : "/api/v1/log/entries";
        var ask = new ServiceRequest("put the signature into the public log", HttpMethod.Post, log.Address.Append(path))
        {
            Body = entry,
            Code = DiagnosticCodes.LogRefused,
            Advice = $"{Retry}.",
        };
        var response = await services.AskAsync(ask, cancellationToken);
        // A first attempt got there, and its answer did not get here. Logs of the second version can't be asked for entries.
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
            return log.IsSecondVersion ? LogEntry.ReadSecondAnswer(response.Body) : LogEntry.ReadAnswer(response.Body);
        }
        catch (RefusedSignatureException exception)
        {
            throw ServiceClient.Fail(ask, exception.Message, exception);
        }
    }

    /// <summary>Gets time-stamps of a signature, where they are wanted.</summary>
    /// <param name="isNeeded">Whether nothing else has a time.</param>
    /// <exception cref="ImagePublishException"><c>IMG6044</c>: there is none.</exception>
    public async Task<IReadOnlyList<byte[]>> StampAsync(byte[] signature, bool isNeeded, CancellationToken cancellationToken)
    {
        var advice = isNeeded
            ? $"Name another authority with ImageTimeStampUrl, which the trusted root must have: the log has no time of its own. {Retry}."
            : $"Check ImageTimeStampUrl, or leave it out: the log's time is enough. {Retry}.";
        var client = new TimeStampClient(services);
        var stamps = new List<byte[]>();
        foreach (var authority in FindTimeStampAuthorities(isNeeded))
            stamps.Add((await client.StampAsync(authority, signature, HashAlgorithmName.SHA256, advice, cancellationToken)).Response);
        return stamps;
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
        ?? (request.Config?.Authorities.Select(Now, 1) is [var named] ? Addresses([named])[0] : null)
        ?? FindNow(request.Root.Authorities, one => one.Validity, one => one.Address)
        ?? throw Unknown(DiagnosticCodes.CertificateRefused, "authority of certificates", "ImageFulcioUrl");

    // The first version where the root has both: all readers know it.
    private IReadOnlyList<SignatureLog> FindNamedLogs(bool atTag)
    {
        if (request.Config?.Logs is not { } logs)
            return (FindLog(isSecond: false) ?? FindLog(isSecond: true)) is { } found ? [found] : [];
        var selected = logs.Select(Now, atTag ? [1] : [1, 2]);
        if (atTag && selected.Count == 0)
            selected = logs.Select(Now, 2);
        return selected.Count >= (atTag ? 1 : logs.Count ?? 1)
            ? [.. selected.Select(log => new SignatureLog(Addresses([log])[0], log.ApiVersion == 2))]
            : [];
    }

    private SignatureLog? FindLog(bool isSecond) =>
        FindNow(request.Root.Logs.Where(log => log.IsFirstVersion != isSecond), log => log.Validity, log => log.Address) is { } url
            ? new SignatureLog(url, isSecond)
            : null;

    private bool IsSecondVersion(RequestUrl log)
    {
        IEnumerable<string> known =
        [
            .. request.Root.Logs.Where(one => !one.IsFirstVersion).Select(one => one.Address),
            .. request.Config?.Logs.Services.Where(one => one.ApiVersion == 2).Select(one => one.Address) ?? [],
        ];
        return known.Any(address => RequestUrl.TryParse(address, out var url) && url.Append("") == log.Append(""));
    }

    private IReadOnlyList<RequestUrl> FindTimeStampAuthorities(bool isNeeded)
    {
        if (request.TimeStamps is { } one)
            return [one];
        if (request.Config is { } config && (isNeeded || config.WantsTimeStamps))
        {
            var selected = config.TimeStampAuthorities.Select(Now, 1);
            return selected.Count >= (config.TimeStampAuthorities.Count ?? 1)
                ? [.. Addresses(selected).Select(WithPath)]
                : throw NoAuthority();
        }

        if (!isNeeded)
            return [];
        return FindNow(request.Root.TimeStampAuthorities, authority => authority.Validity, authority => authority.Address) is { } found
            ? [WithPath(found)]
            : throw NoAuthority();

        static ImagePublishException NoAuthority() =>
            Unknown(DiagnosticCodes.TimeStampRefused, "authority of time-stamps", "ImageTimeStampUrl");
    }

    // Sigstore's authority, named by its host alone.
    private static RequestUrl WithPath(RequestUrl url) => url.PathAndQuery is "" or "/" ? url.Append("/api/v1/timestamp") : url;

    private DateTimeOffset Now => services.Time.GetUtcNow();

    // The newest that is trusted now.
    private RequestUrl? FindNow<T>(IEnumerable<T> candidates, Func<T, Validity> validity, Func<T, string> address) =>
        candidates
            .Where(one => validity(one).Contains(Now))
            .OrderByDescending(one => validity(one).From)
            .Select(one => RequestUrl.TryParse(address(one), out var url) ? url : null)
            .FirstOrDefault(url => url is not null);

    private static IReadOnlyList<RequestUrl> Addresses(IReadOnlyList<SigstoreService> named) =>
        [.. named.Select(one => RequestUrl.TryParse(one.Address, out var url) ? url : throw Malformed(one.Address))];

    private static ImagePublishException Malformed(string address) =>
        new(
            DiagnosticCodes.TrustUnusable,
            $"ImageSigstoreSigningConfig names the service '{Common.Text.Sanitize(address)}', which is not a valid address. Fix it."
        );

    private static ImagePublishException Unknown(DiagnosticCode code, string what, string property) =>
        new(
            code,
            $"Images can't be signed without a key: sigstore's trusted root or signing config names no {what} for today, or too few. Set "
                + $"{property}."
        );
}

using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;

namespace ImagePublish.Registries.Connection;

internal sealed record RegistryFailure(string Purpose, HttpMethod Method, RequestUrl Url) : HttpFailure(Purpose, Method, Url)
{
    private const int MaxErrorSize = 8 * 1024;

    public RegistryErrors Errors { get; init; } = RegistryErrors.None;

    public override string Detail => Errors.Text;

    public static async Task<RegistryFailure> ReadAsync(string purpose, TransportResponse response, TimeProvider time)
    {
        var errors = await ReadErrorsAsync(response);
        return new RegistryFailure(purpose, response.Method, response.Url)
        {
            Status = response.Status,
            // What another host says that the registry sent us to may be what only this machine can reach.
            Errors = response.IsFromOrigin ? errors : errors with { Text = "" },
            RetryAfter = RetryAfterHeader.Parse(response.Header("Retry-After"), time.GetUtcNow()),
        };
    }

    public ImagePublishException ToException(string? advice = null)
    {
        var (code, usual) = Transport is null ? Explain(Status!.Value) : Explain(Transport.Error);
        return ToException(code, advice ?? usual);
    }

    private static (DiagnosticCode Code, string Advice) Explain(TransportError fault) =>
        fault switch
        {
            TransportError.Name => (DiagnosticCodes.RegistryUnreachable, "Check the registry's name and your DNS."),
            TransportError.Refused => (
                DiagnosticCodes.RegistryUnreachable,
                "Check that the registry runs and that host and port are right."
            ),
            TransportError.Unreachable => (DiagnosticCodes.RegistryUnreachable, "Check the network, the proxy and the firewall."),
            TransportError.Certificate => (
                DiagnosticCodes.CertificateUntrusted,
                "Set SSL_CERT_FILE to the authority's certificate, put it into Docker's certs.d, or name the host in "
                    + "ImageInsecureRegistries."
            ),
            TransportError.Tls => (
                DiagnosticCodes.CertificateUntrusted,
                "If the registry speaks plain http only, name it in ImageInsecureRegistries."
            ),
            TransportError.Proxy => (DiagnosticCodes.RegistryUnreachable, "Check HTTPS_PROXY, its user name and password, and NO_PROXY."),
            TransportError.Protocol => (DiagnosticCodes.RegistryProtocol, "Check that host and port are a registry's."),
            _ => (
                DiagnosticCodes.RegistryFailed,
                "It was tried several times; check the network and the registry, and run the build again: what has arrived is not "
                    + "sent again."
            ),
        };

    private static (DiagnosticCode Code, string Advice) Explain(HttpStatusCode status) =>
        (int)status switch
        {
            401 => (
                DiagnosticCodes.Unauthorized,
                "Sign in with 'docker login', or set IMAGE_REGISTRY_USERNAME__<host> and IMAGE_REGISTRY_PASSWORD__<host>."
            ),
            403 => (DiagnosticCodes.RegistryDenied, "Check that the account may do this in that repository."),
            404 => (
                DiagnosticCodes.RegistryNotFound,
                "Check registry, repository and tag; some registries want a repository to be created first, and some hide what the "
                    + "account may not see."
            ),
            409 or 412 => (DiagnosticCodes.TagImmutable, "Publish under another tag, or make the tag mutable in the registry."),
            413 => (DiagnosticCodes.TooLarge, "Raise the limit of the registry or of the proxy in front of it."),
            429 => (DiagnosticCodes.RateLimited, "Sign in for a higher limit, or wait before you build again."),
            >= 500 or 408 or 425 or 499 => (
                DiagnosticCodes.RegistryFailed,
                "It was tried several times; run the build again later: what has arrived is not sent again."
            ),
            >= 300 and < 400 => (
                DiagnosticCodes.RegistryProtocol,
                "A redirect of this kind can't be followed; name the registry by its final host."
            ),
            < 300 => (DiagnosticCodes.RegistryProtocol, "The specification does not define that answer."),
            _ => (DiagnosticCodes.RegistryRefused, "Check the repository's name and the registry's rules."),
        };

    private static async Task<RegistryErrors> ReadErrorsAsync(TransportResponse response)
    {
        try
        {
            var (body, _) = await response.ReadAsync(MaxErrorSize);
            response.Redactor.Add(response.Authorization?.Parameter);
            return RegistryErrors.Parse(body, response.ContentType, response.Redactor);
        }
        catch (TransportException)
        {
            // The status says enough.
            return RegistryErrors.None;
        }
    }
}

using System.Globalization;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;

namespace ImagePublish.Registries.Http;

/// <summary>A request that did not do what it was for: what it was for, where it went, and what came back.</summary>
internal sealed record Failure(string Doing, HttpMethod Method, RequestUrl Url)
{
    private const int MaxErrorSize = 8 * 1024;

    /// <summary>The answer's status, if there was an answer.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>What the answer said.</summary>
    public RegistryErrors Errors { get; init; } = RegistryErrors.None;

    /// <summary>What is wrong with the connection, if there was no answer.</summary>
    public TransportException? TransportFault { get; init; }

    /// <summary>How long to wait, if the answer said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same may succeed a little later.</summary>
    public bool IsTransient => TransportFault?.IsTransient ?? IsTransientStatus(Status!.Value);

    /// <summary>In a few words: for the log while waiting.</summary>
    public string Reason => TransportFault is { } line ? line.Message : $"{Url.Authority} answers {StatusText}{Said}";

    private string StatusText => string.Create(CultureInfo.InvariantCulture, $"{(int)Status!.Value}{Words(Status.Value)}");

    // TooManyRequests is " Too Many Requests"; a status without a name is only its number.
    private static string Words(HttpStatusCode status) =>
        Enum.IsDefined(status)
            ? string.Concat(
                status
                    .ToString()
                    .Select((c, at) => at == 0 || (char.IsAsciiLetterUpper(c) && status != HttpStatusCode.OK) ? $" {c}" : c.ToString())
            )
            : "";

    private string Said => Errors.Text.Length > 0 ? $" ({Errors.Text})" : "";

    /// <summary>Whether an answer of this status may be another one a little later.</summary>
    public static bool IsTransientStatus(HttpStatusCode status) =>
        (int)status is 408 or 425 or 429 or 499 or 500 or 502 or 503 or 504 or 522;

    public static Failure FromTransport(string doing, HttpMethod method, RequestUrl url, TransportException line) =>
        new(doing, method, url) { TransportFault = line };

    /// <summary>Reads what an answer says.</summary>
    public static async Task<Failure> OfAsync(string doing, RegistryResponse response, TimeProvider time) =>
        new(doing, response.Method, response.Url)
        {
            Status = response.Status,
            // What another host says that the registry sent us to is not the user's to see, and may be what only this machine can reach.
            Errors = await ReadAsync(response) is var errors && response.IsFromRegistry ? errors : errors with { Text = "" },
            RetryAfter = RetryAfterHeader.Parse(response.Header("Retry-After"), time.GetUtcNow()),
        };

    public ImagePublishException ToException(string? advice = null)
    {
        var (code, usual) = TransportFault is { } line ? Explain(line.Fault) : Explain(Status!.Value);
        return ToException(code, advice ?? usual);
    }

    public ImagePublishException ToException(DiagnosticCode code, string advice) =>
        new(
            code,
            $"Could not {Doing}: {Method} {Url.Shown} {(TransportFault is { } line ? $"failed, {line.Message}" : $"answered {StatusText}{Said}")}. {advice}",
            TransportFault
        );

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
                "Set SSL_CERT_FILE to the authority's certificate, put it into Docker's certs.d, or name the host in ImageInsecureRegistries."
            ),
            TransportError.Tls => (
                DiagnosticCodes.CertificateUntrusted,
                "If the registry speaks plain http only, name it in ImageInsecureRegistries."
            ),
            TransportError.Proxy => (DiagnosticCodes.RegistryUnreachable, "Check HTTPS_PROXY, its user name and password, and NO_PROXY."),
            TransportError.Protocol => (DiagnosticCodes.RegistryProtocol, "Check that host and port are a registry's."),
            _ => (
                DiagnosticCodes.RegistryFailed,
                "It was tried several times; check the network and the registry, and run the build again: what has arrived is not sent again."
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
                "Check registry, repository and tag; some registries want a repository to be created first, and some hide what the account may not see."
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
            < 300 => (DiagnosticCodes.RegistryProtocol, "That answer is not one the specification has."),
            _ => (DiagnosticCodes.RegistryRefused, "Check the repository's name and the registry's rules."),
        };

    private static async Task<RegistryErrors> ReadAsync(RegistryResponse response)
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

using ImagePublish.Diagnostics;
using ImagePublish.Registries.Endpoints;
using ImagePublish.Registries.Http;

namespace ImagePublish.Http;

/// <summary>Where an answer sends us, and whether we go.</summary>
/// <remarks>
/// The framework turns a redirected POST into a GET and goes from http to https only; registries mean the same request at another place.
/// So: the same method and body, never from https to http, never with credentials to another host.
/// </remarks>
internal static class Redirects
{
    private const int Max = 10;

    /// <summary>Whether an answer sends the same request elsewhere.</summary>
    public static bool IsRedirect(RegistryResponse response) =>
        (int)response.Status is 301 or 302 or 307 or 308
        || ((int)response.Status == 303 && (response.Method == HttpMethod.Get || response.Method == HttpMethod.Head));

    /// <summary>The next address.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c> or <c>IMG4004</c>: it is unsafe, or leads nowhere.</exception>
    public static RequestUrl Next(Endpoint endpoint, RequestUrl root, RegistryResponse response, int hops)
    {
        if (hops >= Max)
            throw Error(
                endpoint,
                response,
                DiagnosticCodes.RegistryProtocol,
                $"redirects more than {Max} times",
                "Check the registry's host name and the proxy in front of it."
            );
        return Resolve(endpoint, root, response);
    }

    /// <summary>The address in an answer's Location header, which begins an upload or redirects.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c> or <c>IMG4004</c>: it is unsafe or malformed.</exception>
    public static RequestUrl Resolve(Endpoint endpoint, RequestUrl root, RegistryResponse response)
    {
        if (response.Location is not { } location)
            throw Error(
                endpoint,
                response,
                DiagnosticCodes.RegistryProtocol,
                "comes without the Location it must have",
                "Report it to the registry's operator."
            );
        if (!response.Url.TryResolve(location, out var next))
            throw Error(
                endpoint,
                response,
                DiagnosticCodes.RegistryProtocol,
                $"has a Location that is no http address ('{response.Redactor.Shown(location.Split('?')[0])}')",
                "Report it to the registry's operator."
            );
        return Secured(root, response.Url, next)
            ?? throw Error(
                endpoint,
                response,
                DiagnosticCodes.UnsafeRedirect,
                $"leads from https to {next.Shown}",
                "If the registry stands behind a proxy, let the proxy send X-Forwarded-Proto: https."
            );
    }

    /// <summary>
    /// From https there is no way to http. But distribution behind a proxy that forgets to say so believes that it is spoken to in http: an address at the registry itself is taken as https.
    /// </summary>
    public static RequestUrl? Secured(RequestUrl root, RequestUrl from, RequestUrl next)
    {
        if (!from.IsHttps || next.IsHttps)
            return next;
        var isRegistry = root.IsHttps && (next.Authority == root.Authority || next.Authority == root.Host);
        return isRegistry ? next with { Scheme = root.Scheme, Authority = root.Authority } : null;
    }

    private static ImagePublishException Error(
        Endpoint endpoint,
        RegistryResponse response,
        DiagnosticCode code,
        string what,
        string advice
    ) =>
        new(
            code,
            $"Could not {endpoint.Description}: the answer {(int)response.Status} of {response.Method} {response.Url.Shown} {what}. {advice}"
        );
}

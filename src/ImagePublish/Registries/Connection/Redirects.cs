using ImagePublish.Diagnostics;
using ImagePublish.Http;

namespace ImagePublish.Registries.Connection;

/// <summary>Where a response sends us, and whether we go.</summary>
/// <remarks>The framework turns a redirected POST into a GET and goes from http to https only; registries mean the same request at another
/// address. So: the same method and body, never from https to http, never with credentials to another host.</remarks>
internal static class Redirects
{
    private const int Max = 10;

    /// <summary>The next address.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c> or <c>IMG4004</c>: it is unsafe or malformed, or there were too
    /// many.</exception>
    public static RequestUrl Next(RegistryRequest request, RequestUrl root, TransportResponse response, int redirects)
    {
        if (redirects >= Max)
            throw Error(
                request,
                response,
                DiagnosticCodes.RegistryProtocol,
                $"redirects more than {Max} times",
                "Check the registry's host name and the proxy in front of it."
            );
        return Resolve(request, root, response);
    }

    /// <summary>The address in a response's Location header, which starts an upload or redirects.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c> or <c>IMG4004</c>: it is unsafe or malformed.</exception>
    public static RequestUrl Resolve(RegistryRequest request, RequestUrl root, TransportResponse response)
    {
        if (response.Location is not { } location)
            throw Error(
                request,
                response,
                DiagnosticCodes.RegistryProtocol,
                "comes without the Location it must have",
                "Report it to the registry's operator."
            );
        if (!response.Url.TryResolve(location, out var next))
            throw Error(
                request,
                response,
                DiagnosticCodes.RegistryProtocol,
                $"has a Location that is not an http address ('{response.Redactor.Shown(location.Split('?')[0])}')",
                "Report it to the registry's operator."
            );
        return Secure(root, response.Url, next)
            ?? throw Error(
                request,
                response,
                DiagnosticCodes.UnsafeRedirect,
                $"leads from https to {next.Shown}",
                "If the registry is behind a proxy, let the proxy send X-Forwarded-Proto: https."
            );
    }

    public static RequestUrl? Secure(RequestUrl root, RequestUrl from, RequestUrl next)
    {
        if (!from.IsHttps || next.IsHttps)
            return next;
        // Quirk: http-location. The registry does not know that it is behind https.
        var isRegistry = root.IsHttps && (next.Authority == root.Authority || next.Authority == root.Host);
        return isRegistry ? next with { Scheme = root.Scheme, Authority = root.Authority } : null;
    }

    private static ImagePublishException Error(
        RegistryRequest request,
        TransportResponse response,
        DiagnosticCode code,
        string what,
        string advice
    ) =>
        new(
            code,
            $"Could not {request.Description}: the answer {(int)response.Status} of {response.Method} {response.Url.Shown} {what}. {advice}"
        );
}

using System.Diagnostics;
using System.Net;
using ImagePublish.Diagnostics;

namespace ImagePublish.Http;

/// <summary>The span of one request.</summary>
/// <remarks>See OpenTelemetry's <see href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">conventions for
/// HTTP</see>.</remarks>
internal static class RequestSpan
{
    private const string RegistryPath = "/v2/";

    public static Activity? Start(TransportRequest request) =>
        Spans.Start(request.Message.Method.Method, ActivityKind.Client) is { } span ? Describe(span, request) : null;

    public static void Conclude(Activity? span, HttpResponseMessage response)
    {
        if (span is null)
            return;
        var status = (int)response.StatusCode;
        span.SetTag("http.response.status_code", status);
        span.SetTag("network.protocol.version", response.Version.Major < 2 ? response.Version.ToString(2) : $"{response.Version.Major}");
        // A registry is asked for what it may not have, and without a token first.
        if (status < 400 || response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized)
            return;
        span.SetTag(Spans.ErrorType, $"{status}");
        span.SetStatus(ActivityStatusCode.Error);
    }

    public static void Fail(Activity? span, Exception exception)
    {
        if (exception is not TransportException { Error: var error })
        {
            Spans.Fail(span, exception);
            return;
        }

        span?.SetTag(Spans.ErrorType, error.ToString());
        span?.SetStatus(ActivityStatusCode.Error);
    }

    // Queries have signatures and user names. A path may have them too, where it is not that of a registry's own API.
    private static Activity Describe(Activity span, TransportRequest request)
    {
        var url = request.Url;
        var path = url.PathAndQuery.Split('?')[0];
        var isOwn = request.Sender is null && path.StartsWith(RegistryPath, StringComparison.Ordinal);
        var address = url.ToUri();
        span.SetTag("http.request.method", request.Message.Method.Method);
        span.SetTag("url.full", $"{url.Scheme}://{url.Authority}{(isOwn ? path : "/REDACTED")}");
        span.SetTag("server.address", address.Host);
        span.SetTag("server.port", address.Port);
        return span;
    }
}

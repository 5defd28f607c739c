using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Http;

/// <summary>A request to a service that is no registry, such as an authority of certificates or a log.</summary>
/// <param name="Purpose">What it is for, as it follows "Could not".</param>
internal sealed record ServiceRequest(string Purpose, HttpMethod Method, RequestUrl Url)
{
    public byte[]? Body { get; init; }

    public string BodyType { get; init; } = "application/json";

    public string Accept { get; init; } = "application/json";

    /// <summary>How the body is compressed: a <c>Content-Encoding</c>; null for not at all.</summary>
    public string? BodyEncoding { get; init; }

    /// <summary>Further headers.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The value of the header of this name.</summary>
    public string? Authorization { get; init; }

    /// <summary>What is reported where it fails.</summary>
    public required DiagnosticCode Code { get; init; }

    /// <summary>What to do then: a sentence.</summary>
    public required string Advice { get; init; }
}

internal sealed record ServiceResponse(HttpStatusCode Status, byte[] Body, string? Location)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;
}

/// <summary>Sends requests to services with the build's connections, proxies, certificates and retries. No redirect is followed.</summary>
internal sealed class ServiceClient(Transport transport, RetryPolicy retry)
{
    private const int MaxAnswer = 2 << 20;
    private const int MaxExplanation = 400;

    public TimeProvider Time => transport.Time;

    public Redactor Redactor => transport.Options.Redactor;

    /// <summary>Sends a request that must succeed.</summary>
    /// <exception cref="ImagePublishException">With the request's code: the service can't be reached, or refuses.</exception>
    public async Task<ServiceResponse> SendAsync(ServiceRequest request, CancellationToken cancellationToken)
    {
        var response = await AskAsync(request, cancellationToken);
        return response.IsSuccess ? response : throw Refused(request, response);
    }

    /// <summary>Sends a request; what the service answers is the caller's to judge.</summary>
    /// <exception cref="ImagePublishException">With the request's code: the service can't be reached, or may not be.</exception>
    public async Task<ServiceResponse> AskAsync(ServiceRequest request, CancellationToken cancellationToken)
    {
        RequireSafe(request);
        for (var attempts = 1; ; attempts++)
        {
            HttpFailure failure;
            ServiceResponse? answer = null;
            try
            {
                using var sent = Create(request);
                using var response = await transport.ExchangeAsync(sent, cancellationToken);
                var (body, isCut) = await response.ReadAsync(MaxAnswer);
                if (isCut)
                    throw Fail(request, $"its answer has more than {MaxAnswer} bytes");
                answer = new ServiceResponse(response.Status, body, response.Location);
                if (answer.IsSuccess)
                {
                    retry.RecordSuccess();
                    return answer;
                }

                failure = HttpFailure.FromResponse(request.Purpose, response, transport.Time);
            }
            catch (TransportException exception)
            {
                failure = new HttpFailure(request.Purpose, request.Method, request.Url) { Transport = exception };
            }

            if (!await retry.WaitAsync(failure, attempts, cancellationToken))
                return answer ?? throw failure.ToException(request.Code, request.Advice);
        }
    }

    /// <summary>What is wrong with an answer.</summary>
    public static ImagePublishException Fail(ServiceRequest request, string reason, Exception? cause = null) =>
        new(request.Code, $"Could not {request.Purpose} at {request.Url.Shown}: {reason}. {request.Advice}", cause);

    public ImagePublishException Refused(ServiceRequest request, ServiceResponse response)
    {
        var said = Explain(response.Body) is { Length: > 0 } text ? $" ({text})" : "";
        return Fail(request, $"it answers {(int)response.Status}{said}");
    }

    // Tokens and signatures go over these connections: in the clear only to this machine, or where the user says so.
    private void RequireSafe(ServiceRequest request)
    {
        var isInsecure = Registry.TryParse(request.Url.Authority, out var host) && transport.IsInsecure(host);
        if (!request.Url.IsHttps && !isInsecure)
            throw Fail(request, "it is not https");
    }

    private static TransportRequest Create(ServiceRequest request)
    {
        var message = new HttpRequestMessage(request.Method, request.Url.ToUri());
        message.Headers.TryAddWithoutValidation("User-Agent", Transport.UserAgent);
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (request.Authorization is { } authorization)
            message.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (request.Body is { } body)
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(request.BodyType) } };
        if (request.BodyEncoding is { } encoding)
            message.Content?.Headers.ContentEncoding.Add(encoding);
        foreach (var (name, value) in request.Headers)
            message.Headers.TryAddWithoutValidation(name, value);
        return new TransportRequest(request.Url, message);
    }

    // gRPC's gateways have a message in JSON; others text.
    private string Explain(byte[] body)
    {
        var text = System.Text.Encoding.UTF8.GetString(body);
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("message", out var message))
                text = message.ToString();
        }
        catch (JsonException)
        {
            // Then it is shown as it is.
        }

        var shown = Redactor.Shown(text).Trim();
        return shown.Length <= MaxExplanation ? shown : $"{shown[..MaxExplanation]}…";
    }
}

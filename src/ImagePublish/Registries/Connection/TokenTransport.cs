using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Connection;

/// <summary>Sends token requests over the build's connections, with its retries and limits.</summary>
internal sealed class TokenTransport(Transport transport, RegistryClientOptions options, IPublishLog log) : ITokenTransport
{
    private readonly RetryPolicy retry = new(options, log, transport.Time);

    public bool IsLocal { get; init; }

    public async Task<TokenHttpResponse> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(ct) : null;
        var uri = request.RequestUri!;
        var url = new RequestUrl(uri.Scheme, uri.Authority.ToLowerInvariant(), uri.PathAndQuery);
        var purpose = $"get a token from {uri.Authority}";
        for (var attempts = 1; ; attempts++)
        {
            HttpFailure failure;
            TokenHttpResponse? answer = null;
            try
            {
                using var copy = Copy(request, url, body);
                log.Requested(url.Authority);
                using var response = await transport.ExchangeAsync(copy, ct);
                answer = await ReadAsync(response);
                // What a token service says in a failure is reported by the authenticator: it knows which secrets to leave out.
                failure = HttpFailure.FromResponse(purpose, response, transport.Time);
            }
            catch (TransportException e)
            {
                failure = new RegistryFailure(purpose, request.Method, url) { Transport = e };
            }

            if (!failure.IsTransient || !await retry.WaitAsync(failure, attempts, ct))
                return failure is RegistryFailure unanswered ? throw unanswered.ToException() : answer!;
        }
    }

    private static async Task<TokenHttpResponse> ReadAsync(TransportResponse response)
    {
        var (bytes, isCut) = await response.ReadAsync(TokenHttpResponse.MaxBodySize);
        return new TokenHttpResponse(response.Status, bytes)
        {
            IsTruncated = isCut,
            Location = Uri.TryCreate(response.Location, UriKind.RelativeOrAbsolute, out var location) ? location : null,
            MetadataFlavor = response.Header("Metadata-Flavor"),
        };
    }

    private TransportRequest Copy(HttpRequestMessage request, RequestUrl url, byte[]? body)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri);
        foreach (var header in request.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(header.Key, header.Value.ToString());
        copy.Headers.TryAddWithoutValidation("User-Agent", Transport.UserAgent);
        if (body is not null)
        {
            copy.Content = new ByteArrayContent(body);
            copy.Content.Headers.ContentType = request.Content!.Headers.ContentType;
        }

        var sender = request.Options.TryGetValue(AddressGuard.RegistryOption, out var registry) ? registry : null;
        return new TransportRequest(url, copy)
        {
            Sender = sender,
            IsForToken = true,
            IsLocal = IsLocal,
        };
    }
}

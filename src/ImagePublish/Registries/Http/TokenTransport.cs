using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Http;

/// <summary>Sends token requests over the build's connections, with its retries and limits.</summary>
internal sealed class TokenTransport(Transport transport, RegistryClientOptions options, IPublishLog log) : ITokenTransport
{
    private readonly RetryPolicy retry = new(options, log, transport.Time);

    public async Task<TokenHttpResponse> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(ct) : null;
        var uri = request.RequestUri!;
        var url = new RequestUrl(uri.Scheme, uri.Authority, uri.PathAndQuery);
        var doing = $"get a token from {uri.Authority}";
        for (var tries = 1; ; tries++)
        {
            Failure failure;
            TransportException? line = null;
            TokenHttpResponse? answer = null;
            try
            {
                (answer, failure) = await SendOnceAsync(request, body, url, doing, ct);
            }
            catch (TransportException e)
            {
                failure = Failure.FromTransport(doing, request.Method, url, line = e);
            }

            if (!failure.IsTransient || !await retry.WaitAsync(failure, tries, ct))
                return line is null ? answer! : throw failure.ToException();
        }
    }

    // What a token service says in a failure is the authenticator's to tell: it knows which secrets to leave out.
    private async Task<(TokenHttpResponse Answer, Failure Failure)> SendOnceAsync(
        HttpRequestMessage request,
        byte[]? body,
        RequestUrl url,
        string doing,
        CancellationToken ct
    )
    {
        using var watch = new IdleWatch(options.IdleTimeout, transport.Time, ct);
        try
        {
            using var copy = Copy(request, body);
            var message = await transport.SendTokenAsync(copy, watch.Token);
            using var response = new RegistryResponse(url, message, watch, options.DocumentTimeout, ct);
            var (bytes, isCut) = await response.ReadAsync(TokenHttpResponse.MaxBodySize);
            var answer = new TokenHttpResponse(response.Status, bytes)
            {
                IsTruncated = isCut,
                Location =
                    response.Location is { } location && Uri.TryCreate(location, UriKind.RelativeOrAbsolute, out var uri) ? uri : null,
            };
            var failure = new Failure(doing, copy.Method, url)
            {
                Status = response.Status,
                RetryAfter = RetryAfterHeader.Parse(response.Header("Retry-After"), transport.Time.GetUtcNow()),
            };
            return (answer, failure);
        }
        catch (HttpRequestException e) when (e.InnerException is ImagePublishException refusal)
        {
            throw refusal;
        }
        catch (Exception e) when (TransportErrors.IsTransportError(e, ct))
        {
            throw TransportErrors.From(e, watch);
        }
    }

    private static HttpRequestMessage Copy(HttpRequestMessage request, byte[]? body)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri)
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        foreach (var header in request.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(header.Key, header.Value.ToString());
        copy.Headers.TryAddWithoutValidation("User-Agent", UserAgent.Value);
        if (request.Options.TryGetValue(AddressGuard.RegistryOption, out var registry))
            copy.Options.Set(AddressGuard.RegistryOption, registry);
        if (body is null)
            return copy;
        copy.Content = new ByteArrayContent(body);
        copy.Content.Headers.ContentType = request.Content!.Headers.ContentType;
        return copy;
    }
}

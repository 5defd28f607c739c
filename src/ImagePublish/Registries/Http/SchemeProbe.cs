using ImagePublish.Oci;

namespace ImagePublish.Registries.Http;

/// <summary>Finds out whether a registry is spoken to by https or http.</summary>
/// <remarks>
/// Always https, except for the hosts that may be insecure: there one handshake tells. If what answers does not speak TLS, it is http; whatever else goes wrong decides nothing.
/// No request is spent on a registry that speaks http.
/// </remarks>
internal sealed class SchemeProbe(Registry registry, Transport transport) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile RequestUrl? _root = transport.IsInsecure(registry) ? null : RequestUrl.Root("https", registry.ApiHost);

    /// <summary>The registry's <c>/v2/</c>.</summary>
    /// <exception cref="LineException">Nobody answers.</exception>
    public async ValueTask<RequestUrl> RootAsync(CancellationToken cancellationToken)
    {
        if (_root is { } known)
            return known;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return _root ??= await ProbeAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<RequestUrl> ProbeAsync(CancellationToken cancellationToken)
    {
        var secure = RequestUrl.Root("https", registry.ApiHost);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, secure.ToUri());
            using var response = await transport.SendAsync(secure, request, null, true, cancellationToken);
            return secure;
        }
        catch (LineException e) when (e.Fault == LineFault.Tls || (e.Fault == LineFault.Broken && e.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }))
        {
            return RequestUrl.Root("http", registry.ApiHost);
        }
    }
}

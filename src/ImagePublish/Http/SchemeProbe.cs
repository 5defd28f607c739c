using System.Net;
using ImagePublish.Oci;

namespace ImagePublish.Http;

/// <summary>Finds out whether a registry is spoken to by https or http.</summary>
/// <remarks>
/// Always https, except for the hosts that may be insecure: there one handshake tells. If what answers does not speak TLS, it is http; whatever else goes wrong decides nothing.
/// No request is spent on a registry that speaks http. On loopback, where traffic can't be intercepted, http is tried first: a TLS handshake that fails takes longer
/// than all requests of an unchanged publish.
/// Without a port in the name the two are different ports: where 443 can't be reached, 80 is tried, and on loopback the other way round.
/// </remarks>
internal sealed class SchemeProbe(Registry registry, Transport transport) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly RequestUrl? guess =
        transport.IsInsecure(registry) && registry.IsLoopback ? RequestUrl.Root("http", registry.ApiHost) : null;
    private volatile RequestUrl? root = transport.IsInsecure(registry) ? null : RequestUrl.Root("https", registry.ApiHost);

    /// <summary>Whether <see cref="RootAsync"/> is not yet known to be right: whoever sends the first request calls <see cref="IsRightAsync"/> with its answer.</summary>
    public bool IsGuess => root is null && guess is not null;

    /// <summary>The registry's <c>/v2/</c>, if it is known by now.</summary>
    public RequestUrl? Known => root;

    /// <summary>The registry's <c>/v2/</c>.</summary>
    /// <exception cref="TransportException">Nobody answers.</exception>
    public async ValueTask<RequestUrl> RootAsync(CancellationToken cancellationToken)
    {
        if ((root ?? guess) is { } known)
            return known;
        return await FindAsync(cancellationToken);
    }

    /// <summary>Whether a guess was right. A TLS server answers plain http with 400, with something that is no http, or not at all; all else is a registry's answer.</summary>
    /// <exception cref="TransportException">Nobody answers.</exception>
    public async Task<bool> IsRightAsync(HttpStatusCode? status, CancellationToken cancellationToken)
    {
        if (status is not (null or HttpStatusCode.BadRequest))
            root ??= guess;
        return (root ?? await FindAsync(cancellationToken)) == guess;
    }

    /// <summary>Whether a fault at one scheme's port says nothing of the other scheme, since that has another port.</summary>
    public bool IsOnOtherPort(TransportException line) =>
        !registry.HasPort && line.Fault is (TransportError.Refused or TransportError.Unreachable);

    public void Dispose() => turn.Dispose();

    private async Task<RequestUrl> FindAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return root ??= await ProbeAsync(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<RequestUrl> ProbeAsync(CancellationToken cancellationToken)
    {
        var secure = RequestUrl.Root("https", registry.ApiHost);
        var plain = RequestUrl.Root("http", registry.ApiHost);
        try
        {
            await AskAsync(secure, cancellationToken);
            return secure;
        }
        catch (TransportException e)
            when (e.Fault == TransportError.Tls
                || (
                    e.Fault == TransportError.Broken
                    && e.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
                )
            )
        {
            return plain;
        }
        catch (TransportException e) when (IsOnOtherPort(e))
        {
            await AskOtherPortAsync(plain, e, cancellationToken);
            return plain;
        }
    }

    private async Task AskOtherPortAsync(RequestUrl plain, TransportException secureFault, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(plain, cancellationToken);
        }
        catch (TransportException e)
        {
            throw new TransportException(e.Fault, $"by https at port 443: {secureFault.Message}; by http at port 80: {e.Message}", e);
        }
    }

    private async Task AskAsync(RequestUrl url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url.ToUri());
        using var response = await transport.SendAsync(url, request, null, true, cancellationToken);
    }
}

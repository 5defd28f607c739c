using System.Net;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Http;

/// <summary>Finds out whether a registry is spoken to by https or http.</summary>
/// <remarks>
/// Always https, except for the hosts that may be insecure: there one handshake tells. If what answers does not speak TLS, it is http; whatever else goes wrong decides nothing.
/// No request is spent on a registry that speaks http. On loopback, where traffic can't be intercepted, http is tried first: a TLS handshake that fails takes longer
/// than all requests of an unchanged publish.
/// </remarks>
internal sealed class SchemeProbe(Registry registry, Transport transport) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly RequestUrl? guess = transport.IsInsecure(registry) && registry.IsLoopback ? RequestUrl.Root("http", registry.ApiHost) : null;
    private volatile RequestUrl? root = transport.IsInsecure(registry) ? null : RequestUrl.Root("https", registry.ApiHost);

    /// <summary>Whether <see cref="RootAsync"/> is not yet known to be right: whoever sends the first request calls <see cref="IsRightAsync"/> with its answer.</summary>
    public bool IsGuess => root is null && guess is not null;

    /// <summary>The registry's <c>/v2/</c>, if it is known by now.</summary>
    public RequestUrl? Known => root;

    /// <summary>The registry's <c>/v2/</c>.</summary>
    /// <exception cref="LineException">Nobody answers.</exception>
    public async ValueTask<RequestUrl> RootAsync(CancellationToken cancellationToken)
    {
        if ((root ?? guess) is { } known)
            return known;
        return await FindAsync(cancellationToken);
    }

    /// <summary>Whether a guess was right. A TLS server answers plain http with 400, with something that is no http, or not at all; all else is a registry's answer.</summary>
    /// <param name="status">The answer's status; null where the line broke.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False if the request must be sent again, to another root.</returns>
    /// <exception cref="LineException">Nobody answers.</exception>
    public async Task<bool> IsRightAsync(HttpStatusCode? status, CancellationToken cancellationToken)
    {
        if (status is not (null or HttpStatusCode.BadRequest))
            root ??= guess;
        return (root ?? await FindAsync(cancellationToken)) == guess;
    }

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

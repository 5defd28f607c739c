using System.Globalization;
using System.Net;
using ImagePublish.Http;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Connection;

/// <summary>Finds out whether a registry uses https or http.</summary>
/// <remarks>Always https, except for the hosts that may be insecure: there one handshake decides. If what answers does not speak TLS, it is
/// http; any other failure decides nothing. No request is spent on a registry that uses http. On loopback, where traffic can't be
/// intercepted, http is assumed at first: a TLS handshake that fails takes longer than all requests of an unchanged publish. Without a port
/// in the name the two are different ports: where 443 can't be reached, 80 is tried, and on loopback the other way round. A proxy opens a
/// tunnel for https and forwards http, and may do either without the other: Squid opens none to ports other than 443.</remarks>
internal sealed class SchemeProbe(Registry registry, Transport transport) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly RequestUrl? assumed =
        transport.IsInsecure(registry) && registry.IsLoopback ? RequestUrl.Root("http", registry.ApiHost) : null;
    private volatile RequestUrl? root = transport.IsInsecure(registry) ? null : RequestUrl.Root("https", registry.ApiHost);

    /// <summary>Whether <see cref="GetRootAsync"/> is only an assumption: the sender of the first request calls <see
    /// cref="VerifyAssumedAsync"/> with its response.</summary>
    public bool IsAssumed => root is null && assumed is not null;

    public RequestUrl? Known => root;

    /// <summary>The registry's <c>/v2/</c>.</summary>
    /// <exception cref="TransportException">There is no response.</exception>
    public async ValueTask<RequestUrl> GetRootAsync(CancellationToken cancellationToken)
    {
        if ((root ?? assumed) is { } known)
            return known;
        return await FindAsync(cancellationToken);
    }

    /// <summary>Whether the assumed scheme is right. A TLS server answers plain http with 400, with something that is not HTTP, or not at
    /// all; all else is a registry's response.</summary>
    /// <exception cref="TransportException">There is no response.</exception>
    public async Task<bool> VerifyAssumedAsync(HttpStatusCode? status, CancellationToken cancellationToken)
    {
        if (status is not (null or HttpStatusCode.BadRequest))
            root ??= assumed;
        return (root ?? await FindAsync(cancellationToken)) == assumed;
    }

    /// <summary>Whether a failure of one scheme says nothing of the other, since that has another port or is treated otherwise by a
    /// proxy.</summary>
    public bool MayDifferForOther(TransportException exception) =>
        exception.Error switch
        {
            TransportError.Proxy => true,
            TransportError.Refused or TransportError.Unreachable => !registry.HasPort || IsProxiedForOne,
            // The one proxy may know names that this machine does not.
            TransportError.Name => IsProxiedForOne,
            _ => false,
        };

    public void Dispose() => gate.Dispose();

    private bool IsProxiedForOne =>
        transport.IsProxied(RequestUrl.Root("https", registry.ApiHost)) != transport.IsProxied(RequestUrl.Root("http", registry.ApiHost));

    private async Task<RequestUrl> FindAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            return root ??= await ProbeAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
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
        catch (TransportException e) when (IsNotTls(e))
        {
            return plain;
        }
        catch (TransportException e) when (MayDifferForOther(e))
        {
            await AskPlainAsync(plain, e, cancellationToken);
            return plain;
        }
    }

    private static bool IsNotTls(TransportException exception) =>
        exception.Error == TransportError.Tls
        || (
            exception.Error == TransportError.Broken
            && exception.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
        );

    private async Task AskPlainAsync(RequestUrl plain, TransportException secureFailure, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(plain, cancellationToken);
        }
        catch (TransportException e)
        {
            var (secure, insecure) = registry.HasPort ? ("", "") : (" at port 443", " at port 80");
            throw new TransportException(e.Error, $"by https{secure}: {secureFailure.Message}; by http{insecure}: {e.Message}", e);
        }
    }

    private async Task AskAsync(RequestUrl url, CancellationToken cancellationToken)
    {
        using var request = new TransportRequest(url, new HttpRequestMessage(HttpMethod.Get, url.ToUri()));
        using var response = await transport.ExchangeAsync(request, cancellationToken);
        // A proxy answers for a host that it can't reach, or does not let us reach.
        var status = (int)response.Status;
        if (!url.IsHttps && transport.IsProxied(url) && status is (407 or 502 or 503 or 504))
            throw new TransportException(
                status == 407 ? TransportError.Proxy : TransportError.Unreachable,
                string.Create(CultureInfo.InvariantCulture, $"the proxy answers {status}")
            );
    }
}

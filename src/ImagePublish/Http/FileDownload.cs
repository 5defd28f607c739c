using System.Buffers;
using System.Net;
using ImagePublish.Diagnostics;

namespace ImagePublish.Http;

/// <summary>Gets a plain file over http, as a package source serves it: with the proxies, certificates and retries of registries, without
/// any credentials.</summary>
internal sealed class FileDownload(Transport transport, RetryPolicy retry)
{
    private const int MaxRedirects = 10;
    private const string Purpose = "download a package";

    /// <summary>Gets a file.</summary>
    /// <returns>Whether it was written; false where the server says that there is no such file.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6009</c>: the server can't be reached, or does not serve it, in all
    /// attempts.</exception>
    /// <param name="connect">Connects to the address's host, and to no other; null where requests may go anywhere.</param>
    public async Task<bool> TryGetAsync(
        string address,
        Stream target,
        long limit,
        Func<DnsEndPoint, CancellationToken, Task<Stream>>? connect,
        CancellationToken cancellationToken
    )
    {
        var url = Read(address);
        var download = new Download(url, target, limit, connect, new TransferPace(transport.Options));
        for (var attempts = 1; ; attempts++)
        {
            HttpFailure failure;
            try
            {
                target.SetLength(0);
                var (isFound, problem) = await TryOnceAsync(download, cancellationToken);
                if (problem is null)
                {
                    retry.RecordSuccess();
                    return isFound;
                }

                failure = problem;
            }
            catch (TransportException exception)
            {
                failure = new HttpFailure(Purpose, HttpMethod.Get, url) { Transport = exception };
            }

            // A host that refuses connections will refuse them in a moment too, and there are other sources.
            if (failure.Transport?.Error == TransportError.Refused || !await retry.WaitAsync(failure, attempts, cancellationToken))
                throw failure.ToException(
                    DiagnosticCodes.PackageSourceFailed,
                    "Check the network and the package source, or publish again later."
                );
        }
    }

    // The address is not shown: a user name in it has a password beside it.
    private static RequestUrl Read(string address) =>
        RequestUrl.Root(Uri.UriSchemeHttp, "localhost").TryResolve(address, out var url)
            ? url
            : throw new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                "A package can't be downloaded: its source is not an http address, or has a user name in it, which only "
                    + "apt only. Check ImagePackageSource."
            );

    private async Task<(bool IsFound, HttpFailure? Problem)> TryOnceAsync(Download download, CancellationToken cancellationToken)
    {
        var url = download.Url;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new TransportRequest(url, new HttpRequestMessage(HttpMethod.Get, url.ToUri()))
            {
                Connect = download.Connect,
            };
            using var response = await transport.ExchangeAsync(request, cancellationToken);
            if (response.IsSuccess)
            {
                await CopyAsync(response, download, cancellationToken);
                return (true, null);
            }

            if (response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return (false, null);
            var next = response.IsRedirect && redirects < MaxRedirects ? FindNext(response, url, mayLeave: download.Connect is null) : null;
            if (next is null)
                return (false, HttpFailure.FromResponse(Purpose, response, transport.Time));
            url = next;
        }
    }

    // Every byte is checked against a digest: only from https to http is refused, and from a host that was checked to one that was not.
    private static RequestUrl? FindNext(TransportResponse response, RequestUrl url, bool mayLeave)
    {
        if (!url.TryResolve(response.Location, out var next))
            return null;
        var isDowngrade = url.IsHttps && !next.IsHttps;
        return !isDowngrade && (mayLeave || next.IsSameOrigin(url)) ? next : null;
    }

    private async Task CopyAsync(TransportResponse response, Download download, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            for (var left = download.Limit; ; )
            {
                var start = transport.Time.GetTimestamp();
                var read = await response.ReadAsync(buffer, cancellationToken);
                if (read == 0)
                    return;
                if (download.Pace.IsTooSlow(read, transport.Time.GetElapsedTime(start)))
                    throw new ImagePublishException(
                        DiagnosticCodes.PackageSourceFailed,
                        $"{response.Url.Shown} is downloaded too slowly to wait for it. Check the network, or use another mirror."
                    );
                left -= read;
                if (left < 0)
                    throw new ImagePublishException(
                        DiagnosticCodes.PackageTampered,
                        $"{response.Url.Shown} has more bytes than it should. Use another mirror."
                    );
                await download.Target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed record Download(
        RequestUrl Url,
        Stream Target,
        long Limit,
        Func<DnsEndPoint, CancellationToken, Task<Stream>>? Connect,
        TransferPace Pace
    );
}

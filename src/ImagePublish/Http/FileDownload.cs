using System.Buffers;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Registries.Http;

namespace ImagePublish.Http;

/// <summary>Gets a plain file over http, as a package source serves it: by the same proxies, certificates and retries as registries, without any credentials.</summary>
internal sealed class FileDownload(Transport transport, RetryPolicy retry)
{
    private const int MaxRedirects = 10;
    private const string Doing = "download a package";

    /// <summary>Gets a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6009</c>: there was no other answer, after all tries.</exception>
    public async Task<bool> TryGetAsync(string address, Stream target, long limit, bool mayLeave, CancellationToken cancellationToken)
    {
        // The address is not shown: a user name in it has a password beside it.
        if (!RequestUrl.Root(Uri.UriSchemeHttp, "localhost").TryResolve(address, out var url))
            throw new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                "A package can't be downloaded: its source is not an http address, or has a user name in it, which is understood by apt only. Check ImagePackageSource."
            );
        var pace = new TransferPace(transport.Options);
        for (var tries = 1; ; tries++)
        {
            Failure failure;
            try
            {
                target.SetLength(0);
                var (isThere, problem) = await TryOnceAsync(url, target, pace, limit, mayLeave, cancellationToken);
                if (problem is null)
                {
                    retry.Succeeded();
                    return isThere;
                }

                failure = problem;
            }
            catch (TransportException exception)
            {
                failure = Failure.FromTransport(Doing, HttpMethod.Get, url, exception);
            }

            // Where nobody listens, nobody will in a moment: there are other sources.
            if (failure.TransportFault?.Fault == TransportError.Refused || !await retry.WaitAsync(failure, tries, cancellationToken))
                throw failure.ToException(
                    DiagnosticCodes.PackageSourceFailed,
                    "Check the network and the package source, or publish again later."
                );
        }
    }

    private async Task<(bool IsThere, Failure? Problem)> TryOnceAsync(
        RequestUrl url,
        Stream target,
        TransferPace pace,
        long limit,
        bool mayLeave,
        CancellationToken cancellationToken
    )
    {
        for (var hop = 0; ; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url.ToUri());
            using var response = await transport.SendAsync(url, request, sending: null, isOwn: false, cancellationToken);
            if (response.IsSuccess)
            {
                await CopyAsync(response, target, pace, limit, cancellationToken);
                return (true, null);
            }

            if (response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return (false, null);
            // Every byte is checked against a digest: only the way back to plain http is refused, and the way from a host that was checked to one that was not.
            var next =
                Redirects.IsRedirect(response)
                && url.TryResolve(response.Location, out var there)
                && (there.IsHttps || !url.IsHttps)
                && (mayLeave || there.IsSameOrigin(url))
                    ? there
                    : null;
            if (next is null || hop == MaxRedirects)
                return (false, await Failure.OfAsync(Doing, response, transport.Time));
            url = next;
        }
    }

    private async Task CopyAsync(
        RegistryResponse response,
        Stream target,
        TransferPace pace,
        long limit,
        CancellationToken cancellationToken
    )
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            while (true)
            {
                var start = transport.Time.GetTimestamp();
                var read = await response.ReadAsync(buffer, cancellationToken);
                if (read == 0)
                    return;
                if (pace.IsTooSlow(read, transport.Time.GetElapsedTime(start)))
                    throw new ImagePublishException(
                        DiagnosticCodes.PackageSourceFailed,
                        $"{response.Url.Shown} comes too slowly to be waited for. Check the network, or use another mirror."
                    );
                limit -= read;
                if (limit < 0)
                    throw new ImagePublishException(
                        DiagnosticCodes.PackageTampered,
                        $"{response.Url.Shown} has more bytes than it should. Use another mirror."
                    );
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

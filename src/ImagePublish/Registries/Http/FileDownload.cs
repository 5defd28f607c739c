using System.Buffers;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Http;

/// <summary>Gets a plain file over http, as a package source serves it: by the same proxies and certificates as registries, without any credentials.</summary>
/// <param name="transport">What sends.</param>
/// <param name="maxTries">How often a line may break.</param>
/// <param name="pause">The pause between two tries.</param>
internal sealed class FileDownload(Transport transport, int maxTries, TimeSpan pause)
{
    private const int MaxRedirects = 10;

    /// <summary>Gets a file.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="target">Where it goes; emptied before each try.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is there: a server that says no is no failure.</returns>
    /// <exception cref="LineException">There was no answer, after all tries.</exception>
    public async Task<bool> TryGetAsync(string address, Stream target, long limit, CancellationToken cancellationToken)
    {
        if (!RequestUrl.Root(Uri.UriSchemeHttp, "localhost").TryResolve(address, out var url))
            throw new LineException(LineFault.Protocol, $"'{Text.Shown(address)}' is no http address");
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                target.SetLength(0);
                return await TryOnceAsync(url, target, limit, cancellationToken);
            }
            catch (LineException exception) when (exception.IsTransient && exception.Fault != LineFault.Refused && attempt < maxTries)
            {
                await Task.Delay(pause, transport.Time, cancellationToken);
            }
        }
    }

    private async Task<bool> TryOnceAsync(RequestUrl url, Stream target, long limit, CancellationToken cancellationToken)
    {
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url.ToUri());
            using var response = await transport.SendAsync(url, request, sending: null, isOwn: false, cancellationToken);
            if (response.IsSuccess)
            {
                await CopyAsync(response, target, limit, cancellationToken);
                return true;
            }

            if (!Redirects.IsRedirect(response))
                return (int)response.Status < 500 ? false : throw new LineException(LineFault.Broken, $"{url.Shown} answers {(int)response.Status}");
            // Every byte is checked against a digest: only the way back to plain http is refused.
            if (!url.TryResolve(response.Location, out var next) || (url.IsHttps && !next.IsHttps))
                return false;
            url = next;
        }

        return false;
    }

    private static async Task CopyAsync(RegistryResponse response, Stream target, long limit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            while (await response.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                limit -= read;
                if (limit < 0)
                    throw new ImagePublishException(DiagnosticCodes.PackageTampered, $"{response.Url.Shown} has more bytes than it should. Use another mirror.");
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

using System.Buffers;
using System.Globalization;
using System.Net;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries.Blobs;

/// <summary>The bytes of a blob as a registry sends them: continues where a connection was lost, and fails if their number is not what the
/// descriptor says. The reader verifies them.</summary>
internal sealed class RegistryBlobStream(RegistryConnection connection, RegistryBlobSource blob, long offset) : ReadOnlyStream
{
    private readonly TransferPace pace = new(connection.Options);
    private TransportResponse? response;
    private long at = offset;
    private int attempts = 1;
    private bool isDisposed;

    /// <summary>Asks for the blob, so that a blob that is not there is known before anything is read.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        while (response is null)
        {
            try
            {
                response = await RequestAsync(cancellationToken);
            }
            catch (TransportException e)
            {
                await RecoverAsync(e, cancellationToken);
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
            return 0;
        while (at < blob.Descriptor.Size)
        {
            try
            {
                await OpenAsync(cancellationToken);
                var read = await ReadAsync(response!, buffer[..(int)Math.Min(buffer.Length, blob.Descriptor.Size - at)], cancellationToken);
                if (read == 0)
                    throw new TransportException(TransportError.Broken, "the answer ended early");
                await TakeAsync(read);
                return read;
            }
            catch (TransportException e)
            {
                await RecoverAsync(e, cancellationToken);
            }
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
        {
            isDisposed = true;
            response?.Dispose();
            connection.Downloads.Release();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadAsync(TransportResponse from, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var start = connection.Time.GetTimestamp();
        var read = await from.ReadAsync(buffer, cancellationToken);
        var isTooSlow = pace.IsTooSlow(read, connection.Time.GetElapsedTime(start));
        var limit = connection.Options.DocumentTimeout;
        if (blob.IsDocument && pace.Waited > limit && at + read < blob.Descriptor.Size)
            throw TooSlow(string.Create(CultureInfo.InvariantCulture, $"took more than {limit.TotalSeconds:0} seconds"));
        if (!isTooSlow)
            return read;
        var (rate, minutes) = (connection.Options.SlowestTransfer, connection.Options.SlowestTransferTime.TotalMinutes);
        throw TooSlow(string.Create(CultureInfo.InvariantCulture, $"came with fewer than {rate} bytes a second for {minutes:0} minutes"));
    }

    private ImagePublishException TooSlow(string how) =>
        new(
            DiagnosticCodes.RegistryFailed,
            $"Could not read the blob {blob.Descriptor.Digest} of {blob.Repository}: it {how}. Check the network and the registry."
        );

    private async Task TakeAsync(int count)
    {
        at += count;
        attempts = 1;
        if (at < blob.Descriptor.Size)
            return;
        if (await IsThereMoreAsync())
            throw blob.Mismatch($"is longer than the {blob.Descriptor.Size} bytes it should have");
        connection.Retry.RecordSuccess();
    }

    private async Task<bool> IsThereMoreAsync()
    {
        try
        {
            return await response!.ReadAsync(new byte[1]) > 0;
        }
        catch (TransportException)
        {
            return false;
        }
    }

    private async Task RecoverAsync(TransportException exception, CancellationToken cancellationToken)
    {
        response?.Dispose();
        response = null;
        var failure = connection.ToFailure(new GetBlob(blob.Repository, blob.Descriptor.Digest, at), exception);
        await WaitAsync(failure, cancellationToken);
    }

    private async Task WaitAsync(RegistryFailure failure, CancellationToken cancellationToken)
    {
        if (!await connection.Retry.WaitAsync(failure, attempts, cancellationToken, blob.Descriptor.Digest.Value))
            throw failure.ToException();
        attempts++;
    }

    private async Task<TransportResponse?> RequestAsync(CancellationToken cancellationToken)
    {
        var request = new GetBlob(blob.Repository, blob.Descriptor.Digest, at);
        var response = await connection.SendSignedInAsync(request, cancellationToken);
        try
        {
            if (await IsGoodAsync(response))
                return response;
            var failure = await connection.ReadFailureAsync(request, response);
            response.Dispose();
            await WaitAsync(failure, cancellationToken);
            return null;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<bool> IsGoodAsync(TransportResponse response)
    {
        if (response.Status == HttpStatusCode.PartialContent && at > 0)
        {
            var expected = string.Create(CultureInfo.InvariantCulture, $"bytes {at}-");
            return response.Header("Content-Range")?.StartsWith(expected, StringComparison.OrdinalIgnoreCase) == true
                ? true
                : throw blob.Mismatch("was sent from another offset than was asked for");
        }

        if (response.Status != HttpStatusCode.OK)
            return false;
        if (response.ContentLength is { } length && length != blob.Descriptor.Size)
            throw blob.Mismatch($"has {length} bytes instead of {blob.Descriptor.Size}");
        await SkipAsync(response, at);
        return true;
    }

    // The registry does not support ranges: it sends the whole blob again.
    private async Task SkipAsync(TransportResponse response, long count)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            while (count > 0)
            {
                var read = await ReadAsync(response, buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), CancellationToken.None);
                count = read > 0 ? count - read : throw new TransportException(TransportError.Broken, "the answer ended early");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

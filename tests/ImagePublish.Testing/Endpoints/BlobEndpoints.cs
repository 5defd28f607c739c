using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ImagePublish.Testing;

/// <summary>HEAD, GET and DELETE of blobs.</summary>
internal sealed class BlobEndpoints(TestRegistry registry)
{
    private const string OctetStream = "application/octet-stream";

    public Task GetAsync(Exchange exchange)
    {
        if (!Digests.IsValid(exchange.Reference))
            return exchange.ErrorAsync(400, "DIGEST_INVALID", "provided digest is malformed");
        if (registry.Content.FindBlob(exchange.Repository, exchange.Reference) is not { } blob)
            return exchange.ErrorAsync(404, "BLOB_UNKNOWN", "blob unknown to registry", exchange.Reference);
        exchange.Header("Docker-Content-Digest", exchange.Reference);
        if (!registry.Options.Content.RedirectBlobs)
            return SendAsync(exchange, blob);
        exchange.Header("Location", $"{registry.Scheme}://{registry.OtherHost}/storage/{exchange.Reference}?sig=a%2Bb%3D");
        exchange.Status(307);
        return Task.CompletedTask;
    }

    /// <summary>A signed URL is the whole permission, and a second one an error, as storage services have it.</summary>
    public Task StorageAsync(Exchange exchange)
    {
        if (exchange.Record.Authorization is not null)
            return exchange.BodyAsync(
                400,
                "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"u8.ToArray(),
                "application/xml"
            );
        return exchange.Record.Query == "sig=a%2Bb%3D" && registry.Content.FindBlob(exchange.Reference) is { } blob
            ? SendAsync(exchange, blob)
            : exchange.BodyAsync(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"u8.ToArray(), "application/xml");
    }

    public Task DeleteAsync(Exchange exchange)
    {
        if (!registry.Options.Content.DeleteBlobs)
            return exchange.ErrorAsync(405, "UNSUPPORTED", "the operation is unsupported");
        if (!registry.Content.RemoveBlob(exchange.Repository, exchange.Reference))
            return exchange.ErrorAsync(404, "BLOB_UNKNOWN", "blob unknown to registry", exchange.Reference);
        exchange.Status(202);
        return Task.CompletedTask;
    }

    private static async Task SendAsync(Exchange exchange, BlobData blob)
    {
        exchange.Header("Accept-Ranges", "bytes");
        exchange.Http.Response.ContentType = OctetStream;
        var range = RangeOf(exchange.Record.Header("Range"), blob.Size);
        if (range is null)
        {
            exchange.Header("Content-Range", $"bytes */{blob.Size}");
            await exchange.ErrorAsync(416, "RANGE_INVALID", "the range can't be satisfied");
            return;
        }

        var (from, length) = range.Value;
        exchange.Status(length == blob.Size ? 200 : 206, length);
        if (length != blob.Size)
            exchange.Header("Content-Range", $"bytes {from}-{from + length - 1}/{blob.Size}");
        if (HttpMethods.IsHead(exchange.Record.Method))
            return;
        if (!blob.Kept)
        {
            await exchange.ErrorAsync(500, "UNKNOWN", "this test registry has discarded the blob's bytes");
            return;
        }

        await using var stream = blob.Open();
        stream.Position = from;
        await CopyAsync(stream, exchange, length);
    }

    private static async Task CopyAsync(Stream stream, Exchange exchange, long length)
    {
        var buffer = new byte[64 << 10];
        while (length > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), exchange.Cancelled);
            await exchange.Http.Response.Body.WriteAsync(buffer.AsMemory(0, read), exchange.Cancelled);
            length -= read;
        }
    }

    /// <summary>One range of bytes; more than one, or none, means the whole; null: not satisfiable.</summary>
    private static (long From, long Length)? RangeOf(string? header, long size)
    {
        if (header is null || !RangeHeaderValue.TryParse(header, out var parsed) || parsed.Unit != "bytes" || parsed.Ranges.Count != 1)
            return (0, size);
        var range = parsed.Ranges.Single();
        var from = range.From ?? Math.Max(0, size - (range.To ?? 0));
        var to = range.From is null ? size - 1 : Math.Min(range.To ?? size - 1, size - 1);
        return from > to ? null : (from, to - from + 1);
    }
}

using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Common;

namespace ImagePublish.Http;

/// <summary>A response: status, headers as they came, and a body that is read with a limit and fails when no data comes.</summary>
internal sealed class TransportResponse(
    RequestUrl url,
    HttpResponseMessage message,
    IdleWatch watch,
    HttpOptions options,
    CancellationToken cancellation
) : IDisposable
{
    private Stream? body;

    public RequestUrl Url => url;

    public HttpMethod Method => message.RequestMessage!.Method;

    public HttpStatusCode Status => message.StatusCode;

    public bool IsSuccess => message.IsSuccessStatusCode;

    public AuthenticationHeaderValue? Authorization => message.RequestMessage!.Headers.Authorization;

    public bool IsRedirect =>
        (int)Status is 301 or 302 or 307 or 308 || ((int)Status == 303 && (Method == HttpMethod.Get || Method == HttpMethod.Head));

    /// <summary>Whether it came from the host that was asked, and not from one that it redirected to.</summary>
    public bool IsFromOrigin { get; set; } = true;

    public Redactor Redactor => options.Redactor;

    public long? ContentLength =>
        Header("Content-Length") is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : null;

    public string? ContentType => Header("Content-Type")?.Split(';')[0].Trim().ToLowerInvariant();

    public string? Location => Header("Location");

    public string? Header(string name) => Headers(name).FirstOrDefault();

    public IEnumerable<string> Headers(string name) =>
        message.Headers.NonValidated.TryGetValues(name, out var values)
        || message.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values
            : [];

    /// <summary>Reads some of the body; 0 at its end.</summary>
    /// <exception cref="TransportException">The connection was lost.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(watch.Token, cancellationToken);
        try
        {
            watch.Touch();
            body ??= await message.Content.ReadAsStreamAsync(linked.Token);
            var read = await body.ReadAsync(buffer, linked.Token);
            watch.Touch();
            return read;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && TransportErrors.IsTransportError(e, cancellation))
        {
            throw TransportErrors.From(e, watch);
        }
    }

    /// <summary>Reads the body up to a limit; the second value says whether there was more.</summary>
    public async Task<(byte[] Bytes, bool IsCut)> ReadAsync(int limit)
    {
        watch.StartDocument(options.DocumentTimeout);
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            using var bytes = new MemoryStream();
            while (await ReadAsync(buffer) is var read and > 0)
            {
                bytes.Write(buffer.AsSpan(0, (int)Math.Min(read, limit - bytes.Length)));
                if (bytes.Length == limit)
                    return (bytes.ToArray(), await ReadAsync(buffer.AsMemory(0, 1)) > 0 || ContentLength > limit);
            }

            return (bytes.ToArray(), false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        message.Dispose();
        watch.Dispose();
    }
}

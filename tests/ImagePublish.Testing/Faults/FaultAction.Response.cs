using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

public sealed partial class FaultAction
{
    /// <summary>The right answer with a byte of its body changed.</summary>
    public static FaultAction CorruptResponse(long offset = 0) => new("corrupts the answer", (http, _, next) =>
        {
            var at = offset;
            http.Response.Body = new FilteredStream(http.Response.Body, async (bytes, inner, cancel) =>
            {
                var copy = bytes.ToArray();
                if (at >= 0 && at < copy.Length)
                    copy[at] ^= 1;
                at -= copy.Length;
                await inner.WriteAsync(copy, cancel);
            });
            return next();
        });

    /// <summary>The right answer with another body, of a length that fits.</summary>
    public static FaultAction ReplaceBody(byte[] body, string? mediaType = null) => new("sends another body", async (http, _, next) =>
        {
            var stream = http.Response.Body;
            http.Response.Body = Stream.Null;
            await next();
            http.Response.Body = stream;
            http.Response.ContentLength = body.Length;
            http.Response.ContentType = mediaType ?? http.Response.ContentType;
            if (!HttpMethods.IsHead(http.Request.Method))
                await stream.WriteAsync(body, http.RequestAborted);
        });

    /// <summary>200 and a body of spaces that is not announced and goes on for this long, in bytes.</summary>
    public static FaultAction EndlessBody(string mediaType, long count = long.MaxValue) =>
        new("sends a body without end", async (http, _, _) =>
        {
            http.Response.ContentType = mediaType;
            var block = new byte[64 << 10];
            Array.Fill(block, (byte)' ');
            for (var left = count; left > 0; left -= block.Length)
                await http.Response.Body.WriteAsync(block.AsMemory(0, (int)Math.Min(block.Length, left)), Given(http));
        });

    /// <summary>The right answer with another status.</summary>
    public static FaultAction ChangeStatus(int status) => Change($"changes the status to {status}", (_, response) =>
        {
            response.StatusCode = status;
            if (status == StatusCodes.Status204NoContent)
                response.ContentLength = null;
        });

    /// <summary>The right answer with a header set.</summary>
    public static FaultAction SetHeader(string name, string value) =>
        Change($"sets {name}", (_, response) => response.Headers[name] = value);

    /// <summary>The right answer with a header changed; null takes it away.</summary>
    public static FaultAction ChangeHeader(string name, Func<RecordedRequest, string?, string?> change) =>
        Change($"changes {name}", (request, response) =>
        {
            if (change(request, response.Headers[name]) is { } value)
                response.Headers[name] = value;
            else
                response.Headers.Remove(name);
        });

    /// <summary>The right answer without a header.</summary>
    public static FaultAction RemoveHeader(string name) => Change($"leaves out {name}", (_, response) => response.Headers.Remove(name));

    /// <summary>The right answer, its status and headers changed at the last moment.</summary>
    public static FaultAction Change(string description, Action<RecordedRequest, HttpResponse> change) =>
        new(description, (http, request, next) =>
        {
            http.Response.OnStarting(() =>
            {
                change(request, http.Response);
                return Task.CompletedTask;
            });
            return next();
        });
}

using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.Testing;

/// <summary>How a request goes wrong: a piece of middleware around the right answer.</summary>
public sealed partial class FaultAction
{
    private readonly Func<HttpContext, RecordedRequest, Func<Task>, Task> invoke;

    private FaultAction(string description, Func<HttpContext, RecordedRequest, Func<Task>, Task> invoke)
    {
        Description = description;
        this.invoke = invoke;
    }

    /// <summary>For the names of generated tests.</summary>
    public string Description { get; }

    /// <summary>Anything else: <paramref name="invoke"/> gets the request and the right answer to call or not.</summary>
    public static FaultAction Custom(string description, Func<HttpContext, RecordedRequest, Func<Task>, Task> invoke) =>
        new(description, invoke);

    /// <summary>Another answer; nothing is processed.</summary>
    /// <param name="headers"><c>Name: value</c> each.</param>
    /// <param name="readBody">False: answers before the body has arrived.</param>
    public static FaultAction Status(
        int status,
        string body = "",
        string mediaType = "text/plain",
        bool readBody = true,
        params string[] headers
    ) => Bytes(status, Encoding.UTF8.GetBytes(body), mediaType, readBody, headers);

    /// <inheritdoc cref="Status"/>
    public static FaultAction Bytes(int status, byte[] body, string mediaType, bool readBody = true, params string[] headers) =>
        new($"answers {status}", async (http, _, _) =>
        {
            if (readBody)
                await Wire.DrainAsync(http);
            http.Response.StatusCode = status;
            foreach (var header in headers)
                AddHeader(http.Response, header);
            if (body.Length > 0)
                http.Response.ContentType = mediaType;
            if (status is not (204 or 304))
                http.Response.ContentLength = body.Length;
            if (!HttpMethods.IsHead(http.Request.Method) && body.Length > 0)
                await http.Response.Body.WriteAsync(body, http.RequestAborted);
        });

    /// <summary>Processes the request, then answers with something else.</summary>
    public static FaultAction ProcessThenStatus(int status, string body = "", params string[] headers) =>
        new($"processes, then answers {status}", async (http, request, next) =>
        {
            var stream = http.Response.Body;
            http.Response.Body = Stream.Null;
            await next();
            http.Response.Body = stream;
            http.Response.Headers.Clear();
            await Status(status, body, readBody: true, headers: headers).InvokeAsync(http, request, next);
        });

    /// <summary>Sends the client elsewhere; nothing is processed.</summary>
    public static FaultAction Redirect(Func<RecordedRequest, string> location, HttpStatusCode status = HttpStatusCode.TemporaryRedirect) =>
        new($"redirects with {(int)status}", async (http, request, _) =>
        {
            await Wire.DrainAsync(http);
            http.Response.StatusCode = (int)status;
            http.Response.Headers.Location = location(request);
            http.Response.ContentLength = 0;
        });

    /// <inheritdoc cref="Redirect(Func{RecordedRequest, string}, HttpStatusCode)"/>
    public static FaultAction Redirect(string location, HttpStatusCode status = HttpStatusCode.TemporaryRedirect) =>
        Redirect(_ => location, status);

    /// <summary>Answers late.</summary>
    public static FaultAction Delay(TimeSpan time) => new($"is {time.TotalMilliseconds:0} ms late", async (http, _, next) =>
        {
            await Task.Delay(time, Given(http));
            await next();
        });

    /// <summary>Never answers: until the client or the registry goes away.</summary>
    public static FaultAction Stall() => new("stalls", (http, _, _) => StallAsync(http));

    /// <summary>Processes the request and then never answers.</summary>
    public static FaultAction ProcessThenStall() => new("processes, then stalls", async (http, _, next) =>
        {
            http.Response.Body = Stream.Null;
            await next();
            await StallAsync(http);
        });

    internal Task InvokeAsync(HttpContext http, RecordedRequest request, Func<Task> next) => invoke(http, request, next);

    private static async Task StallAsync(HttpContext http)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, Given(http));
        }
        finally
        {
            Wire.Reset(http);
        }
    }

    private static CancellationToken Given(HttpContext http) =>
        CancellationTokenSource
            .CreateLinkedTokenSource(http.RequestAborted, http.RequestServices.GetRequiredService<TestRegistry.Closing>().Token)
            .Token;

    private static void AddHeader(HttpResponse response, string header)
    {
        var (name, value) = header.Split(':', 2) is [var n, var v] ? (n, v.Trim()) : throw new FormatException($"'{header}' is no header.");
        response.Headers.Append(name, value);
    }
}

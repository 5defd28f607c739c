using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace ImagePublish.Testing;

/// <summary>One request and its answer, as the endpoints see it.</summary>
internal sealed class Exchange(HttpContext http, Route route, RecordedRequest record, bool onSecondHost)
{
    private readonly Dictionary<string, Microsoft.Extensions.Primitives.StringValues> query = QueryHelpers.ParseQuery(record.Query);

    public HttpContext Http => http;

    public Route Route => route;

    public RecordedRequest Record => record;

    public string Repository => route.Repository;

    public string Reference => route.Reference;

    /// <summary>The request came in by the second port.</summary>
    public bool OnSecondHost => onSecondHost;

    /// <summary>Scheme and authority by which the client called.</summary>
    public string Authority => $"{http.Request.Scheme}://{http.Request.Host.Value}";

    public CancellationToken Cancelled => http.RequestAborted;

    public string? Query(string name) => query.TryGetValue(name, out var values) ? values[0] : null;

    public IReadOnlyList<string> Queries(string name) => query.TryGetValue(name, out var values) ? [.. values.OfType<string>()] : [];

    public void Header(string name, string value) => http.Response.Headers[name] = value;

    public void Status(int status, long? length = 0)
    {
        http.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent)
            http.Response.ContentLength = length;
    }

    public async Task BodyAsync(int status, ReadOnlyMemory<byte> body, string mediaType)
    {
        Status(status, body.Length);
        http.Response.ContentType = mediaType;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(body, Cancelled);
    }

    public Task JsonAsync(int status, JsonNode body, string mediaType = "application/json") =>
        BodyAsync(status, Encoding.UTF8.GetBytes(body.ToJsonString()), mediaType);

    /// <summary>An error as the distribution spec has it.</summary>
    /// <seealso href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes"/>
    public Task ErrorAsync(int status, string code, string message, JsonNode? detail = null) =>
        JsonAsync(
            status,
            new JsonObject
            {
                ["errors"] = new JsonArray(
                    new JsonObject
                    {
                        ["code"] = code,
                        ["message"] = message,
                        ["detail"] = detail,
                    }
                ),
            }
        );
}

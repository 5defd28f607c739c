using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>Plain calls to a registry, as the distribution spec words them.</summary>
internal static class Calls
{
    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Uri Raw(HttpClient client, string target)
    {
        var text = target.StartsWith('/') ? client.BaseAddress!.GetLeftPart(UriPartial.Authority) + target : target;
        return new Uri(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    public static async Task<HttpResponseMessage> CallAsync(
        this HttpClient client,
        string method,
        string target,
        byte[]? body = null,
        params string[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Raw(client, target))
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        foreach (var header in headers)
        {
            var (name, value) = header.Split(": ", 2) is [var n, var v] ? (n, v) : throw new FormatException(header);
            if (name.StartsWith("Content-", StringComparison.Ordinal))
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
    }

    public static async Task<int> StatusAsync(
        this HttpClient client,
        string method,
        string target,
        byte[]? body = null,
        params string[] headers
    )
    {
        using var response = await client.CallAsync(method, target, body, headers);
        return (int)response.StatusCode;
    }

    /// <summary>Opens an upload.</summary>
    /// <returns>Its Location.</returns>
    public static async Task<string> OpenAsync(this HttpClient client, string repository, params string[] headers)
    {
        using var response = await client.CallAsync("POST", $"/v2/{repository}/blobs/uploads/", [], headers);
        Assert.Equal(202, (int)response.StatusCode);
        return response.Header("Location")!;
    }

    /// <summary>POST and PUT.</summary>
    /// <returns>The digest.</returns>
    public static async Task<string> PushBlobAsync(this HttpClient client, string repository, byte[] bytes)
    {
        var location = await client.OpenAsync(repository);
        Assert.Equal(201, await client.StatusAsync("PUT", With(location, Digests.Sha256(bytes)), bytes));
        return Digests.Sha256(bytes);
    }

    public static string With(string location, string digest) =>
        location + (location.Contains('?', StringComparison.Ordinal) ? '&' : '?') + "digest=" + digest;

    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values)
        || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : null;

    public static async Task<JsonNode> JsonAsync(this HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancel))!;

    public static async Task<string> ErrorCodeAsync(this HttpResponseMessage response) =>
        (await response.JsonAsync())["errors"]![0]!["code"]!.GetValue<string>();

    public static string Basic(string user, string password) =>
        "Authorization: " + new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
}

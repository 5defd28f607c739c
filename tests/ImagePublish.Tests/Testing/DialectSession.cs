using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

/// <summary>A registry of one dialect and a client that is signed in to it in the plainest way.</summary>
internal sealed class DialectSession : IAsyncDisposable
{
    private DialectSession(RegistryDialect dialect, TestRegistry registry)
    {
        (Dialect, Registry, Client) = (dialect, registry, registry.CreateClient());
    }

    public RegistryDialect Dialect { get; }

    public TestRegistry Registry { get; }

    public HttpClient Client { get; }

    public static async Task<DialectSession> StartAsync(RegistryDialect dialect) =>
        new(dialect, await TestRegistry.StartAsync(dialect, cancellationToken: Calls.Cancel));

    /// <summary>Asks, signs in as challenged, asks again; three times at most, as tokens may expire at once.</summary>
    public async Task<HttpResponseMessage> CallAsync(string method, string target, byte[]? body = null, params string[] headers)
    {
        string[] authorization = [];
        for (var attempt = 0; ; attempt++)
        {
            var response = await Client.CallAsync(method, target, body, [.. headers, .. authorization]);
            if ((int)response.StatusCode != 401 || attempt == 2)
                return response;
            authorization = [await SignInAsync(response)];
            response.Dispose();
        }
    }

    public async Task<string> OpenAsync()
    {
        using var response = await CallAsync("POST", $"/v2/{Dialect.Repository}/blobs/uploads/", []);
        Assert.Equal(202, (int)response.StatusCode);
        return response.Header("Location")!;
    }

    /// <summary>POST, PATCH with the whole, PUT: what every dialect takes.</summary>
    public async Task<string> PushBlobAsync(byte[] bytes)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var patched = await CallAsync("PATCH", await OpenAsync(), bytes);
            Assert.True(patched.IsSuccessStatusCode, $"{patched}");
            using var put = await CallAsync("PUT", Calls.With(patched.Header("Location")!, Digests.Sha256(bytes)), []);
            if (put.IsSuccessStatusCode || attempt == 1)
                return put.IsSuccessStatusCode ? Digests.Sha256(bytes) : throw new InvalidOperationException($"{put}");
        }
    }

    public Task<HttpResponseMessage> PutManifestAsync(string reference, JsonObject manifest, string mediaType = MediaTypes.OciManifest) =>
        CallAsync(
            "PUT",
            $"/v2/{Dialect.Repository}/manifests/{reference}",
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            $"Content-Type: {mediaType}"
        );

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Registry.DisposeAsync();
    }

    private async Task<string> SignInAsync(HttpResponseMessage refused)
    {
        var challenge = refused.Header("WWW-Authenticate")!;
        if (!challenge.Contains("Bearer", StringComparison.Ordinal))
            return Calls.Basic(Dialect.User, Dialect.Password);
        var parameters = Regex
            .Matches(challenge, "([a-z]+)=\"([^\"]*)\"")
            .DistinctBy(m => m.Groups[1].Value)
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        var query =
            $"?service={parameters["service"]}"
            + (parameters.TryGetValue("scope", out var scope) ? $"&scope={Uri.EscapeDataString(scope)}" : "");
        using var response = await Client.CallAsync("GET", parameters["realm"] + query, null, Calls.Basic(Dialect.User, Dialect.Password));
        return "Authorization: Bearer " + (await response.JsonAsync())["token"];
    }
}

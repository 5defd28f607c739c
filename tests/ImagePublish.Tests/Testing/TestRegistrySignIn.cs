using System.Text;
using ImagePublish.Testing;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistrySignIn
{
    private const string PushScope = "repository:a:pull,push";

    [Fact]
    public async Task BasicNeedsTheRightPassword()
    {
        await using var registry = await StartAsync(AuthSchemes.Basic);
        using var client = registry.CreateClient();
        using var refused = await client.CallAsync("GET", "/v2/");
        Assert.Equal(401, (int)refused.StatusCode);
        Assert.Equal("Basic realm=\"Test Registry\"", refused.Header("WWW-Authenticate"));
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/", null, Calls.Basic("alice", "wrong")));
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/", null, Calls.Basic("alice", "pässwörd:1")));
    }

    [Fact]
    public async Task AChallengeLeadsToATokenThatOpensItsScopeOnly()
    {
        await using var registry = await StartAsync(AuthSchemes.Bearer);
        using var client = registry.CreateClient();
        using var refused = await client.CallAsync("POST", "/v2/a/blobs/uploads/", []);
        Assert.Equal(
            $"Bearer realm=\"http://{registry.Host}/token\",service=\"test-registry\",scope=\"{PushScope}\"",
            refused.Header("WWW-Authenticate")
        );
        var token = await GetTokenAsync(client, $"scope={PushScope}", Calls.Basic("alice", "pässwörd:1"));
        await client.OpenAsync("a", token);
        using var other = await client.CallAsync("POST", "/v2/b/blobs/uploads/", [], token);
        Assert.Contains("error=\"insufficient_scope\"", other.Header("WWW-Authenticate"), StringComparison.Ordinal);
        using var mount = await client.CallAsync("POST", $"/v2/a/blobs/uploads/?mount={Digests.Empty}&from=b", [], token);
        Assert.Contains($"scope=\"{PushScope} repository:b:pull\"", mount.Header("WWW-Authenticate"), StringComparison.Ordinal);
        registry.Options.Auth.DeniedStatus = 403;
        Assert.Equal(403, await client.StatusAsync("POST", "/v2/b/blobs/uploads/", [], token));
    }

    [Fact]
    public async Task TokensExpireByTimeByUseAndOnDemand()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        await using var registry = await StartAsync(AuthSchemes.Bearer, o => o.Time = clock);
        using var client = registry.CreateClient();
        var first = await AliceAsync(client);
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/", null, first));
        var second = await AliceAsync(client);
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/", null, second));
        registry.Tokens.ExpireAll();
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/", null, second));
        registry.Options.Auth.TokenUses = 1;
        var third = await AliceAsync(client);
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/", null, third));
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/", null, third));
    }

    [Fact]
    public async Task AnonymousTokensPullAndDoNotPush()
    {
        await using var registry = await StartAsync(AuthSchemes.Bearer, o => o.Auth.AnonymousPull = true);
        registry.SeedImage("a", "1");
        using var client = registry.CreateClient();
        var token = await GetTokenAsync(client, $"scope={PushScope}");
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/a/manifests/1", null, token));
        Assert.Equal(401, await client.StatusAsync("POST", "/v2/a/blobs/uploads/", [], token));
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/a/manifests/1"));
    }

    [Fact]
    public async Task PostGivesTokensForPasswordsAndRefreshTokens()
    {
        await using var registry = await StartAsync(AuthSchemes.Bearer, o => o.Auth.IdentityTokens["identity-1"] = "alice");
        using var client = registry.CreateClient();
        using var byPassword = await PostAsync(
            client,
            $"grant_type=password&username=alice&password={Uri.EscapeDataString("pässwörd:1")}&access_type=offline"
        );
        var refresh = (await byPassword.JsonAsync())["refresh_token"]!.GetValue<string>();
        foreach (var given in new[] { "identity-1", refresh })
        {
            using var byRefresh = await PostAsync(client, $"grant_type=refresh_token&refresh_token={given}");
            await client.OpenAsync("a", "Authorization: Bearer " + (await byRefresh.JsonAsync())["access_token"]);
        }

        using var wrong = await PostAsync(client, "grant_type=refresh_token&refresh_token=x");
        Assert.Equal(401, (int)wrong.StatusCode);
        registry.Options.Auth.PostStatus = 404;
        using var missing = await PostAsync(client, "grant_type=refresh_token&refresh_token=identity-1");
        Assert.Equal(404, (int)missing.StatusCode);
    }

    [Fact]
    public async Task AzureExchangesTheCloudsToken()
    {
        await using var registry = await TestRegistry.StartAsync(RegistryDialects.Acr, cancellationToken: Calls.Cancel);
        using var client = registry.CreateClient();
        using var exchanged = await client.CallAsync(
            "POST",
            "/oauth2/exchange",
            Encoding.UTF8.GetBytes("grant_type=access_token&access_token=entra-token"),
            "Content-Type: application/x-www-form-urlencoded"
        );
        var refresh = (await exchanged.JsonAsync())["refresh_token"]!.GetValue<string>();
        using var token = await client.CallAsync(
            "GET",
            "/oauth2/token?service=myacr.azurecr.io&scope=" + PushScope,
            null,
            Calls.Basic("00000000-0000-0000-0000-000000000000", refresh)
        );
        Assert.Equal(200, (int)token.StatusCode);
    }

    [Fact]
    public async Task ChallengesAndTokenBodiesTakeAnyShape()
    {
        await using var registry = await StartAsync(AuthSchemes.Basic | AuthSchemes.Bearer, o =>
        {
            (o.Auth.OneHeader, o.Auth.BasicFirst, o.Auth.BareBasic, o.Auth.Service) = (true, true, true, null);
            o.Auth.Realm = "http://169.254.169.254/token";
            o.Auth.RewriteTokenBody = body => $$"""{"access_token":"{{body["token"]}}"}""";
        });
        using var client = registry.CreateClient();
        using var refused = await client.CallAsync("GET", "/v2/");
        Assert.Equal("Basic, Bearer realm=\"http://169.254.169.254/token\"", refused.Header("WWW-Authenticate"));
        using var token = await client.CallAsync("GET", "/token");
        Assert.StartsWith("""{"access_token":"token-""", await token.Content.ReadAsStringAsync(Calls.Cancel), StringComparison.Ordinal);
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/", null, Calls.Basic("alice", "pässwörd:1")));
        registry.Options.Auth.AlwaysRefuse = true;
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/", null, Calls.Basic("alice", "pässwörd:1")));
    }

    [Fact]
    public async Task TheRealmCanBeForeignAndCarryItsOwnQuery()
    {
        await using var registry = await StartAsync(AuthSchemes.Bearer, o =>
            (o.SecondHost, o.Auth.RealmOnSecondHost, o.Auth.RealmQuery) = (true, true, "?tenant=a%2Bb")
        );
        using var client = registry.CreateClient();
        using var refused = await client.CallAsync("GET", "/v2/");
        var realm = $"http://{registry.OtherHost}/token?tenant=a%2Bb";
        Assert.Contains($"realm=\"{realm}\"", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Equal(200, await client.StatusAsync("GET", realm + "&service=test-registry"));
        Assert.Equal(400, await client.StatusAsync("GET", "/token?service=test-registry"));
        Assert.Equal(registry.OtherHost, registry.Requests.Of(RegistryStep.Token)[0].Host);
    }

    private static Task<TestRegistry> StartAsync(AuthSchemes schemes, Action<TestRegistryOptions>? more = null) =>
        TestRegistry.StartAsync(
            o =>
            {
                o.Auth.Schemes = schemes;
                o.Auth.Users["alice"] = "pässwörd:1";
                more?.Invoke(o);
            },
            Calls.Cancel
        );

    private static Task<string> AliceAsync(HttpClient client) =>
        GetTokenAsync(client, $"scope={PushScope}", Calls.Basic("alice", "pässwörd:1"));

    private static async Task<string> GetTokenAsync(HttpClient client, string query, params string[] headers)
    {
        using var response = await client.CallAsync("GET", $"/token?service=test-registry&{query}", null, headers);
        return "Authorization: Bearer " + (await response.JsonAsync())["token"];
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string form) =>
        client.CallAsync(
            "POST",
            "/token",
            Encoding.UTF8.GetBytes($"{form}&service=test-registry&client_id=test&scope={PushScope}"),
            "Content-Type: application/x-www-form-urlencoded"
        );
}

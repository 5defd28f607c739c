using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Support.SignInBench;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>Who gets which token, and how it is asked for.</summary>
public sealed class SignInTests
{
    private const string Area = "Sign-in";

    [Fact]
    public async Task NothingIsSentBeforeTheRegistryAsks()
    {
        var bench = new SignInBench(credential: User);

        Assert.Null(await bench.AuthorizeAsync());
        Assert.Empty(bench.Service.Calls);
    }

    [Fact]
    public async Task APasswordGetsATokenByGet()
    {
        var bench = new SignInBench(credential: User);

        Assert.Equal("Bearer token-1", await bench.SignInAsync());
        var call = bench.Service.Call;
        Assert.Equal("GET", call.Method);
        Assert.Equal(BasicOf("ada", "s3cret"), call.Authorization);
        Assert.Equal(["repository:acme/shop:pull,push"], call.Query("scope"));
        Assert.Equal(["registry.example.com"], call.Query("service"));
    }

    [Fact]
    public async Task NobodyGetsAnAnonymousToken()
    {
        var bench = new SignInBench();

        Assert.Equal("Bearer token-1", await bench.SignInAsync());
        Assert.Null(bench.Service.Call.Authorization);
    }

    [Fact]
    [ReliabilityCase(Area, "two challenges", "Bearer is preferred over Basic")]
    public async Task OfTwoChallengesBearerIsPreferred()
    {
        var bench = new SignInBench(credential: User);
        var challenges = Challenge.ParseAll(["Basic realm=\"x\", Bearer realm=\"https://registry.example.com/token\""]);

        Assert.Equal("Bearer token-1", await bench.SignInAsync(challenges));
    }

    [Fact]
    [ReliabilityCase(Area, "no service", "the token is requested without one")]
    public async Task AServiceIsNotNeeded()
    {
        var bench = new SignInBench();

        await bench.SignInAsync(Bearer(more: ""));

        Assert.Empty(bench.Service.Call.Query("service"));
    }

    [Fact]
    [ReliabilityCase(Area, "realm with a query", "the query is kept and extended")]
    public async Task ARealmKeepsItsQuery()
    {
        var bench = new SignInBench();

        await bench.SignInAsync(Bearer("https://registry.example.com/token?tenant=a%2Fb&x="));

        Assert.StartsWith(
            "?tenant=a%2Fb&x=&service=registry.example.com&scope=repository%3Aacme%2Fshop%3Apull%2Cpush",
            bench.Service.Call.Address.Query,
            StringComparison.Ordinal
        );
    }

    [Fact]
    [ReliabilityCase(Area, "only access_token", "it is used")]
    public async Task AnAccessTokenIsAToken()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.OK, """{"access_token":"abc"}""")));

        Assert.Equal("Bearer abc", await bench.SignInAsync());
    }

    [Fact]
    public async Task AnIdentityTokenIsPostedWithAllScopesInOneField()
    {
        var bench = new SignInBench(credential: new Credential { IdentityToken = "refresh" });

        await bench.SignInAsync(scopes: [Scope.Pull("acme/base"), Scope.Push("acme/shop")]);

        var call = bench.Service.Call;
        Assert.Equal(
            ("POST", "refresh_token", "refresh", "registry.example.com"),
            (call.Method, call.Field("grant_type"), call.Field("refresh_token"), call.Field("service"))
        );
        Assert.Equal("repository:acme/shop:pull,push repository:acme/base:pull", call.Field("scope"));
        Assert.Null(call.Authorization);
    }

    [Fact]
    public async Task AnEntraTokenIsExchangedOnceAtTheRegistryItself()
    {
        var service = new FakeTokenService(call =>
            call.Address.AbsolutePath == "/oauth2/exchange"
                ? FakeTokenService.Json(HttpStatusCode.OK, """{"refresh_token":"refresh"}""")
                : FakeTokenService.Token($"token-{call.Number}")
        );
        var bench = new SignInBench(service, new Credential { EntraToken = "entra" });
        var acr = Registry.Parse("mine.azurecr.io");
        var challenge = Bearer("https://mine.azurecr.io/oauth2/token", ",service=\"mine.azurecr.io\"");

        Assert.Equal("Bearer token-2", await bench.SignInAsync(challenge, registry: acr));
        Assert.Equal("Bearer token-3", (await bench.AuthorizeAsync([Scope.Pull("other")], acr))?.ToString());

        Assert.Equal(["/oauth2/exchange", "/oauth2/token", "/oauth2/token"], service.Calls.Select(call => call.Address.AbsolutePath));
        Assert.Equal(
            ("access_token", "entra", "mine.azurecr.io"),
            (service.Calls[0].Field("grant_type"), service.Calls[0].Field("access_token"), service.Calls[0].Field("service"))
        );
        Assert.Equal("refresh", service.Calls[1].Field("refresh_token"));
    }

    [Fact]
    public async Task ARegistryTokenIsUsedAsItIs()
    {
        var bench = new SignInBench(credential: new Credential { RegistryToken = "ready" });

        Assert.Equal("Bearer ready", await bench.SignInAsync());
        Assert.False(await bench.RefreshAsync(rejected: new AuthenticationHeaderValue("Bearer", "ready")));
        Assert.Empty(bench.Service.Calls);
    }

    [Fact]
    public async Task NobodyHasNothingToSayToBasic()
    {
        var bench = new SignInBench();

        Assert.False(await bench.RefreshAsync(Challenge.ParseAll(["Basic realm=\"x\""])));
        Assert.False(await bench.RefreshAsync(Challenge.ParseAll(["Negotiate", "Bearer service=\"no realm\""])));
    }

    [Fact]
    [ReliabilityCase(Area, "non-ASCII password", "is sent in UTF-8")]
    public async Task APasswordMayHaveAnyCharacters()
    {
        var bench = new SignInBench(credential: Credential.Create("ada", "pässwörd:✓"));

        await bench.SignInAsync();

        Assert.Equal("Basic YWRhOnDDpHNzd8O2cmQ64pyT", bench.Service.Call.Authorization);
    }
}

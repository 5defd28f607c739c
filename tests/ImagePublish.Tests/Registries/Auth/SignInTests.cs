using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using static ImagePublish.Tests.Registries.Auth.SignInBench;

namespace ImagePublish.Tests.Registries.Auth;

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
    [ReliabilityCase(Area, "two challenges", "Bearer is preferred to Basic")]
    public async Task OfTwoChallengesBearerIsPreferred()
    {
        var bench = new SignInBench(credential: User);
        var challenges = Challenge.ParseAll(["Basic realm=\"x\", Bearer realm=\"https://registry.example.com/token\""]);

        Assert.Equal("Bearer token-1", await bench.SignInAsync(challenges));
    }

    [Fact]
    [ReliabilityCase(Area, "two challenges, token service refuses", "Basic is tried")]
    public async Task BasicIsTriedWhereTheTokenServiceRefuses()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Status(HttpStatusCode.NotFound)), User);
        var challenges = Challenge.ParseAll(["Bearer realm=\"https://registry.example.com/v2/token\",service=\"container_registry\",scope=\"*\"", "Basic"]);

        Assert.Equal(BasicOf("ada", "s3cret"), await bench.SignInAsync(challenges));
        Assert.False(await bench.RefreshAsync(challenges, AuthenticationHeaderValue.Parse(BasicOf("ada", "s3cret"))));
    }

    [Fact]
    [ReliabilityCase(Area, "no service", "the token is asked for without one")]
    public async Task AServiceIsNotNeeded()
    {
        var bench = new SignInBench();

        await bench.SignInAsync(Bearer(more: ""));

        Assert.Empty(bench.Service.Call.Query("service"));
    }

    [Fact]
    [ReliabilityCase(Area, "realm with a query", "the query is kept and added to")]
    public async Task ARealmKeepsItsQuery()
    {
        var bench = new SignInBench();

        await bench.SignInAsync(Bearer("https://registry.example.com/token?tenant=a%2Fb&x="));

        Assert.StartsWith("?tenant=a%2Fb&x=&service=registry.example.com&scope=repository%3Aacme%2Fshop%3Apull%2Cpush", bench.Service.Call.Address.Query, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "only access_token", "it is used")]
    public async Task AnAccessTokenIsAToken()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.OK, """{"access_token":"abc"}""")));

        Assert.Equal("Bearer abc", await bench.SignInAsync());
    }

    [Fact]
    [ReliabilityCase(Area, "no expires_in", "the token counts for 60 seconds")]
    public async Task ATokenWithoutLifetimeLivesAMinute()
    {
        var bench = new SignInBench(new FakeTokenService(call => FakeTokenService.Json(HttpStatusCode.OK, $$"""{"token":"t{{call.Number}}"}""")));

        Assert.Equal("Bearer t1", await bench.SignInAsync());
        bench.Clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal("Bearer t1", (await bench.AuthorizeAsync())?.ToString());
        bench.Clock.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal("Bearer t2", (await bench.AuthorizeAsync())?.ToString());
    }

    [Fact]
    [ReliabilityCase(Area, "expiry in mid-push", "a new token is got, before it is needed or after a 401")]
    public async Task ATokenIsRenewedInMidPush()
    {
        var bench = new SignInBench(credential: User);
        Assert.Equal("Bearer token-1", await bench.SignInAsync());
        bench.Clock.Advance(TimeSpan.FromMinutes(2));

        Assert.True(await bench.RefreshAsync(rejected: new AuthenticationHeaderValue("Bearer", "token-1")));
        Assert.Equal("Bearer token-2", (await bench.AuthorizeAsync())?.ToString());
        bench.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("Bearer token-3", (await bench.AuthorizeAsync())?.ToString());
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.BadRequest)]
    [ReliabilityCase(Area, "POST token 404/405/401/400", "GET is tried")]
    public async Task WhereAPostForATokenFailsAGetIsTried(HttpStatusCode status)
    {
        var service = new FakeTokenService(call => call.Method == "POST" ? FakeTokenService.Status(status) : FakeTokenService.Token("by-get"));
        var bench = new SignInBench(service, new Credential { Username = "ada", IdentityToken = "refresh-me" });

        Assert.Equal("Bearer by-get", await bench.SignInAsync());
        Assert.Equal(["POST", "GET"], service.Calls.Select(call => call.Method));
        Assert.Equal(BasicOf("ada", "refresh-me"), service.Calls[1].Authorization);
    }

    [Fact]
    [ReliabilityCase(Area, "401 loop", "stops after one try")]
    public async Task A401LoopStops()
    {
        var bench = new SignInBench(credential: User);
        await bench.SignInAsync();

        Assert.False(await bench.RefreshAsync(rejected: await bench.AuthorizeAsync()));
        Assert.Single(bench.Service.Calls);
    }

    [Fact]
    [ReliabilityCase(Area, "403 of the token service", "shown, not tried again")]
    public async Task ARefusalIsShownAndNotTriedAgain()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Status(HttpStatusCode.Forbidden)), User);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Assert.Equal(DiagnosticCodes.Unauthorized, exception.Code);
        Assert.Contains("403: not for you", exception.Message, StringComparison.Ordinal);
        Assert.Single(bench.Service.Calls);
    }

    [Fact]
    [ReliabilityCase(Area, "non-ASCII password", "is sent in UTF-8")]
    public async Task APasswordMayHaveAnyCharacters()
    {
        var bench = new SignInBench(credential: Credential.Of("ada", "pässwörd:✓"));

        await bench.SignInAsync();

        Assert.Equal("Basic YWRhOnDDpHNzd8O2cmQ64pyT", bench.Service.Call.Authorization);
    }

    [Fact]
    [ReliabilityCase(Area, "10 MB token", "refused after 128 KiB")]
    public async Task AHugeTokenIsRefused()
    {
        var huge = new FakeTokenService(_ => new TokenHttpResponse(HttpStatusCode.OK, new byte[TokenHttpResponse.MaxBodySize]) { IsTruncated = true });

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => new SignInBench(huge).RefreshAsync());

        Assert.Equal(DiagnosticCodes.RegistryProtocol, exception.Code);
        Assert.Contains("128 KiB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneTokenIsAskedForHoweverManyWait()
    {
        var gate = new TaskCompletionSource();
        var bench = new SignInBench(new FakeTokenService { Gate = gate.Task }, User);
        var waiting = Enumerable.Range(0, 200).Select(_ => bench.SignInAsync()).ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(waiting), header => Assert.Equal("Bearer token-1", header));
        Assert.Single(bench.Service.Calls);
    }

    [Fact]
    public async Task ATokenForMoreServesForLess()
    {
        var bench = new SignInBench();
        await bench.SignInAsync();

        Assert.Equal("Bearer token-1", (await bench.AuthorizeAsync([Scope.Pull("acme/shop")]))?.ToString());
        Assert.Equal("Bearer token-2", (await bench.AuthorizeAsync([Scope.Pull("acme/other")]))?.ToString());
    }
}

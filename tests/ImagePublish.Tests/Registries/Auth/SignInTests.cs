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
    [ReliabilityCase(Area, "401 loop", "stops after one more token")]
    public async Task A401LoopStops()
    {
        var bench = new SignInBench(credential: User);
        await bench.SignInAsync();

        Assert.True(await bench.RefreshAsync(rejected: new AuthenticationHeaderValue("Bearer", "token-1")));
        Assert.False(await bench.RefreshAsync(rejected: await bench.AuthorizeAsync()));
        Assert.Equal(2, bench.Service.Calls.Count);
    }

    [Fact]
    public async Task OfManyThatAreRefusedOneGetsANewToken()
    {
        var bench = new SignInBench(credential: User);
        await bench.SignInAsync();

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => bench.RefreshAsync(rejected: new AuthenticationHeaderValue("Bearer", "token-1")))), Assert.True);
        Assert.Equal(2, bench.Service.Calls.Count);
    }

    [Fact]
    public async Task WhereSeveralScopesAreRefusedTheFirstHasToDo()
    {
        var bench = new SignInBench(credential: User);
        Scope[] scopes = [Scope.Pull("acme/base"), Scope.Push("acme/shop")];
        await bench.SignInAsync(scopes: scopes);

        Assert.True(await bench.RefreshAsync(rejected: await bench.AuthorizeAsync(scopes), scopes: scopes));
        Assert.True(await bench.RefreshAsync(rejected: await bench.AuthorizeAsync(scopes), scopes: scopes));
        Assert.Equal("Bearer token-3", (await bench.AuthorizeAsync(scopes))?.ToString());
        Assert.Equal(["repository:acme/shop:pull,push", "repository:acme/base:pull"], bench.Service.Calls[0].Query("scope"));
        Assert.Equal(["repository:acme/shop:pull,push"], bench.Service.Calls[2].Query("scope"));
    }

    [Fact]
    public async Task AScopeThatTheChallengeDemandsIsAskedForToo()
    {
        var bench = new SignInBench(credential: User);
        await bench.SignInAsync(Bearer(more: ",scope=\"repository:user/image:pull\""), []);
        Assert.Empty(bench.Service.Call.Query("scope"));

        Assert.True(await bench.RefreshAsync(Bearer(more: ",scope=\"registry:catalog:*\",error=\"insufficient_scope\""), await bench.AuthorizeAsync([]), []));
        Assert.Equal(["registry:catalog:*"], bench.Service.Calls[1].Query("scope"));
        Assert.Equal("Bearer token-2", (await bench.AuthorizeAsync([]))?.ToString());
    }

    [Fact]
    public async Task AnIdentityTokenIsPostedWithAllScopesInOneField()
    {
        var bench = new SignInBench(credential: new Credential { IdentityToken = "refresh" });

        await bench.SignInAsync(scopes: [Scope.Pull("acme/base"), Scope.Push("acme/shop")]);

        var call = bench.Service.Call;
        Assert.Equal(("POST", "refresh_token", "refresh", "registry.example.com"), (call.Method, call.Field("grant_type"), call.Field("refresh_token"), call.Field("service")));
        Assert.Equal("repository:acme/shop:pull,push repository:acme/base:pull", call.Field("scope"));
        Assert.Null(call.Authorization);
    }

    [Fact]
    public async Task ANewIdentityTokenTakesThePlaceOfTheOldOne()
    {
        var bench = new SignInBench(
            new FakeTokenService(call => FakeTokenService.Json(HttpStatusCode.OK, $$"""{"access_token":"t{{call.Number}}","refresh_token":"r{{call.Number}}","expires_in":"300"}""")),
            new Credential { IdentityToken = "r0" });

        await bench.SignInAsync();
        bench.Clock.Advance(TimeSpan.FromMinutes(6));
        await bench.AuthorizeAsync();

        Assert.Equal(["r0", "r1"], bench.Service.Calls.Select(call => call.Field("refresh_token")));
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    public async Task APasswordIsPostedWhereTheServiceKnowsNoGet(HttpStatusCode status)
    {
        var service = new FakeTokenService(call => call.Method == "GET" ? FakeTokenService.Status(status) : FakeTokenService.Token("by-post"));
        var bench = new SignInBench(service, User);

        Assert.Equal("Bearer by-post", await bench.SignInAsync());
        Assert.Equal(("password", "ada", "s3cret"), (service.Calls[1].Field("grant_type"), service.Calls[1].Field("username"), service.Calls[1].Field("password")));
    }

    [Fact]
    public async Task AnEntraTokenIsExchangedOnceAtTheRegistryItself()
    {
        var service = new FakeTokenService(call => call.Address.AbsolutePath == "/oauth2/exchange"
            ? FakeTokenService.Json(HttpStatusCode.OK, """{"refresh_token":"refresh"}""") : FakeTokenService.Token($"token-{call.Number}"));
        var bench = new SignInBench(service, new Credential { EntraToken = "entra" });
        var acr = Registry.Parse("mine.azurecr.io");
        var challenge = Bearer("https://mine.azurecr.io/oauth2/token", ",service=\"mine.azurecr.io\"");

        Assert.Equal("Bearer token-2", await bench.SignInAsync(challenge, registry: acr));
        Assert.Equal("Bearer token-3", (await bench.AuthorizeAsync([Scope.Pull("other")], acr))?.ToString());

        Assert.Equal(["/oauth2/exchange", "/oauth2/token", "/oauth2/token"], service.Calls.Select(call => call.Address.AbsolutePath));
        Assert.Equal(("access_token", "entra", "mine.azurecr.io"), (service.Calls[0].Field("grant_type"), service.Calls[0].Field("access_token"), service.Calls[0].Field("service")));
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
    public async Task TheTokenServicesWordsAreShownWithoutTheSecretsTheyRepeat()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.Unauthorized, """{"details":"s3cret is\nwrong"}""")), User);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Assert.Contains("answers 401: *** is\\u000awrong", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>s3cret</html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"token\":\"a\\r\\nX-Evil: 1\"}")]
    [InlineData("{\"token\":7}")]
    public async Task AnAnswerWithoutATokenIsAnError(string body)
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.OK, body)));

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Assert.Equal(DiagnosticCodes.RegistryProtocol, exception.Code);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoGivesUpWaitingDoesNotStopTheOthers()
    {
        var gate = new TaskCompletionSource();
        var bench = new SignInBench(new FakeTokenService { Gate = gate.Task }, User);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = bench.Authenticator.RefreshAsync(Example, Pushing, Bearer(), null, impatient.Token).AsTask();
        var second = bench.RefreshAsync();
        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        Assert.True(await second);
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

using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Support.SignInBench;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>How long a token serves, for what, and for whom.</summary>
public sealed class TokenLifeTests
{
    private const string Area = "Sign-in";

    [Fact]
    [ReliabilityCase(Area, "no expires_in", "the token is used for 60 seconds")]
    public async Task ATokenWithoutLifetimeLivesAMinute()
    {
        var bench = new SignInBench(
            new FakeTokenService(call => FakeTokenService.Json(HttpStatusCode.OK, $$"""{"token":"t{{call.Number}}"}"""))
        );

        Assert.Equal("Bearer t1", await bench.SignInAsync());
        bench.Clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal("Bearer t1", (await bench.AuthorizeAsync())?.ToString());
        bench.Clock.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal("Bearer t2", (await bench.AuthorizeAsync())?.ToString());
    }

    [Fact]
    [ReliabilityCase(Area, "a token expires during a push", "a new token is requested, before it is needed or after a 401")]
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

    [Fact]
    [ReliabilityCase(Area, "401 loop", "stops after one more token request")]
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

        Assert.All(
            await Task.WhenAll(
                Enumerable.Range(0, 50).Select(_ => bench.RefreshAsync(rejected: new AuthenticationHeaderValue("Bearer", "token-1")))
            ),
            Assert.True
        );
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

        Assert.True(
            await bench.RefreshAsync(
                Bearer(more: ",scope=\"registry:catalog:*\",error=\"insufficient_scope\""),
                await bench.AuthorizeAsync([]),
                []
            )
        );
        Assert.Equal(["registry:catalog:*"], bench.Service.Calls[1].Query("scope"));
        Assert.Equal("Bearer token-2", (await bench.AuthorizeAsync([]))?.ToString());
    }

    [Fact]
    public async Task WhoGivesUpWaitingDoesNotStopTheOthers()
    {
        var gate = new TaskCompletionSource();
        var bench = new SignInBench(new FakeTokenService { Gate = gate.Task }, User);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = bench
            .Authenticator.RefreshAsync(Example, Pushing, new Rejection(Bearer(), null, IsPlainText: false), impatient.Token)
            .AsTask();
        var second = bench.RefreshAsync();
        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        Assert.True(await second);
        Assert.Single(bench.Service.Calls);
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

    [Fact]
    public async Task ANewIdentityTokenTakesThePlaceOfTheOldOne()
    {
        var bench = new SignInBench(
            new FakeTokenService(call =>
                FakeTokenService.Json(
                    HttpStatusCode.OK,
                    $$"""{"access_token":"t{{call.Number}}","refresh_token":"r{{call.Number}}","expires_in":"300"}"""
                )
            ),
            new Credential { IdentityToken = "r0" }
        );

        await bench.SignInAsync();
        bench.Clock.Advance(TimeSpan.FromMinutes(6));
        await bench.AuthorizeAsync();

        Assert.Equal(["r0", "r1"], bench.Service.Calls.Select(call => call.Field("refresh_token")));
    }
}

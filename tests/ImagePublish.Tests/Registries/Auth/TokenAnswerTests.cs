using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Support.SignInBench;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>Token services that refuse, or answer oddly.</summary>
public sealed class TokenAnswerTests
{
    private const string Area = "Sign-in";

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.BadRequest)]
    [ReliabilityCase(Area, "POST for a token answered 404, 405, 401 or 400", "GET is tried")]
    public async Task WhereAPostForATokenFailsAGetIsTried(HttpStatusCode status)
    {
        var service = new FakeTokenService(call =>
            call.Method == "POST" ? FakeTokenService.Status(status) : FakeTokenService.Token("by-get")
        );
        var bench = new SignInBench(service, new Credential { Username = "ada", IdentityToken = "refresh-me" });

        Assert.Equal("Bearer by-get", await bench.SignInAsync());
        Assert.Equal(["POST", "GET"], service.Calls.Select(call => call.Method));
        Assert.Equal(BasicOf("ada", "refresh-me"), service.Calls[1].Authorization);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    public async Task APasswordIsPostedWhereTheServiceKnowsNoGet(HttpStatusCode status)
    {
        var service = new FakeTokenService(call =>
            call.Method == "GET" ? FakeTokenService.Status(status) : FakeTokenService.Token("by-post")
        );
        var bench = new SignInBench(service, User);

        Assert.Equal("Bearer by-post", await bench.SignInAsync());
        Assert.Equal(
            ("password", "ada", "s3cret"),
            (service.Calls[1].Field("grant_type"), service.Calls[1].Field("username"), service.Calls[1].Field("password"))
        );
    }

    [Fact]
    public async Task TheTokenServicesWordsAreShownWithoutTheSecretsTheyRepeat()
    {
        var bench = new SignInBench(
            new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.Unauthorized, """{"details":"s3cret is\nwrong"}""")),
            User
        );

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
    [ReliabilityCase(Area, "403 of the token service", "reported, not tried again")]
    public async Task ARefusalIsShownAndNotTriedAgain()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Status(HttpStatusCode.Forbidden)), User);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Assert.Equal(DiagnosticCodes.Unauthorized, exception.Code);
        Assert.Contains("403: not for you", exception.Message, StringComparison.Ordinal);
        Assert.Single(bench.Service.Calls);
    }

    [Fact]
    [ReliabilityCase(Area, "10 MB token", "refused after 128 KiB")]
    public async Task AHugeTokenIsRefused()
    {
        var huge = new FakeTokenService(_ => new TokenHttpResponse(HttpStatusCode.OK, new byte[TokenHttpResponse.MaxBodySize])
        {
            IsTruncated = true,
        });

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => new SignInBench(huge).RefreshAsync());

        Assert.Equal(DiagnosticCodes.RegistryProtocol, exception.Code);
        Assert.Contains("128 KiB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "two challenges, token service refuses", "Basic is tried")]
    public async Task BasicIsTriedWhereTheTokenServiceRefuses()
    {
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Status(HttpStatusCode.NotFound)), User);
        var challenges = Challenge.ParseAll([
            "Bearer realm=\"https://registry.example.com/v2/token\",service=\"container_registry\",scope=\"*\"",
            "Basic",
        ]);

        Assert.Equal(BasicOf("ada", "s3cret"), await bench.SignInAsync(challenges));
        Assert.False(await bench.RefreshAsync(challenges, AuthenticationHeaderValue.Parse(BasicOf("ada", "s3cret"))));
    }
}

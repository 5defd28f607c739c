using ImagePublish.Registries.Auth;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class ChallengeTests
{
    [Fact]
    [ReliabilityCase("Sign-in", "a quoted comma in scope", "understood")]
    public void AQuotedCommaBelongsToItsValue()
    {
        var challenge = Assert.Single(
            Challenge.ParseAll(["Bearer realm=\"https://a/token\",service=\"a\",scope=\"repository:b:pull,push\""])
        );

        Assert.True(challenge.IsBearer);
        Assert.Equal("https://a/token", challenge.Parameter("realm"));
        Assert.Equal("repository:b:pull,push", challenge.Parameter("SCOPE"));
    }

    [Theory]
    [InlineData("Basic realm=\"a\", Bearer realm=\"b\"", "Basic[realm=a] Bearer[realm=b]")]
    [InlineData("Bearer realm=b, Basic", "Bearer[realm=b] Basic[]")]
    [InlineData("Basic, Bearer realm = b", "Basic[] Bearer[realm=b]")]
    [InlineData("Negotiate YWJj==, Basic realm=x", "Negotiate(YWJj==)[] Basic[realm=x]")]
    [InlineData("NTLM, Bearer realm=https://x/token?a=b,service=y", "NTLM[] Bearer[realm=https://x/token?a=b,service=y]")]
    [InlineData("Bearer realm=\"a\\\"b\\\\c\"", "Bearer[realm=a\"b\\c]")]
    [InlineData("Bearer realm=\"a\" service=\"b\"", "Bearer[realm=a,service=b]")]
    [InlineData("Bearer realm=\"a", "Bearer[realm=a]")]
    [InlineData(",, ,Bearer ,realm=a,,", "Bearer[realm=a]")]
    [InlineData("bearer REALM=a, realm=b", "bearer[REALM=a]")]
    [InlineData("realm=\"orphan\", Basic", "Basic[]")]
    [InlineData("=, \"x\" ;;; Basic", "Basic[]")]
    [InlineData("Basic Bearer realm=\"b\"", "Basic[] Bearer[realm=b]")]
    [InlineData(
        "Digest realm=\"d\", qop=\"auth, auth-int\", nonce=n, Newauth x=1",
        "Digest[realm=d,qop=auth, auth-int,nonce=n] Newauth[x=1]"
    )]
    [InlineData("", "")]
    public void ReadsWhatServersWrite(string header, string expected) =>
        Assert.Equal(expected, string.Join(' ', Challenge.ParseAll([header]).Select(Shown)));

    [Fact]
    public void ReadsSeveralHeaders() =>
        Assert.Equal(
            ["Bearer", "Basic", "Negotiate"],
            Challenge.ParseAll(["Bearer realm=a", "Basic realm=b, Negotiate"]).Select(challenge => challenge.Scheme)
        );

    private static string Shown(Challenge challenge)
    {
        string[] order = ["realm", "service", "qop", "nonce", "x"];
        var parameters = challenge.Parameters.OrderBy(parameter => Array.IndexOf(order, parameter.Key.ToLowerInvariant()));
        return $"{challenge.Scheme}{(challenge.Token68 is { } data ? $"({data})" : "")}[{string.Join(',', parameters.Select(parameter => $"{parameter.Key}={parameter.Value}"))}]";
    }
}

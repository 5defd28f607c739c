using System.Text;
using CsCheck;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class FuzzTests
{
    private static readonly Gen<string> HeaderText = Gen.OneOf(
            "Bearer",
            "Basic",
            "Negotiate",
            "realm",
            "scope",
            "=",
            "==",
            "\"",
            "\\",
            ",",
            " ",
            "\t",
            "a",
            "/",
            ":",
            "https://x/t",
            "repository:a/b:pull,push",
            "é",
            "\0",
            ";"
        )
        .Array[0, 24]
        .Select(string.Concat);

    private static readonly Gen<string> ConfigText = Gen.OneOf(
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\"auths\"",
            "\"credHelpers\"",
            "\"credsStore\"",
            "\"registry.example.com\"",
            "\"registry.example.com/a\"",
            "\"https://registry.example.com/v1/\"",
            "\"auth\":\"YTpi\"",
            "\"auth\":\"!\"",
            "\"identitytoken\":\"\\ud800\"",
            "\"\\ud800\":{}",
            "null",
            "1e999",
            "{}",
            "\"auths\":{\"registry.example.com\":{\"auth\":\"YTpi\"}}",
            "\uFEFF",
            " "
        )
        .Array[0, 24]
        .Select(string.Concat);

    [Fact]
    public void AnyHeaderIsReadAsChallenges() =>
        Gen.OneOf(HeaderText, Gen.String)
            .Sample(text => Assert.All(Challenge.ParseAll([text]), challenge => Assert.NotEmpty(challenge.Scheme)), iter: 300_000);

    [Fact]
    public void EveryChallengeIsReadAsItWasWritten() =>
        Gen.Select(Gen.Char.AlphaNumeric.Array[1, 9], Gen.String.AlphaNumeric, Gen.Char[' ', '~'].Array[0, 40])
            .List[1, 4]
            .Sample(
                written =>
                {
                    var header = string.Join(
                        ", ",
                        written.Select(challenge => $"{new string(challenge.Item1)} n{challenge.Item2}=\"{Quoted(challenge.Item3)}\"")
                    );
                    var read = Challenge.ParseAll([header]);
                    Assert.Equal(written.Select(challenge => new string(challenge.Item1)), read.Select(challenge => challenge.Scheme));
                    Assert.Equal(
                        written.Select(challenge => new string(challenge.Item3)),
                        read.Select(challenge => challenge.Parameters[$"n{challenge.Parameters.Keys.Single()[1..]}"])
                    );
                },
                iter: 50_000
            );

    [Fact]
    public void AnyTextIsAScopeOrNone() =>
        Gen.OneOf(HeaderText, Gen.String)
            .Sample(
                text =>
                {
                    if (Scope.TryParse(text, out var scope))
                        Assert.Equal(scope, Scope.TryParse(scope.ToString(), out var again) ? again : null);
                    Assert.True(Scope.Covers(Scope.ParseList(text), Scope.ParseList(text)));
                },
                iter: 200_000
            );

    [Fact]
    public void AnyAuthFileIsReadOrRefused() =>
        Gen.OneOf(ConfigText, Gen.String)
            .Sample(
                text =>
                {
                    try
                    {
                        var config = AuthConfig.Parse(Encoding.UTF8.GetBytes(text), "the file");
                        config.Helper(SignInBench.Example, "a/b");
                        config.Find(SignInBench.Example, "a/b");
                    }
                    catch (ImagePublishException exception)
                    {
                        Assert.Equal(DiagnosticCodes.CredentialsUnusable, exception.Code);
                    }
                },
                iter: 100_000
            );

    [Fact]
    public void AnyBytesOfAnAuthFileAreReadOrRefused() =>
        Gen
            .Byte.Array[0, 64]
            .Sample(
                bytes =>
                {
                    try
                    {
                        AuthConfig
                            .Parse((byte[])[.. "{\"auths\":{\""u8, .. bytes, .. "\":{\"auth\":\"YTpi\"}}}"u8], "the file")
                            .Find(SignInBench.Example, null);
                    }
                    catch (ImagePublishException)
                    {
                        // Refused.
                    }
                },
                iter: 100_000
            );

    [Fact]
    public void AnyTokenAnswerIsReadOrRefused() =>
        Gen.OneOf(
                Gen.OneOf(
                        "{",
                        "}",
                        "[",
                        ":",
                        ",",
                        "\"token\":\"abc\"",
                        "\"access_token\":",
                        "\"\\ud800\"",
                        "\"expires_in\":",
                        "1e999",
                        "-1",
                        "\"9\"",
                        "\"errors\":[{",
                        "\"message\":\"m\"",
                        "null"
                    )
                    .Array[0, 16]
                    .Select(string.Concat),
                Gen.String
            )
            .Sample(
                text =>
                {
                    var request = new TokenRequest(
                        SignInBench.Example,
                        new BearerRealm(new Uri("https://registry.example.com/token"), null),
                        [],
                        null
                    );
                    var response = FakeTokenService.Json(System.Net.HttpStatusCode.OK, text);
                    try
                    {
                        var token = TokenAnswer.Read(request, response, DateTimeOffset.UnixEpoch);
                        Assert.True(token.ExpiresAt > token.IssuedAt);
                    }
                    catch (ImagePublishException exception)
                    {
                        Assert.Equal(DiagnosticCodes.RegistryProtocol, exception.Code);
                    }

                    Assert.NotEmpty(
                        TokenAnswer
                            .Failure(request, response with { Status = System.Net.HttpStatusCode.Unauthorized }, new Redactor())
                            .Message
                    );
                },
                iter: 100_000
            );

    [Fact]
    public void AnyRealmIsJudged() =>
        Gen.OneOf(
                Gen.OneOf(
                        "http://",
                        "https://",
                        "localhost",
                        "127.0.0.1",
                        "[::1]",
                        "registry.example.com",
                        ".",
                        "@",
                        ":",
                        "/",
                        "?",
                        "#",
                        "%41",
                        "é",
                        "\\",
                        "0x7f",
                        " ",
                        "a"
                    )
                    .Array[0, 10]
                    .Select(string.Concat),
                Gen.String
            )
            .Sample(
                text =>
                {
                    try
                    {
                        if (Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var realm))
                        {
                            new RealmPolicy(new HashSet<Registry>(), [], new HashSet<Registry>()).Check(SignInBench.Example, realm);
                            Assert.Equal("https", realm.Scheme);
                            Assert.True(
                                new TokenRequest(SignInBench.Example, new BearerRealm(realm, "s"), [Scope.Pull("a")], null).GetAddress.Host
                                    == realm.Host
                            );
                        }
                    }
                    catch (ImagePublishException exception)
                    {
                        Assert.Equal(DiagnosticCodes.UntrustedRealm, exception.Code);
                    }
                },
                iter: 50_000
            );

    private static string Quoted(char[] text) =>
        new string(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}

using System.Net;
using System.Text;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries.Auth;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Tests.Security;

/// <summary>What a registry, a token service or a proxy gets printed on the build machine, and what it does not get printed.</summary>
public sealed class HostileAnswerTests
{
    private const string Password = "hunter22/ca+nä ry:%=&0123456789abcdef0123456789abcdef";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Bodies
    {
        get
        {
            var canary = JsonSerializer.Serialize(Hostile.Everything);
            return new()
            {
                { $$"""{"errors":[{"code":{{canary}},"message":{{canary}},"detail":{{canary}}}]}""", "application/json" },
                {
                    $$"""{"errors":[{"code":"DENIED","message":"no ##vso[task.prependpath]C:/evil ##[set-output name=image;]evil"}]}""",
                    "application/json"
                },
                { $$"""{"message":{{canary}}}""", "application/json" },
                { $$"""{"error":"x","error_description":{{canary}}}""", "application/json" },
                { Hostile.RunnerCommand, "text/plain" },
                { Hostile.Everything, "text/plain" },
                { $"<html><title>{Hostile.Everything}</title>", "text/html" },
                { "<html><title>##&#118;so[task.prependpath]/evil</title>", "text/html" },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    [ReliabilityCase(
        "Security",
        "a registry's error text contains CI commands and invisible characters",
        "it is shown with them made harmless, in the error and in the line about retrying"
    )]
    public async Task AnErrorTextIsOnlyText(string body, string mediaType)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestGet, FaultAction.Status(503, body, mediaType, headers: "Retry-After: 60"), Fault.Always);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        Hostile.AssertHarmless(failure.Message);
        Assert.NotEmpty(bench.Log.Informations);
        Assert.All([.. bench.Log.Informations, .. bench.Log.Details], Hostile.AssertHarmless);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task ATokenServicesErrorTextIsOnlyText(string body, string mediaType)
    {
        Assert.NotEmpty(mediaType);
        var bench = new SignInBench(new FakeTokenService(_ => FakeTokenService.Json(HttpStatusCode.Forbidden, body)), SignInBench.User);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Hostile.AssertHarmless(failure.Message);
    }

    [Theory]
    [InlineData("Content-Type")]
    [InlineData("Location")]
    [InlineData("Link")]
    [InlineData("Docker-Content-Digest")]
    [InlineData("WWW-Authenticate")]
    public async Task AHeaderIsOnlyText(string name)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.ManifestGet,
            FaultAction.Status(name == "Location" ? 307 : 401, "", headers: $"{name}: ##vso[task.prependpath]/evil <img src=x>"),
            Fault.Always
        );
        bench.Fail(
            RegistryStep.TagsList,
            FaultAction.Status(
                200,
                "{\"tags\":[\"a\"]}",
                "application/json",
                headers: $"{name}: <##vso[task.prependpath]/evil>; rel=\"next\""
            ),
            Fault.Always
        );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));
        Hostile.AssertHarmless(failure.Message);
        try
        {
            await foreach (var tag in bench.Client.ListTagsAsync(bench.Repository, Cancel))
                Assert.Equal("a", tag.Value);
        }
        catch (ImagePublishException exception)
        {
            Hostile.AssertHarmless(exception.Message);
        }
    }

    // The header in full, after so much text that cutting the message cuts it.
    [Theory]
    [InlineData("{0}")]
    [InlineData("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"{0}\"}]}")]
    [InlineData("<html><title>{0}</title></html>")]
    [ReliabilityCase(
        "Security",
        "a registry or a proxy repeats the Authorization header in its error text, where the text is cut off",
        "none of it is shown"
    )]
    public async Task ARepeatedHeaderIsNotShown(string shape)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Auth.Schemes = AuthSchemes.Basic);
        bench.Server.Options.Auth.Users["ci"] = Password;
        bench.Credential = Credential.Create("ci", Password);
        await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));
        bench.Fail(RegistryStep.ManifestGet, Echo(shape, header => new string('x', 155) + $" {header}"), Fault.Always);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        Assert.Contains("xxx ", failure.Message, StringComparison.Ordinal);
        AssertNothingOf(Convert.ToBase64String(Encoding.UTF8.GetBytes($"ci:{Password}")), failure.Message);
    }

    public static TheoryData<string> Forms =>
        [
            Password,
            Uri.EscapeDataString(Password),
            Uri.EscapeDataString(Password).Replace("%20", "+", StringComparison.Ordinal),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Password)),
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"ci:{Password}")),
            JsonEncodedText.Encode(Password).ToString(),
            WebUtility.HtmlEncode(Password),
        ];

    [Theory]
    [MemberData(nameof(Forms))]
    [ReliabilityCase(
        "Security",
        "a registry repeats a password literally, percent-encoded, in base64 or escaped, before and where its text is cut off",
        "none of it is shown"
    )]
    public async Task APasswordIsNotShownInAnyForm(string form)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Auth.Schemes = AuthSchemes.Basic);
        bench.Server.Options.Auth.Users["ci"] = Password;
        bench.Credential = Credential.Create("ci", Password);
        await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        foreach (var before in (int[])[0, 170, 185])
        {
            bench.Server.Faults.Clear();
            bench.Fail(RegistryStep.ManifestGet, FaultAction.Status(400, new string('x', before) + $" {form} "), Fault.Always);

            var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

            AssertNothingOf(form, failure.Message);
            AssertNothingOf(Password, failure.Message);
        }
    }

    [Fact]
    [ReliabilityCase("Security", "a token service repeats what it received, where its text is cut off", "none of it is shown")]
    public async Task ATokenServiceThatRepeatsItsCallerShowsNothing()
    {
        var service = new FakeTokenService(call =>
            FakeTokenService.Json(
                HttpStatusCode.Unauthorized,
                JsonSerializer.Serialize(new { message = new string('x', 160) + $" {call.Authorization} {call.Form} {Password}" })
            )
        );
        var bench = new SignInBench(service, Credential.Create("ci", Password));

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync());

        Assert.Contains("xxx ", failure.Message, StringComparison.Ordinal);
        AssertNothingOf(Convert.ToBase64String(Encoding.UTF8.GetBytes($"ci:{Password}")), failure.Message);
        AssertNothingOf(Password, failure.Message);
    }

    [Fact]
    public async Task ABearerTokenIsNotShown()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Auth.Schemes = AuthSchemes.Bearer);
        bench.Server.Options.Auth.TokenPrefix = "a-token-that-nobody-sees-";
        bench.Server.Options.Auth.Users["ci"] = Password;
        bench.Credential = Credential.Create("ci", Password);
        await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));
        bench.Fail(RegistryStep.ManifestGet, Echo("{0}", header => new string('x', 180) + $" {header["Bearer ".Length..]}"), Fault.Always);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        AssertNothingOf("a-token-that-nobody-sees-", failure.Message);
    }

    // Any eight characters of it in a row are too many, wherever in it they are.
    private static void AssertNothingOf(string secret, string message)
    {
        for (var at = 0; at + 8 <= secret.Length; at++)
            Assert.True(!message.Contains(secret.Substring(at, 8), StringComparison.Ordinal), message);
    }

    private static FaultAction Echo(string shape, Func<string, string> text) =>
        FaultAction.Custom("repeats the header", async (http, _, _) =>
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            http.Response.ContentType =
                shape.StartsWith('{') && shape.Length > 3 ? "application/json"
                : shape.StartsWith('<') ? "text/html"
                : "text/plain";
            await http.Response.WriteAsync(
                shape.Replace("{0}", text(http.Request.Headers.Authorization.ToString()), StringComparison.Ordinal),
                http.RequestAborted
            );
        });
}

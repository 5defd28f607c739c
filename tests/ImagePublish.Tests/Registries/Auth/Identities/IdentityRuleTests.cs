using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing.Clouds;

namespace ImagePublish.Tests.Registries.Auth.Identities;

/// <summary>When the build's identity is used, when not, and what becomes of hostile answers.</summary>
public sealed class IdentityRuleTests
{
    [Theory]
    [InlineData("acmeshop.azurecr.io.evil.example")]
    [InlineData("evil.acmeshop.azurecr.io")]
    [InlineData("123456789012.dkr.ecr.evil.amazonaws.com")]
    [InlineData("evil.pkg.dev")]
    [InlineData("registry.example.com")]
    public async Task ALookAlikeGetsNothing(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        HaveEverything(bench);

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Empty(bench.Asked);
        Assert.All(bench.Dialled, target => Assert.Equal($"{host}:443", target));
    }

    [Theory]
    [InlineData(IdentityBench.Acr, "00000000-0000-0000-0000-000000000000")]
    [InlineData(IdentityBench.Ecr, "AWS")]
    [InlineData(IdentityBench.Gar, "_json_key")]
    public async Task WhatTheUserConfiguredWins(string host, string user)
    {
        await using var bench = await IdentityBench.StartAsync(host, options => options.Auth.Users[user] = "configured");
        HaveEverything(bench);
        bench.Credential = Credential.Create(user, "configured");

        await bench.PushAsync();

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task ItCanBeSwitchedOff(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        HaveEverything(bench);
        bench.UsesIdentities = false;

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task ARegistryWhoseCertificateIsNotCheckedGetsNothing(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        HaveEverything(bench);
        var insecure = new HashSet<Registry> { bench.Registry };
        bench.Options = bench.Options with { InsecureRegistries = insecure, PlainTextCredentials = insecure };

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task AMachineThatSaysNothingOfACloudIsNotAsked(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.SetFirmware("sys_vendor", "Microsoft Corporation").SetFirmware("product_name", "Laptop 7");

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.All(bench.Dialled, target => Assert.Equal($"{host}:443", target));
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task AMachineIsAskedWhereTheUserSaysThatThereIsACloud(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.AsksMachine = true;

        await bench.PushAsync();

        Assert.Contains("169.254.169.254:80", bench.Dialled);
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task AMachineWithoutAMetadataServiceHasNoIdentity(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.AsksMachine = true;
        bench.HasMachineServices = false;

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Contains(bench.Log.Details, line => line.EndsWith("at 169.254.169.254 does not answer.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task TheMachineIsAskedThroughNoProxy(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.AsksMachine = true;
        bench.Options = bench.Options with { Proxies = new ProxySettings("http://proxy.example.com:3128", null) };

        await bench.PushAsync();

        Assert.Contains("169.254.169.254:80", bench.Dialled);
        Assert.DoesNotContain("proxy.example.com:3128", bench.Dialled);
    }

    [Fact]
    public async Task ATokenWithoutAHostIsForTheOnlyRegistryOfTheBuild()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.IsSoleRegistry = false;
        bench.WithAzureApplication().Set("IMAGE_REGISTRY_ID_TOKEN", bench.Cloud.Ci.CreateGitLabToken("api://AzureADTokenExchange"));

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Gar)]
    public async Task WhatEverybodyMayReadIsReadWithoutARefusedIdentity(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host, options => options.Auth.AnonymousPull = true);
        HaveEverything(bench);
        bench.Cloud.Instead = call => CloudAnswer.Json(403, new JsonObject { ["message"] = "not you" });

        await bench.PullAsync();

        Assert.Single(bench.Asked);
        var line = Assert.Single(bench.Log.Informations);
        Assert.StartsWith($"Reading from {host} without signing in: ", line, StringComparison.Ordinal);
        Assert.Contains("not you", line, StringComparison.Ordinal);
        Assert.Contains("IMG5020", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatEverybodyMayReadIsReadWithoutAnIdentityThatTheRegistryRefuses()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr, options => options.Auth.AnonymousPull = true);
        bench.OnGitHub().WithAzureApplication();
        bench.Cloud.Azure.Issue = _ => { };

        await bench.PullAsync();

        Assert.Single(bench.Log.Informations);
        Assert.Single(bench.Server.Requests, request => request.Target.StartsWith("/oauth2/exchange", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(IdentityBench.Acr)]
    [InlineData(IdentityBench.Ecr)]
    [InlineData(IdentityBench.Gar)]
    public async Task WhatNotEverybodyMayReadNeedsTheIdentity(string host)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        HaveEverything(bench);
        bench.Cloud.Instead = call => CloudAnswer.Json(403, new JsonObject { ["message"] = "not you" });

        var message = await bench.FailsToPullAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("not you", message, StringComparison.Ordinal);
        Assert.Single(bench.Asked);
    }

    [Fact]
    public async Task ARefusalIsNotAskedForAgain()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Cloud.Azure.Federated.Clear();
        bench.OnGitHub().WithAzureApplication();

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);
        await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Equal(2, bench.Cloud.Calls.Count);
    }

    [Fact]
    public async Task AnIdentityIsAskedForAgainWhenItsTokenExpires()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar, options =>
            options.Auth.TokenLifetime = TimeSpan.FromMinutes(5)
        );
        bench.Set("K_SERVICE", "shop");
        await bench.PushAsync();
        bench.Clock.Advance(TimeSpan.FromMinutes(50));
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Latest, IdentityBench.Stop));
        Assert.Single(bench.Cloud.Google.Issued);

        bench.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Latest, IdentityBench.Stop));

        Assert.Equal(2, bench.Cloud.Google.Issued.Count);
    }

    [Fact]
    public async Task AServiceThatFailsForAMomentIsAskedAgain()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication();
        var failures = 1;
        bench.Cloud.Instead = call =>
            call.Host.StartsWith("login", StringComparison.Ordinal) && Interlocked.Decrement(ref failures) >= 0
                ? CloudAnswer.Text(503, "busy")
                : null;

        await bench.PushAsync();

        Assert.Equal(3, bench.Cloud.Calls.Count);
    }

    [Theory]
    [InlineData(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "http://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/7/8?api-version=2.0"
    )]
    [InlineData("ACTIONS_ID_TOKEN_REQUEST_URL", "https://evil@run-actions-1-azure-eastus.actions.githubusercontent.com/42")]
    [InlineData("ACTIONS_ID_TOKEN_REQUEST_URL", "nonsense")]
    [InlineData("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "two\r\nX-Lines: 1")]
    public async Task GitHubIsAskedByHttpsOnly(string variable, string value)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication().Set(variable, value);

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData("<html>proxy</html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"value\":7,\"access_token\":7}")]
    [InlineData("{\"value\":\"line\\nbreak\",\"access_token\":\"line\\nbreak\"}")]
    [InlineData("{\"value\":\"\\ud800\"}")]
    [InlineData("{\"value\":\"abc")]
    [InlineData("large")]
    public async Task AnAnswerThatIsMalformedIsOneClearLine(string body)
    {
        var text = body == "large" ? $"{{\"value\":\"{new string('a', 200_000)}\"}}" : body;
        string[] hosts = ["run-actions-1-azure-eastus.actions.githubusercontent.com", "login.microsoftonline.com"];
        foreach (var host in hosts)
        {
            await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
            bench.OnGitHub().WithAzureApplication();
            bench.Cloud.Instead = call => call.Host == host ? new CloudAnswer(200, text) : null;

            var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityAnswerUnusable);

            Assert.Contains($"at {host} returned an invalid response", message, StringComparison.Ordinal);
            Assert.DoesNotContain("abc", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("<a/>")]
    [InlineData("<!DOCTYPE a [<!ENTITY x \"AKIAEXAMPLEEXAMPLE12\">]><a><AccessKeyId>&x;</AccessKeyId></a>")]
    [InlineData("{}")]
    [InlineData("<Credentials><AccessKeyId>AKIAEXAMPLEEXAMPLE12</AccessKeyId><SecretAccessKey>a b</SecretAccessKey></Credentials>")]
    [InlineData("<a><b></a>")]
    public async Task AnAnswerOfStsThatIsMalformedIsOneClearLine(string body)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.OnGitHub().Set("AWS_ROLE_ARN", AmazonServices.Role);
        bench.Cloud.Instead = call =>
            call.Host.StartsWith("sts.", StringComparison.Ordinal) ? new CloudAnswer(200, body, "text/xml") : null;

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityAnswerUnusable);
    }

    [Theory]
    [InlineData("{\"authorizationData\":[]}")]
    [InlineData("{\"authorizationData\":[{\"authorizationToken\":\"%%%\"}]}")]
    [InlineData("{\"authorizationData\":[{\"authorizationToken\":\"Ym9iOmFiYw==\"}]}")]
    [InlineData("{\"authorizationData\":[{\"authorizationToken\":\"QVdTOmEKYg==\"}]}")]
    public async Task AnAnswerOfEcrThatIsMalformedIsOneClearLine(string body)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.SetFirmware("sys_vendor", "Amazon EC2");
        bench.Cloud.Instead = call => call.Host.StartsWith("api.ecr", StringComparison.Ordinal) ? new CloudAnswer(200, body) : null;

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityAnswerUnusable);
    }

    [Fact]
    public async Task ARedirectIsNotFollowed()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication();
        bench.Cloud.Instead = call =>
            call.Host.StartsWith("login", StringComparison.Ordinal)
                ? new CloudAnswer(307, "")
                {
                    Headers = new Dictionary<string, string> { ["Location"] = "https://login.evil.example/token" },
                }
                : null;

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("answers 307 (a redirect, which is not followed)", message, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Dialled, target => target.Contains("evil", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatARefusalRepeatsOfTheTokenIsNotShown()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication();
        bench.Cloud.Instead = call =>
            call.Field("client_assertion") is { } assertion
                ? CloudAnswer.Json(400, new JsonObject { ["error_description"] = $"Bad {assertion}\n##vso[task.setvariable]x" })
                : null;

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("Bad ***", message, StringComparison.Ordinal);
        Assert.DoesNotContain("##vso[", message, StringComparison.Ordinal);
    }

    // Every way of every cloud, as a build has them that does several things.
    private static void HaveEverything(IdentityBench bench)
    {
        var keys = bench.Cloud.Amazon.CreateKeys();
        bench
            .OnGitHub()
            .WithAzureApplication()
            .Set("AWS_ACCESS_KEY_ID", keys.Id)
            .Set("AWS_SECRET_ACCESS_KEY", keys.Secret)
            .Set("GOOGLE_WORKLOAD_IDENTITY_PROVIDER", GoogleServices.Provider)
            .SetFirmware("sys_vendor", "Amazon EC2")
            .SetFirmware("product_name", "Google Compute Engine")
            .SetFirmware("chassis_asset_tag", IdentityBench.AzureTag);
    }
}

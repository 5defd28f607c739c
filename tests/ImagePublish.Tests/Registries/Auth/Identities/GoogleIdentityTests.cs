using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Testing.Clouds;

namespace ImagePublish.Tests.Registries.Auth.Identities;

public sealed class GoogleIdentityTests
{
    private const string GitHub = "GET https://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/7/8";
    private const string Exchange = "POST https://sts.googleapis.com/v1/token";
    private const string ImpersonationUrl =
        $"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{GoogleServices.Account}:generateAccessToken";
    private const string Metadata = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token";

    [Theory]
    [InlineData(IdentityBench.Gar, GoogleServices.Provider, false)]
    [InlineData(IdentityBench.Gar, "//iam.googleapis.com/" + GoogleServices.Provider, true)]
    [InlineData("eu.gcr.io", "https://iam.googleapis.com/" + GoogleServices.Provider, true)]
    public async Task AJobOfGitHubPublishes(string host, string provider, bool asAccount)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.OnGitHub().Set("GOOGLE_WORKLOAD_IDENTITY_PROVIDER", provider);
        if (asAccount)
            bench.Set("GOOGLE_SERVICE_ACCOUNT", GoogleServices.Account);

        await bench.PushAsync();

        Assert.Equal(asAccount ? [GitHub, Exchange, $"POST {ImpersonationUrl}"] : [GitHub, Exchange], bench.Asked);
    }

    [Fact]
    public async Task ATokenOfGitLabPublishes()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        bench
            .Set("GOOGLE_WORKLOAD_IDENTITY_PROVIDER", GoogleServices.Provider)
            .Set("IMAGE_REGISTRY_ID_TOKEN", bench.Cloud.Ci.CreateGitLabToken($"https://iam.googleapis.com/{GoogleServices.Provider}"));

        await bench.PushAsync();

        Assert.Equal([Exchange], bench.Asked);
    }

    [Fact]
    public async Task TheFileOfGoogleSActionForGitHubIsUsed()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        var audience = Uri.EscapeDataString($"https://iam.googleapis.com/{GoogleServices.Provider}");
        var source = new JsonObject
        {
            ["url"] = $"{CiServices.GitHubUrl}&audience={audience}",
            ["headers"] = new JsonObject { ["Authorization"] = $"Bearer {CiServices.GitHubRequestToken}" },
            ["format"] = new JsonObject { ["type"] = "json", ["subject_token_field_name"] = "value" },
        };
        SetExternal(bench, json => json["credential_source"] = source);

        await bench.PushAsync();

        Assert.Equal([GitHub, Exchange, $"POST {ImpersonationUrl}"], bench.Asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFileWithATokenIsUsed(bool isJson)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        var token = bench.Cloud.Ci.CreateGitLabToken($"https://iam.googleapis.com/{GoogleServices.Provider}");
        var path = bench.Write("token", isJson ? new JsonObject { ["id"] = token }.ToJsonString() : token + "\n");
        var source = new JsonObject { ["file"] = path };
        if (isJson)
            source["format"] = new JsonObject { ["type"] = "json", ["subject_token_field_name"] = "id" };
        SetExternal(bench, json =>
        {
            json["credential_source"] = source;
            json.Remove("service_account_impersonation_url");
        });

        await bench.PushAsync();

        Assert.Equal([Exchange], bench.Asked);
    }

    [Theory]
    [InlineData("token_url", "https://sts.googleapis.com.evil.example/v1/token")]
    [InlineData("token_url", "http://sts.googleapis.com/v1/token")]
    [InlineData("service_account_impersonation_url", "https://evil.example/v1/projects/-/serviceAccounts/a@b:generateAccessToken")]
    [InlineData("service_account_impersonation_url", "https://iamcredentials.googleapis.com@evil.example/x:generateAccessToken")]
    [InlineData("audience", "//evil.example/pool")]
    [InlineData("subject_token_type", "urn:ietf:params:aws:token-type:aws4_request")]
    [InlineData("type", "impersonated_service_account")]
    public async Task AFileThatLeadsElsewhereIsRefused(string field, string value)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        var path = bench.Write("token", bench.Cloud.Ci.CreateGitLabToken($"https://iam.googleapis.com/{GoogleServices.Provider}"));
        SetExternal(bench, json =>
        {
            json["credential_source"] = new JsonObject { ["file"] = path };
            json[field] = value;
        });

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData("http://evil.example/token", null)]
    [InlineData("http://169.254.169.254/latest/meta-data/iam/security-credentials/", null)]
    [InlineData("http://localhost/token", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("https://tokens.example.com/", "X\nEvil")]
    public async Task ASourceThatIsNotSafeIsNotAsked(string url, string? header)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        SetExternal(bench, json => json["credential_source"] = new JsonObject
            {
                ["url"] = url,
                ["headers"] = new JsonObject { ["A"] = header ?? "b" },
            });

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Empty(bench.Asked);
    }

    [Fact]
    public async Task AKeyOfAServiceAccountPublishes()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        SetKey(bench, bench.Cloud.Google.AccountKey.PrivateKey);

        await bench.PushAsync();

        Assert.Equal(["POST https://oauth2.googleapis.com/token"], bench.Asked);
    }

    [Fact]
    public async Task AKeyThatWasDeletedIsRefused()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        using var other = new TestJwt(GoogleServices.Account);
        SetKey(bench, other.PrivateKey);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("oauth2.googleapis.com answers 400 (invalid_grant: Invalid JWT Signature.)", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no key at all", null)]
    [InlineData(null, "https://oauth2.evil.example/token")]
    public async Task AKeyFileThatIsWrongIsNotUsed(string? key, string? address)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        SetKey(bench, key ?? bench.Cloud.Google.AccountKey.PrivateKey, address);

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Empty(bench.Asked);
    }

    [Theory]
    [InlineData("product_name", "Google Compute Engine", null)]
    [InlineData(null, null, "K_SERVICE")]
    [InlineData(null, null, "CLOUD_RUN_JOB")]
    public async Task AMachineOfGooglePublishesWithItsServiceAccount(string? fact, string? value, string? variable)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        if (fact is not null)
            bench.SetFirmware(fact, value!);
        if (variable is not null)
            bench.Set(variable, "shop");

        await bench.PushAsync();

        Assert.Equal([$"GET {Metadata}"], bench.Asked);
    }

    [Fact]
    public async Task WhatAnswersInThePlaceOfTheMetadataServiceIsNotBelieved()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        bench.SetFirmware("product_name", "Google Compute Engine");
        bench.Cloud.Instead = call =>
            call.IsSecure ? null : CloudAnswer.Json(200, new JsonObject { ["access_token"] = "x", ["expires_in"] = 60 });

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityAnswerUnusable);

        Assert.Contains("Metadata-Flavor: Google", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMachineWithoutAServiceAccountHasNoCredentials()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        bench.Cloud.Google.HasServiceAccount = false;
        bench.SetFirmware("product_name", "Google Compute Engine");

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Equal([$"GET {Metadata}"], bench.Asked);
    }

    [Fact]
    public async Task ATokenForAnotherAudienceIsRefused()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Gar);
        bench
            .Set("GOOGLE_WORKLOAD_IDENTITY_PROVIDER", GoogleServices.Provider)
            .Set("IMAGE_REGISTRY_ID_TOKEN", bench.Cloud.Ci.CreateGitLabToken("https://gitlab.com"));

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("invalid_grant: The audience in ID Token does not match", message, StringComparison.Ordinal);
    }

    private static void SetExternal(IdentityBench bench, Action<JsonObject> change)
    {
        var json = new JsonObject
        {
            ["type"] = "external_account",
            ["audience"] = $"//iam.googleapis.com/{GoogleServices.Provider}",
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
            ["token_url"] = "https://sts.googleapis.com/v1/token",
            ["service_account_impersonation_url"] = ImpersonationUrl,
        };
        change(json);
        bench.Set("GOOGLE_APPLICATION_CREDENTIALS", bench.Write("credentials.json", json.ToJsonString()));
    }

    private static void SetKey(IdentityBench bench, string key, string? address = null)
    {
        var json = new JsonObject
        {
            ["type"] = "service_account",
            ["client_email"] = GoogleServices.Account,
            ["private_key_id"] = "1",
            ["private_key"] = key,
            ["token_uri"] = address ?? "https://oauth2.googleapis.com/token",
        };
        bench.Set("GOOGLE_APPLICATION_CREDENTIALS", bench.Write("key.json", json.ToJsonString()));
    }
}

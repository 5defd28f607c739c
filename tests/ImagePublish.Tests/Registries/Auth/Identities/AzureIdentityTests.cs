using ImagePublish.Diagnostics;
using ImagePublish.Testing.Clouds;

namespace ImagePublish.Tests.Registries.Auth.Identities;

public sealed class AzureIdentityTests
{
    private const string GitHub = "GET https://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/7/8";
    private const string Entra = $"POST https://login.microsoftonline.com/{AzureServices.Tenant}/oauth2/v2.0/token";
    private const string Metadata = "GET http://169.254.169.254/metadata/identity/oauth2/token";

    [Fact]
    public async Task AJobOfGitHubPublishes()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication();

        await bench.PushAsync();

        // Once, however many blobs waited for it.
        Assert.Equal([GitHub, Entra], bench.Asked);
        Assert.Single(bench.Server.Requests, request => request.Target.StartsWith("/oauth2/exchange", StringComparison.Ordinal));
        Assert.Contains(bench.Log.Details, line =>
            line.Contains($"the Entra application {AzureServices.Application}", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task AServiceConnectionOfAzurePipelinesPublishes()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench
            .Set("SYSTEM_OIDCREQUESTURI", CiServices.PipelineUrl)
            .Set("SYSTEM_ACCESSTOKEN", CiServices.PipelineAccessToken)
            .Set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CiServices.ServiceConnection)
            .Set("AZURESUBSCRIPTION_CLIENT_ID", AzureServices.Application)
            .Set("AZURESUBSCRIPTION_TENANT_ID", AzureServices.Tenant);

        await bench.PushAsync();

        Assert.Equal([$"POST {CiServices.PipelineUrl}", Entra], bench.Asked);
    }

    [Theory]
    [InlineData("IMAGE_REGISTRY_ID_TOKEN", null)]
    [InlineData("IMAGE_REGISTRY_ID_TOKEN__acmeshop_azurecr_io", null)]
    [InlineData("IMAGE_REGISTRY_ID_TOKEN__PROD", "IMAGE_REGISTRY_HOST__PROD")]
    public async Task ATokenOfGitLabPublishesThatTheUserNames(string variable, string? hostVariable)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.WithAzureApplication().Set(variable, bench.Cloud.Ci.CreateGitLabToken("api://AzureADTokenExchange"));
        if (hostVariable is not null)
            bench.Set(hostVariable, IdentityBench.Acr);

        await bench.PushAsync();

        Assert.Equal([Entra], bench.Asked);
    }

    [Fact]
    public async Task AWorkloadOfAClusterPublishes()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        var file = bench.Write("token", bench.Cloud.Ci.CreateGitLabToken("api://AzureADTokenExchange") + "\n");
        bench
            .WithAzureApplication()
            .Set("AZURE_FEDERATED_TOKEN_FILE", file)
            .Set("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/");

        await bench.PushAsync();

        Assert.Equal([Entra], bench.Asked);
    }

    [Theory]
    [InlineData("acmeshop.azurecr.us", null, "login.microsoftonline.us")]
    [InlineData("acmeshop.azurecr.cn", null, "login.partner.microsoftonline.cn")]
    [InlineData("acmeshop.azurecr.cn", "https://login.chinacloudapi.cn", "login.chinacloudapi.cn")]
    public async Task ARegistryOfAnotherCloudHasItsOwnAuthority(string host, string? named, string authority)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        bench.OnGitHub().WithAzureApplication();
        if (named is not null)
            bench.Set("AZURE_AUTHORITY_HOST", named);

        await bench.PushAsync();

        Assert.Equal([GitHub, Entra.Replace("login.microsoftonline.com", authority, StringComparison.Ordinal)], bench.Asked);
    }

    [Theory]
    [InlineData("https://login.evil.example/")]
    [InlineData("http://login.microsoftonline.com/")]
    [InlineData("https://login.microsoftonline.com.evil.example/")]
    [InlineData("https://login.microsoftonline.com@evil.example/")]
    [InlineData("https://login.microsoftonline.us/")]
    public async Task AnotherAuthorityGetsNothing(string authority)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication().Set("AZURE_AUTHORITY_HOST", authority);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains("AZURE_AUTHORITY_HOST", message, StringComparison.Ordinal);
        Assert.Equal([GitHub], bench.Asked);
    }

    [Fact]
    public async Task AMachineOfAzurePublishesWithItsManagedIdentity()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.SetFirmware("sys_vendor", "Microsoft Corporation").SetFirmware("chassis_asset_tag", IdentityBench.AzureTag);

        await bench.PushAsync();

        Assert.Equal([Metadata], bench.Asked);
    }

    [Fact]
    public async Task AMachineWithSeveralIdentitiesWantsToKnowWhich()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Cloud.Azure.ManagedIdentities.Add(AzureServices.Application);
        bench.SetFirmware("chassis_asset_tag", IdentityBench.AzureTag);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains("Multiple user assigned identities exist", message, StringComparison.Ordinal);
        Assert.Contains("Check AZURE_CLIENT_ID", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMachineUsesTheIdentityThatIsNamed()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Cloud.Azure.ManagedIdentities.Clear();
        bench.Cloud.Azure.ManagedIdentities.Add(AzureServices.Application);
        bench.SetFirmware("chassis_asset_tag", IdentityBench.AzureTag).Set("AZURE_CLIENT_ID", AzureServices.Application);

        await bench.PushAsync();
    }

    [Fact]
    public async Task AMachineWithoutIdentityHasNoCredentials()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Cloud.Azure.ManagedIdentities.Clear();
        bench.SetFirmware("chassis_asset_tag", IdentityBench.AzureTag);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Contains("Sign in with 'docker login'", message, StringComparison.Ordinal);
        Assert.Equal([Metadata], bench.Asked);
    }

    [Theory]
    [InlineData("http://127.0.0.1:41327/msi/token")]
    [InlineData("http://localhost:42356/msi/token")]
    [InlineData("http://169.254.129.2:8081/msi/token")]
    public async Task AnAppServicePublishesWithItsManagedIdentity(string endpoint)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Set("IDENTITY_ENDPOINT", endpoint).Set("IDENTITY_HEADER", AzureServices.AppServiceSecret);

        await bench.PushAsync();

        Assert.Single(bench.Asked);
    }

    [Theory]
    [InlineData("http://10.0.0.1/msi/token")]
    [InlineData("http://identity.evil.example/msi/token")]
    [InlineData("https://identity.evil.example/msi/token")]
    [InlineData("http://user@localhost/msi/token")]
    [InlineData("nonsense")]
    public async Task AServiceElsewhereGetsNoSecretOfAppService(string endpoint)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Set("IDENTITY_ENDPOINT", endpoint).Set("IDENTITY_HEADER", AzureServices.AppServiceSecret);

        await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Empty(bench.Asked);
    }

    [Fact]
    public async Task ARefusedIdentitySaysWhatEntraSaid()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Cloud.Azure.Federated.Clear();
        bench.OnGitHub().WithAzureApplication();

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("acmeshop.azurecr.io", message, StringComparison.Ordinal);
        Assert.Contains("login.microsoftonline.com answers 401 (invalid_client: AADSTS700213", message, StringComparison.Ordinal);
        Assert.Contains(CiServices.GitHubSubject, message, StringComparison.Ordinal);
        Assert.EndsWith("has a federated credential for the issuer and the subject of this build.", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnIdentityWithoutARoleSaysWhoItIs()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication();
        bench.Cloud.Azure.Issue = _ => { };

        var message = await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Contains($"It was asked with the Entra application {AzureServices.Application}", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AJobWithoutThePermissionLearnsOfIt()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub(mayHaveToken: false).WithAzureApplication();

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains("Add 'permissions: id-token: write' to the job", message, StringComparison.Ordinal);
        Assert.Empty(bench.Asked);
    }

    [Fact]
    public async Task AStepWithoutTheAccessTokenLearnsOfIt()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench
            .Set("SYSTEM_OIDCREQUESTURI", CiServices.PipelineUrl)
            .Set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CiServices.ServiceConnection)
            .WithAzureApplication();

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains("SYSTEM_ACCESSTOKEN: $(System.AccessToken)", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATokenWithoutAnApplicationLearnsOfIt()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.Set("IMAGE_REGISTRY_ID_TOKEN", bench.Cloud.Ci.CreateGitLabToken("api://AzureADTokenExchange"));

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.EndsWith("Set AZURE_CLIENT_ID and AZURE_TENANT_ID.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AZURE_CLIENT_ID", "../../evil")]
    [InlineData("AZURE_TENANT_ID", "evil/../../other")]
    [InlineData("AZURE_TENANT_ID", "evil?x=")]
    public async Task AnIdThatIsNoneIsNotSent(string variable, string value)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Acr);
        bench.OnGitHub().WithAzureApplication().Set(variable, value);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains(variable, message, StringComparison.Ordinal);
        Assert.Empty(bench.Asked);
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Testing.Clouds;

namespace ImagePublish.Tests.Registries.Auth.Identities;

public sealed class AmazonIdentityTests
{
    private const string GitHub = "GET https://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/7/8";
    private const string Sts = "POST https://sts.eu-west-1.amazonaws.com/";
    private const string Ecr = "POST https://api.ecr.eu-west-1.amazonaws.com/";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task KeysOfTheEnvironmentPublish(bool isSession)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        SetKeys(bench, bench.Cloud.Amazon.CreateKeys(isSession));

        await bench.PushAsync();

        // Once, however many blobs waited for it.
        Assert.Equal([Ecr], bench.Asked);
        Assert.Single(bench.Cloud.Amazon.Passwords);
    }

    [Fact]
    public async Task AJobOfGitHubPublishesInARole()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.OnGitHub().Set("AWS_ROLE_ARN", AmazonServices.Role);

        await bench.PushAsync();

        Assert.Equal([GitHub, Sts, Ecr], bench.Asked);
        Assert.Equal("sts.amazonaws.com", bench.Cloud.Calls[0].Query["audience"]);
    }

    [Fact]
    public async Task ATokenOfGitLabWinsOverKeysOfTheEnvironment()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        SetKeys(bench, bench.Cloud.Amazon.CreateKeys());
        bench
            .Set("IMAGE_REGISTRY_ID_TOKEN", bench.Cloud.Ci.CreateGitLabToken("sts.amazonaws.com"))
            .Set("AWS_ROLE_ARN", AmazonServices.Role)
            .Set("AWS_ROLE_SESSION_NAME", "shop-build");

        await bench.PushAsync();

        Assert.Equal([Sts, Ecr], bench.Asked);
        Assert.Equal("shop-build", bench.Cloud.Calls[0].Field("RoleSessionName"));
    }

    [Fact]
    public async Task APodPublishesWithItsServiceAccount()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        var file = bench.Write("token", bench.Cloud.Ci.CreateGitLabToken("sts.amazonaws.com"));
        bench.Set("AWS_WEB_IDENTITY_TOKEN_FILE", file).Set("AWS_ROLE_ARN", AmazonServices.Role);

        await bench.PushAsync();

        Assert.Equal([Sts, Ecr], bench.Asked);
    }

    [Theory]
    [InlineData(
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        "sts-fips.us-east-1.amazonaws.com",
        "ecr-fips.us-east-1.amazonaws.com"
    )]
    [InlineData("123456789012.dkr-ecr.eu-west-1.on.aws", "sts.eu-west-1.api.aws", "ecr.eu-west-1.api.aws")]
    [InlineData(
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "sts.cn-north-1.amazonaws.com.cn",
        "api.ecr.cn-north-1.amazonaws.com.cn"
    )]
    public async Task EachKindOfRegistryHasItsOwnServices(string host, string sts, string ecr)
    {
        await using var bench = await IdentityBench.StartAsync(host);
        var isChina = host.EndsWith(".cn", StringComparison.Ordinal);
        bench.OnGitHub().Set("AWS_ROLE_ARN", isChina ? AmazonServices.ChinaRole : AmazonServices.Role);

        await bench.PushAsync();

        Assert.Equal([GitHub, $"POST https://{sts}/", $"POST https://{ecr}/"], bench.Asked);
    }

    [Fact]
    public async Task ThePublicRegistryIsSignedInTo()
    {
        await using var bench = await IdentityBench.StartAsync("public.ecr.aws");
        SetKeys(bench, bench.Cloud.Amazon.CreateKeys(isSession: true));

        await bench.PushAsync();

        Assert.Equal(["POST https://api.ecr-public.us-east-1.amazonaws.com/"], bench.Asked);
    }

    [Fact]
    public async Task AMachineOfAmazonPublishesInItsRole()
    {
        const string Roles = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.SetFirmware("sys_vendor", "Amazon EC2");

        await bench.PushAsync();

        Assert.Equal(["PUT http://169.254.169.254/latest/api/token", $"GET {Roles}", $"GET {Roles}builder", Ecr], bench.Asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AMachineWithoutARoleHasNoCredentials(bool isDisabled)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.Cloud.Amazon.InstanceRole = null;
        bench.SetFirmware("sys_vendor", "Amazon EC2");
        if (isDisabled)
            bench.Set("AWS_EC2_METADATA_DISABLED", "TRUE");

        await bench.FailsToPushAsync(DiagnosticCodes.Unauthorized);

        Assert.Equal(isDisabled ? 0 : 2, bench.Cloud.Calls.Count);
    }

    [Theory]
    [InlineData("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/task-1", null)]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")]
    public async Task AContainerPublishesInItsRole(string variable, string address, string? token)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.Set(variable, address);
        if (token is not null)
            bench.Set(
                token,
                token.EndsWith("FILE", StringComparison.Ordinal)
                    ? bench.Write("t", AmazonServices.ContainerToken)
                    : AmazonServices.ContainerToken
            );

        await bench.PushAsync();

        Assert.Equal(2, bench.Cloud.Calls.Count);
    }

    [Theory]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/v1/credentials")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.169.254/v1/credentials")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/v1/credentials")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://localhost/v1/credentials")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/")]
    public async Task AServiceElsewhereGetsNoToken(string variable, string address)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.Set(variable, address).Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", AmazonServices.ContainerToken);
        var isPath = variable.Contains("RELATIVE", StringComparison.Ordinal);

        await bench.FailsToPushAsync(isPath ? DiagnosticCodes.IdentityRefused : DiagnosticCodes.IdentityUnusable);

        // A path stays a path, whatever it looks like.
        Assert.Equal(isPath ? ["GET http://169.254.170.2/@evil.example/"] : [], bench.Asked);
        Assert.DoesNotContain(bench.Dialled, target => target.StartsWith("evil", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARefusedTokenSaysWhatStsSaid()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.OnGitHub().Set("AWS_ROLE_ARN", AmazonServices.Role + "2");

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains(
            "sts.eu-west-1.amazonaws.com answers 403 (AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity)",
            message,
            StringComparison.Ordinal
        );
        Assert.Contains("Check that the trust policy of arn:aws:iam::123456789012:role/publisher2", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RefusedKeysSayWhatAmazonSaid()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        SetKeys(bench, new AmazonKeys("AKIAUNKNOWNUNKNOWN01", "no-such-secret-key", null, default));

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains(
            "(UnrecognizedClientException: The security token included in the request is invalid.)",
            message,
            StringComparison.Ordinal
        );
        Assert.Contains("ecr:GetAuthorizationToken", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWrongSecretIsAWrongSignature()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        SetKeys(bench, bench.Cloud.Amazon.CreateKeys() with { Secret = "not-the-secret-of-it" });

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityRefused);

        Assert.Contains("InvalidSignatureException", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AWS_ROLE_ARN", "not-a-role")]
    [InlineData("AWS_ROLE_ARN", "arn:aws:iam::123456789012:user/ada")]
    [InlineData("AWS_ACCESS_KEY_ID", "AKIA\nX-Evil: 1")]
    [InlineData("AWS_SECRET_ACCESS_KEY", "se\ncret")]
    public async Task AVariableThatIsWrongIsNotSent(string variable, string value)
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.OnGitHub();
        if (!variable.Contains("ROLE", StringComparison.Ordinal))
            SetKeys(bench, bench.Cloud.Amazon.CreateKeys());
        bench.Set(variable, value);

        var message = await bench.FailsToPushAsync(DiagnosticCodes.IdentityUnusable);

        Assert.Contains(variable, message, StringComparison.Ordinal);
        Assert.Empty(bench.Asked);
    }

    [Fact]
    public async Task APasswordIsAskedForAgainWhenTheSessionEnds()
    {
        await using var bench = await IdentityBench.StartAsync(IdentityBench.Ecr);
        bench.SetFirmware("sys_vendor", "Amazon EC2");
        await bench.PushAsync();
        bench.Clock.Advance(TimeSpan.FromMinutes(57));
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Latest, IdentityBench.Stop));
        Assert.Single(bench.Cloud.Amazon.Passwords);

        // The password would be good for twelve hours, the session that it belongs to is not.
        bench.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Latest, IdentityBench.Stop));

        Assert.Equal(2, bench.Cloud.Amazon.Passwords.Count);
    }

    private static void SetKeys(IdentityBench bench, AmazonKeys keys)
    {
        bench.Set("AWS_ACCESS_KEY_ID", keys.Id).Set("AWS_SECRET_ACCESS_KEY", keys.Secret);
        if (keys.Session is { } session)
            bench.Set("AWS_SESSION_TOKEN", session);
    }
}

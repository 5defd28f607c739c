using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>Signing in over the wire, with the client, to each kind of registry.</summary>
public sealed class DialectSignInTests
{
    public static TheoryData<string> Dialects => [.. RegistryDialects.All.Select(dialect => dialect.Name)];

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task EveryDialectLetsUsPushAndPull(string name)
    {
        var dialect = RegistryDialects.Named(name);
        await using var server = await TestRegistry.StartAsync(dialect, cancellationToken: RegistryBench.Cancel);
        await using var bench = RegistryBench.For(server);
        bench.Credential = Credential.Create(dialect.User, dialect.Password);

        await PushAndPullAsync(bench, dialect.Repository);
    }

    [Fact]
    public async Task AnEntraTokenPushesToAzure()
    {
        await using var server = await TestRegistry.StartAsync(RegistryDialects.Acr, cancellationToken: RegistryBench.Cancel);
        await using var bench = RegistryBench.For(server);
        bench.Credential = new Credential { EntraToken = "entra-token" };

        await PushAndPullAsync(bench, RegistryDialects.Acr.Repository);

        Assert.Equal(1, server.Requests.CountOf(RegistryStep.TokenExchange));
    }

    [Fact]
    public async Task AWholePushNeedsOneToken()
    {
        await using var bench = await BearerAsync();

        await Task.WhenAll(Enumerable.Range(0, 12).Select(seed => bench.PushAsync(RegistryBench.Layer(1000, seed))));

        Assert.Equal(1, bench.CountOf(RegistryStep.Token));
    }

    [Fact]
    [ReliabilityCase("Sign-in", "tokens that expire after every few requests", "the push continues with new ones")]
    public async Task APushOutlivesItsTokens()
    {
        await using var bench = await BearerAsync(options => options.Auth.TokenUses = 3);

        foreach (var seed in Enumerable.Range(0, 8))
            await bench.PushAsync(RegistryBench.Layer(1000, seed));

        Assert.InRange(bench.CountOf(RegistryStep.Token), 2, 16);
    }

    [Fact]
    [ReliabilityCase("Sign-in", "401 loop over the wire", "one error after three requests")]
    public async Task ARegistryThatNeverLetsUsInIsGivenUp()
    {
        await using var bench = await BearerAsync(options => options.Auth.AlwaysRefuse = true);

        await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => bench.PushAsync(RegistryBench.Layer(10)));

        Assert.InRange(bench.Server.Requests.Count, 2, 8);
    }

    [Fact]
    [ReliabilityCase(
        "Sign-in",
        "a good token is refused once, while tokens for other repositories are in use",
        "the request is sent once more"
    )]
    public async Task ATokenThatWasGoodIsTriedOnceMoreWhateverOthersAreInUse()
    {
        await using var bench = await BearerAsync();
        var first = bench.Named("acme/one").ReferenceTo(Tag.Parse("1"));
        await bench.Client.FindManifestAsync(first, RegistryBench.Cancel);
        await bench.Client.FindManifestAsync(bench.Named("acme/two").ReferenceTo(Tag.Parse("1")), RegistryBench.Cancel);
        // Without a challenge, so that no other token can be asked for.
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(401));

        Assert.Null(await bench.Client.FindManifestAsync(first, RegistryBench.Cancel));
    }

    [Fact]
    public async Task AWrongPasswordIsToldAsSuch()
    {
        await using var bench = await BearerAsync();
        bench.Credential = Credential.Create("ada", "wr0ng");

        var exception = await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => bench.PushAsync(RegistryBench.Layer(10)));

        Assert.Contains("incorrect username or password", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", exception + bench.Log.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wr0ng", "The user name or the password is wrong or has expired")]
    [InlineData(null, "No credentials for {0} were found. Sign in with 'docker login'")]
    public async Task ARegistryWithoutTokensSaysNotWhyItRefuses(string? password, string reason)
    {
        await using var bench = await BearerAsync(options => options.Auth.Schemes = AuthSchemes.Basic);
        bench.Credential = password is null ? null : Credential.Create("ada", password);

        var exception = await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => bench.PushAsync(RegistryBench.Layer(10)));

        Assert.Contains(reason.Replace("{0}", $"{bench.Registry}", StringComparison.Ordinal), exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", exception + bench.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoSecretIsLogged()
    {
        await using var bench = await BearerAsync(options => options.Auth.TokenPrefix = "canary-token-");

        await PushAndPullAsync(bench, "acme/shop");

        Assert.DoesNotContain("canary", bench.Log.ToString(), StringComparison.Ordinal);
    }

    private static async Task<RegistryBench> BearerAsync(Action<TestRegistryOptions>? configure = null)
    {
        var bench = await RegistryBench.StartAsync(options =>
        {
            options.Auth.Schemes = AuthSchemes.Bearer;
            options.Auth.Users["ada"] = "canary-pässword";
            configure?.Invoke(options);
        });
        bench.Credential = Credential.Create("ada", "canary-pässword");
        return bench;
    }

    private static async Task PushAndPullAsync(RegistryBench bench, string name)
    {
        var repository = bench.Named(name);
        var blob = RegistryBench.Layer(1000);

        var push = await bench.Client.PushBlobAsync(repository, blob, RegistryBench.Cancel);
        var back = await bench.Client.GetBlobAsync(repository, blob.Descriptor, 1000, RegistryBench.Cancel);

        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        Assert.Equal(RegistryBench.Bytes(1000), back.ToArray());
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Signing in before there is anything to ask: what it spares a publish, and that nothing gets worse by it.</summary>
public sealed class EarlySignInTests
{
    private const string Area = "Sign-in";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(AuthSchemes.Bearer)]
    [InlineData(AuthSchemes.Basic)]
    [ReliabilityCase(Area, "signed in while the project compiles", "the first request of the publish needs no sign-in")]
    public async Task TheFirstQuestionIsOneRequest(AuthSchemes scheme)
    {
        await using var bench = await StartAsync(scheme, "secret");
        await bench.Client.SignInEarlyAsync(bench.Repository, Cancel);
        bench.Server.Requests.Clear();

        await bench.Client.FindManifestAsync(bench.Latest, Cancel);

        Assert.Equal(404, Assert.Single(bench.Server.Requests).Status);
        Assert.Equal(1, bench.CountOf(RegistryStep.ManifestHead));
    }

    [Theory]
    [InlineData(AuthSchemes.Bearer)]
    [InlineData(AuthSchemes.Basic)]
    [ReliabilityCase(Area, "a wrong password, signed in while the project compiles", "sent once; the publish reports the error")]
    public async Task AWrongPasswordIsSentOnceAndReportedByThePublish(AuthSchemes scheme)
    {
        await using var bench = await StartAsync(scheme, "wrong");

        await bench.Client.SignInEarlyAsync(bench.Repository, Cancel);
        await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => bench.Client.FindManifestAsync(bench.Latest, Cancel));

        Assert.Single(bench.Server.Requests, request => request.Authorization?.StartsWith("Basic ", StringComparison.Ordinal) == true);
    }

    [Fact]
    [ReliabilityCase(Area, "the connection is lost while the project compiles", "nothing is reported; the publish connects again")]
    public async Task WhatFailsEarlyIsLeftToThePublish()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.Ping, FaultAction.Reset());
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(403));

        await bench.Client.SignInEarlyAsync(bench.Repository, Cancel);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryDenied, () => bench.Client.FindManifestAsync(bench.Latest, Cancel));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "no answer while the project compiles",
        "cancelled after 10 seconds, so that the publish does not have to wait for it"
    )]
    public async Task WhatStallsEarlyDelaysThePublishByLittle()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { EarlyTimeout = TimeSpan.FromMinutes(20) };
        var stall = bench.Fail(RegistryStep.Ping, FaultAction.Stall());

        var early = bench.Client.SignInEarlyAsync(bench.Repository, Cancel);
        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel));

        await early;
        Assert.Equal((1, 1), (stall.Hits, bench.CountOf(RegistryStep.ManifestHead)));
    }

    private static async Task<RegistryBench> StartAsync(AuthSchemes scheme, string password)
    {
        var bench = await RegistryBench.StartAsync(options =>
        {
            options.Auth.Schemes = scheme;
            options.Auth.Users["me"] = "secret";
        });
        bench.Credential = Credential.Create("me", password);
        return bench;
    }
}

using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Storage;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Bases;

/// <summary>What is read of a base image while a project compiles, and what is left to ask afterwards.</summary>
public sealed class EarlyBaseTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private RegistryBench bench = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private RegistryImage Image => new(bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0")));

    private static Platform Platform => new("linux", "amd64");

    public async ValueTask InitializeAsync()
    {
        bench = await RegistryBench.StartAsync();
        bench.Server.SeedIndex("dotnet/aspnet", "10.0");
    }

    public async ValueTask DisposeAsync()
    {
        await bench.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task APublishAsksNothingMoreOfAnImageThatNoProjectOfTheBuildCanMove()
    {
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference> { Image.Location });

        await ReadAsync(shared);

        Assert.Equal(3, bench.Server.Requests.Count);
        var resolved = await ResolveAsync(shared);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(bench.Server.Content.Tags("dotnet/aspnet")["10.0"], resolved.Digest?.Value);
    }

    [Fact]
    public async Task OnAMachineThatHasItsDocumentsOnlyTheTagIsAskedFor()
    {
        var references = new HashSet<Reference> { Image.Location };
        await ReadAsync(new SharedReferences(new ReferenceAnswers(), references));
        bench.Server.Requests.Clear();
        var shared = new SharedReferences(new ReferenceAnswers(), references);

        await ReadAsync(shared);
        await ResolveAsync(shared);

        Assert.Equal(RegistryStep.ManifestHead, Assert.Single(bench.Server.Requests).Step);
    }

    [Fact]
    public async Task ATagThatMovedIsReadEarlyToo()
    {
        var references = new HashSet<Reference> { Image.Location };
        await ReadAsync(new SharedReferences(new ReferenceAnswers(), references));
        bench.Server.SeedIndex("dotnet/aspnet", "10.0", (bench.Server.SeedImage("dotnet/aspnet", "moved"), Seeding.PlatformOf("amd64")));
        var shared = new SharedReferences(new ReferenceAnswers(), references);

        await ReadAsync(shared);
        bench.Server.Requests.Clear();
        var resolved = await ResolveAsync(shared);

        Assert.Empty(bench.Server.Requests);
        Assert.Equal(bench.Server.Content.Tags("dotnet/aspnet")["10.0"], resolved.Digest?.Value);
    }

    [Fact]
    public async Task OfAnyOtherItsTagIsLookedAtAgain()
    {
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference>());
        await ReadAsync(shared);
        bench.Server.Requests.Clear();

        await ResolveAsync(shared);

        Assert.Equal(RegistryStep.ManifestHead, Assert.Single(bench.Server.Requests).Step);
    }

    [Fact]
    public async Task OfAnyOtherNothingIsReadEarlyOnAMachineThatHasDocuments()
    {
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference>());
        await ReadAsync(shared);
        bench.Server.Requests.Clear();

        await ReadAsync(shared);

        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task APublishThatNeedsItMeanwhileWaitsRatherThanAskTwice()
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        var hold = FaultAction.Custom("is held", async (_, _, next) =>
        {
            asked.SetResult();
            await answer.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
            await next();
        });
        bench.Fail(RegistryStep.ManifestGet, hold);
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference>());

        var early = ReadAsync(shared);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        var resolving = ResolveAsync(shared with { EarlyReading = early });
        answer.SetResult();
        await resolving;

        RegistryStep[] steps = [RegistryStep.ManifestGet, RegistryStep.ManifestGet, RegistryStep.BlobGet, RegistryStep.ManifestHead];
        Assert.Equal(steps, bench.Server.Requests.Select(request => request.Step));
    }

    [Fact]
    [ReliabilityCase(
        "Base images",
        "no answer about the base image while the project compiles",
        "the publish asks again after at most 10 seconds"
    )]
    public async Task WhatStallsDelaysThePublishByLittle()
    {
        bench.Options = bench.Options with { EarlyTimeout = TimeSpan.FromMinutes(20) };
        var stall = bench.Fail(RegistryStep.ManifestGet, FaultAction.Stall());
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference> { Image.Location });

        var resolving = ResolveAsync(shared with { EarlyReading = ReadAsync(shared) });

        Assert.NotNull((await resolving.WaitAsync(TimeSpan.FromSeconds(30), Cancel)).Digest);
        Assert.Equal(1, stall.Hits);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("broken")]
    [InlineData("unreachable")]
    public async Task WhatFailsIsLeftToThePublish(string kind)
    {
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference> { Image.Location });
        switch (kind)
        {
            case "gone":
                bench.Fail(RegistryStep.ManifestGet, FaultAction.Status(404));
                break;
            case "broken":
                bench.Fail(RegistryStep.ManifestGet, FaultAction.Bytes(200, "{"u8.ToArray(), ImagePublish.Oci.MediaTypes.OciIndex));
                break;
            default:
                await bench.StopServerAsync();
                break;
        }

        await ReadAsync(shared);

        if (kind == "unreachable")
            await Assert.ThrowsAsync<ImagePublishException>(() => ResolveAsync(shared));
        else
            Assert.NotNull((await ResolveAsync(shared)).Digest);
    }

    [Theory]
    [InlineData(AuthSchemes.Basic)]
    [InlineData(AuthSchemes.Bearer)]
    [ReliabilityCase("Sign-in", "a wrong password for the base image's registry", "sent once; the publish reports the error")]
    public async Task AWrongPasswordIsSentOnce(AuthSchemes scheme)
    {
        bench.Server.Options.Auth.Schemes = scheme;
        bench.Server.Options.Auth.Users["me"] = "secret";
        bench.Credential = Credential.Create("me", "wrong");
        var shared = new SharedReferences(new ReferenceAnswers(), new HashSet<Reference> { Image.Location });

        var early = ReadAsync(shared);
        await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => ResolveAsync(shared with { EarlyReading = early }));

        Assert.Single(bench.Server.Requests, request => request.Authorization?.StartsWith("Basic ", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task AStoreThatCantBeOpenedFailsNothing()
    {
        var early = new EarlyBase(bench.Client, new SharedReferences(new ReferenceAnswers(), new HashSet<Reference>()));

        await early.ReadAsync(Image, Platform, () => throw new ImagePublishException(DiagnosticCodes.StoreFailed, "no disk"), Cancel);

        Assert.Empty(bench.Server.Requests);
    }

    private Task<ImagePublishException?> ReadAsync(SharedReferences shared) =>
        new EarlyBase(bench.Client, shared).ReadAsync(Image, Platform, Store, Cancel);

    // As a publish does it that comes later in the same build.
    private Task<BaseImage> ResolveAsync(SharedReferences shared)
    {
        var store = Store();
        return new BaseResolver(bench.Client, new RegistryDocuments(bench.Client, store, shared), store).ResolveAsync(
            Image,
            Platform,
            Cancel
        );
    }

    private ImageStore Store() => ImageStore.Open(folder.At("store"), new StoreOptions());
}

using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Rebasing;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Testing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Rebasing;

/// <summary>The proof of a rebase: its digest is that of a publish of the same files on the new base.</summary>
public sealed class RebaseTests
{
    [Theory]
    [InlineData("debian")]
    [InlineData("alpine")]
    [InlineData("chiselled")]
    public async Task TheDigestIsThatOfAPublishOnTheNewBase(string family)
    {
        var old = FamilyOf(family);
        await using var bench = await RebaseBench.StartAsync(old);
        var before = await bench.Publishing.PublishAsync(bench.Request());
        old.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var fresh = await bench.Publishing.PublishAsync(bench.Request("acme/fresh"), "elsewhere");
        Assert.Equal(before.Image.Digest, result.Before.Digest);
        Assert.NotEqual(before.Image.Digest, fresh.Image.Digest);
        Assert.Equal(fresh.Image.Digest, result.After.Digest);
        Assert.Equal(fresh.Image.Digest.Value, bench.Publishing.TagDigest("acme/shop", "1.0"));
        Assert.Equal(["1.0"], result.Tags.Select(tag => tag.Value));
    }

    [Theory]
    [InlineData("debian")]
    [InlineData("alpine")]
    [InlineData("chiselled")]
    public async Task AllPlatformsOfAnIndexAreRebased(string family)
    {
        var old = FamilyOf(family);
        await using var bench = await RebaseBench.StartAsync(old);
        await bench.PublishAllAsync(architecture => bench.Request(architecture: architecture));
        old.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var fresh = await bench.PublishAllAsync(architecture => bench.Request("acme/fresh", architecture), "elsewhere");
        Assert.Equal(fresh, result.After.Digest);
        Assert.Equal(["linux/amd64", "linux/arm64"], result.Platforms.Select(platform => platform.Platform.ToString()));
        Assert.Equal(fresh.Value, bench.Publishing.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task NoByteOfTheAppMoves()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var before = await bench.Publishing.PublishAsync(bench.Request());
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var app = before.Image.Layers.Skip(2).Select(layer => layer.Descriptor.Digest.Value);
        var read = bench.Server.Requests.Of(RegistryStep.BlobGet, RegistryStep.StorageGet).Select(request => request.Target);
        Assert.DoesNotContain(read, target => app.Any(digest => target.EndsWith(digest, StringComparison.Ordinal)));
        // The layers of the new base are mounted; what is uploaded is the config.
        Assert.Equal(2, bench.Server.Requests.CountOf(RegistryStep.MountPost));
        Assert.Equal(result.Platforms[0].After.ConfigBlob.Descriptor.Size, bench.Server.Requests.UploadedBytes);
        Assert.Equal(result.Platforms[0].After.ConfigBlob.Descriptor.Size, result.Transfer.UploadedBytes);
        Assert.Contains(result.Platforms[0].Changes, change => change is { Name: "env FIXED", Before: null, After: "yes" });
    }

    [Fact]
    public async Task WhatTheProjectSetIsKeptAndWhatItInheritedIsInheritedAgain()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        PublishRequest Request(string repository)
        {
            var request = bench.Request(repository);
            return request with
            {
                CacheTrust = new CacheTrust
                {
                    Key = CacheSecret.TryCreate(new string('k', CacheSecret.MinLength), out var key) ? key : null,
                },
                Spec = request.Spec with
                {
                    User = "9000",
                    StopSignal = "SIGQUIT",
                    Entrypoint = null,
                    Command = ["dotnet", "/app/App.dll", "--of-the-shop"],
                    CommandStartsApp = true,
                    Healthcheck = new Healthcheck { Test = ["CMD", "/app/check"], Retries = 3 },
                    EnvironmentVariables = [new("ASPNETCORE_HTTP_PORTS", "7000"), new("APP_UID", "9000")],
                    Labels = [new("com.example.base", "of the shop")],
                    ListensWhereBaseSays = false,
                    Format = ImageFormat.Oci,
                },
            };
        }

        await bench.Publishing.PublishAsync(Request("acme/shop"));
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var fresh = await bench.Publishing.PublishAsync(Request("acme/fresh"), "elsewhere");
        Assert.Equal(fresh.Image.Digest, result.After.Digest);
    }

    [Fact]
    public async Task ABaseOfDockersMediaTypesIsReplacedByOneOfTheSame()
    {
        var old = TestBase.Debian with { IsDocker = true, Architectures = ["amd64"] };
        await using var bench = await RebaseBench.StartAsync(old);
        await bench.Publishing.PublishAsync(bench.Request());
        old.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var fresh = await bench.Publishing.PublishAsync(bench.Request("acme/fresh"), "elsewhere");
        Assert.Equal(fresh.Image.Digest, result.After.Digest);
    }

    [Fact]
    public async Task AnImageOnACurrentBaseStays()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());

        var result = await bench.RebaseAsync();

        Assert.True(result.IsUnchanged);
        Assert.Equal(0, bench.Publishing.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.MountPost));
        Assert.Equal(0, bench.Server.Requests.CountOf(RegistryStep.BlobGet) - 2);
    }

    [Fact]
    public async Task ADryRunTellsTheSameAndWritesNothing()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var told = await bench.RebaseAsync(request => request with { DryRun = true });
        Assert.Equal(0, bench.Publishing.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.MountPost));
        var done = await bench.RebaseAsync();

        Assert.Equal(done.After, told.After);
        Assert.Equal(done.Transfer, told.Transfer);
        Assert.Equal(done.Tags, told.Tags);
    }

    [Fact]
    public async Task OtherTagsAreGivenAndTheOldOneStays()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var before = await bench.Publishing.PublishAsync(bench.Request());
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync(request => request with { Tags = [Tag.Parse("1.0-202611")], HoldsTags = true });

        Assert.Equal(before.Image.Digest.Value, bench.Publishing.TagDigest("acme/shop", "1.0"));
        Assert.Equal(result.After.Digest.Value, bench.Publishing.TagDigest("acme/shop", "1.0-202611"));
    }

    [Fact]
    public async Task TagsOfTheSamePublishFollowUnlessTheyHaveMovedOn()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request() with { Tags = [Tag.Parse("1.0"), Tag.Parse("1"), Tag.Parse("latest")] });
        var newer = bench.Server.SeedImage("acme/shop", "latest");
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync(request =>
            request with
            {
                Companions = [Tag.Parse("latest"), Tag.Parse("1"), Tag.Parse("none")],
            }
        );

        Assert.Equal(["1.0", "1"], result.Tags.Select(tag => tag.Value));
        Assert.Equal(result.After.Digest.Value, bench.Publishing.TagDigest("acme/shop", "1"));
        Assert.Equal(newer.Digest, bench.Publishing.TagDigest("acme/shop", "latest"));
        Assert.Null(bench.Publishing.TagDigest("acme/shop", "none"));
    }

    [Fact]
    public async Task AnotherTagOfTheSameBaseMayBeNamed()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        TestBase.Debian.Fixed().SeedTo(bench.Server, tag: "10.0.2");
        var named = bench.Publishing.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0.2"));

        var result = await bench.RebaseAsync(request => request with { NewBase = named });

        var onIt = bench.Request("acme/fresh") with { Base = new RegistryImage(named) };
        var fresh = await bench.Publishing.PublishAsync(onIt, "elsewhere");
        Assert.Equal(fresh.Image.Digest, result.After.Digest);
    }

    [Fact]
    public async Task AFileOutsideOfTheAppIsNoObstacleWhereTheBasesAgree()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var file = Path.Combine(bench.Publishing.PublishFolder, "..", "motd");
        await File.WriteAllTextAsync(file, "welcome", RebaseBench.Cancel);
        PublishRequest Request(string repository) =>
            bench.Request(repository) with
            {
                Added = [new AddedEntry(new ItemSource("ImageFile", file, null), LayerEntryKind.File, "srv/motd") { SourceFile = file }],
            };
        await bench.Publishing.PublishAsync(Request("acme/shop"));
        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        var fresh = await bench.Publishing.PublishAsync(Request("acme/fresh"), "elsewhere");
        Assert.Equal(fresh.Image.Digest, result.After.Digest);
    }

    [Fact]
    public async Task ProvenanceIsMadeAnewAndWhatIsNotTrueAnyMoreStaysWithTheOldImage()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var facts = new BuildFacts { Tool = new BuildTool("1.0"), Project = "Shop.csproj" };
        var request = bench.Request() with { Attestations = new AttestationRequest(AttestationPlacement.Referrers) { Provenance = facts } };
        var before = await bench.Publishing.PublishAsync(request);
        var base2 = TestBase.Debian.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync(request =>
            request with
            {
                Facts = new RebaseFacts("1.2.3", "https://ci.example", "run 1", null),
            }
        );

        Assert.Equal(["provenance"], result.Renewed);
        Assert.Empty(result.LeftBehind);
        var text = bench.AttachedTo(result.After.Digest);
        Assert.Contains(RebaseProvenance.BuildType, text, StringComparison.Ordinal);
        Assert.Contains(before.Image.Digest.Hex, text, StringComparison.Ordinal);
        Assert.Contains(base2["sha256:".Length..], text, StringComparison.Ordinal);
        Assert.Contains("https://ci.example", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheNewImageIsSignedBeforeATagMoves()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        TestBase.Debian.Fixed().SeedTo(bench.Server);
        using var key = TestAuthority.NewKey("P-256");
        var signing = new SigningRequest(SigningKey.Parse("key", key.ExportPkcs8PrivateKeyPem(), null), SignatureFormat.Tag);

        var result = await bench.RebaseAsync(request => request with { Signing = signing });

        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal(["1.0"], puts.TakeLast(1));
        Assert.Contains(SimpleSigning.TagOf(result.After.Digest).Value, puts);
    }

    [Fact]
    public async Task OneOfManyThatIsRefusedLeavesTheOthersAlone()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        bench.Server.SeedImage("acme/other", "1.0");
        TestBase.Debian.Fixed().SeedTo(bench.Server);
        var other = bench.Publishing.Named("acme/other").ReferenceTo(Tag.Parse("1.0"));

        var outcomes = await bench.RebaseAsync([new RebaseRequest(other), new RebaseRequest(bench.Shop)]);

        Assert.Equal("IMG4020", outcomes[0].Refused!.Code.Id);
        Assert.False(outcomes[1].Result!.IsUnchanged);
    }

    internal static TestBase FamilyOf(string family) =>
        family switch
        {
            "debian" => TestBase.Debian,
            "alpine" => TestBase.Alpine,
            _ => TestBase.Chiselled,
        };
}

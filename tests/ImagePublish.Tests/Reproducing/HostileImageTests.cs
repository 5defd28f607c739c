using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Reproducing;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Reproducing;

/// <summary>The image that a build is compared with may be anybody's, and anything.</summary>
public sealed class HostileImageTests
{
    [Fact]
    public async Task AnImageThatAnotherToolMadeIsRefusedBeforeTheBuild()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change(
            (_, config) =>
            {
                foreach (var step in config["history"]!.AsArray())
                    step!["created_by"] = "COPY . /app # buildkit";
            }
        );

        var message = await bench.RefusedAsync(DiagnosticCodes.NotComparable);

        Assert.Contains("none is a publish of this package", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherPlatformsAreRefusedBeforeTheBuild()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        await bench.ReadAsync(new Platform("linux", "amd64"));

        var message = await bench.RefusedAsync(DiagnosticCodes.NotComparable, new("linux", "amd64"), new("linux", "arm64"));

        Assert.Contains(
            "a single image for linux/amd64, and the project makes one for linux/amd64, linux/arm64",
            message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AnIndexWithTwoImagesForAPlatformIsRefused()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        var own = bench.Server.Content.Manifest("acme/shop", "1.0")!;
        var other = bench.Server.SeedImage("acme/shop", null, [Seeding.LayerOf(("evil", "yes"))], ReproducingBench.BaseConfig());
        var twin = other with { Digest = own.Digest, Manifest = own.Bytes };
        bench.Server.SeedIndex("acme/shop", "1.0", (twin, Seeding.PlatformOf("amd64")), (other, Seeding.PlatformOf("amd64")));

        var message = await bench.RefusedAsync(DiagnosticCodes.NotComparable);

        Assert.Contains($"it has several images for linux/amd64: {own.Digest}, {other.Digest}", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnIndexIsComparedPlatformByPlatform()
    {
        await using var bench = await ReproducingBench.StartAsync();
        var published = await bench.Publishing.PublishAsync(bench.Request() with { Tags = [] });
        await bench.Publishing.PublishAsync(
            new Requests.IndexRequest
            {
                Images = [published.Image.IndexEntry],
                Destinations = bench.Request().Destinations,
                LocalName = "acme/shop",
                Tags = [Tag.Parse("1.0")],
                Annotations = [],
            }
        );

        var image = await bench.ReadAsync();

        Assert.Single(image.Platforms);
        Assert.True((await bench.ReproduceAsync()).IsEqual);
    }

    [Fact]
    public async Task ABaseThatIsGoneIsToldBeforeTheBuild()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change((_, config) => config["config"]!["Labels"]![ImageLabels.BaseDigest] = Digests.Sha256("gone"u8));

        var message = await bench.RefusedAsync(DiagnosticCodes.NamedBaseGone);

        Assert.Contains("dotnet/aspnet@sha256:", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop")]
    [InlineData("shop:1.0")]
    [InlineData("a b")]
    [InlineData("mcr.microsoft.com/../x")]
    public async Task ABaseWithoutARegistryIsAskedOfNone(string name)
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        await bench.ReadAsync();
        Assert.Equal($"{bench.Server.Host}/dotnet/aspnet", Assert.Single(bench.AskedBases).Repository.ToString());
        bench.AskedBases.Clear();
        bench.Change((_, config) => config["config"]!["Labels"]![ImageLabels.BaseName] = name);

        await bench.ReadAsync();

        Assert.Empty(bench.AskedBases);
    }

    [Fact]
    public async Task AnArtifactIsNoImage()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change((manifest, _) => manifest["config"]!["mediaType"] = "application/vnd.example.chart+json");

        var message = await bench.RefusedAsync(DiagnosticCodes.NotComparable);

        Assert.Contains("it is an artifact, not an image with files", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "is encrypted")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "is a foreign layer")]
    public async Task ALayerThatCanNotBeReadIsNamed(string mediaType, string reason)
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change(
            (manifest, config) =>
            {
                manifest["layers"]!.AsArray()[^1]!["mediaType"] = mediaType;
                config["rootfs"]!["diff_ids"]!.AsArray()[^1] = Digests.Sha256("another"u8);
            }
        );

        var result = await bench.ReproduceAsync();

        Assert.Equal(CauseKind.Unreadable, result.Causes[0].Kind);
        Assert.Contains(reason, result.Causes[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABlobWithOtherContentThanItsDiffIdSaysIsFound()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        var evil = Seeding.LayerOf(("app/App.dll", "evil"));
        bench.Change(
            (manifest, _) =>
            {
                manifest["layers"]!.AsArray()[^1]!["digest"] = bench.Put(evil);
                manifest["layers"]!.AsArray()[^1]!["size"] = evil.Length;
            }
        );

        var result = await bench.ReproduceAsync();

        Assert.Equal(CauseKind.Unreadable, result.Causes[0].Kind);
        Assert.Contains("is not what its diff id says", result.Causes[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALayerThatIsNoTarIsNamed()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        var garbage = Encoding.UTF8.GetBytes(new string('x', 2000));
        bench.Change(
            (manifest, config) =>
            {
                manifest["layers"]!.AsArray()[^1]!["digest"] = bench.Put(garbage);
                manifest["layers"]!.AsArray()[^1]!["size"] = garbage.Length;
                config["rootfs"]!["diff_ids"]!.AsArray()[^1] = Digests.Sha256(garbage);
            }
        );

        var result = await bench.ReproduceAsync();

        Assert.Equal(CauseKind.Unreadable, result.Causes[0].Kind);
        Assert.Contains("damaged or hostile", result.Causes[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatAnImageSaysIsOneVisibleLine()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change((_, config) => config["config"]!["Labels"]!["evil\n##vso[task]"] = "a\u001b[31m\n::error::x");

        var result = await bench.ReproduceAsync();

        var texts = result.Causes.Select(cause => cause.Text + cause.Advice).Concat(result.Differences.Select(one => one.Name + one.Text));
        Assert.All(texts, text =>
        {
            Assert.DoesNotContain('\n', text);
            Assert.DoesNotContain('\u001b', text);
            Assert.DoesNotContain("##vso[", text, StringComparison.Ordinal);
        });
        Assert.Equal(CauseKind.Label, result.Causes[0].Kind);
    }

    [Fact]
    public async Task ATagThatMovesDuringTheBuildIsNoticed()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.ReproduceAsync(plan: plan => plan with { Digest = Digests.Sha256("earlier"u8) })
        );

        Assert.Equal(DiagnosticCodes.NotComparable, exception.Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(200)]
    [InlineData(400)]
    public void DamagedAssembliesAreNoAssemblies(int kept)
    {
        var (dll, pdb) = (new TestAssembly("App").Dll(), new TestAssembly("App").Pdb());
        Assert.NotNull(AssemblyFacts.TryRead(dll));
        Assert.NotNull(PdbFacts.TryRead(pdb));

        Assert.Null(AssemblyFacts.TryRead(dll[..kept]));
        Assert.Null(PdbFacts.TryRead(pdb[..Math.Min(kept, pdb.Length / 2)]));
    }

    [Fact]
    public void NoByteOfAnAssemblyBreaksTheReader()
    {
        var random = new Random(1);
        var (dll, pdb) = (new TestAssembly("App").Dll(), new TestAssembly("App").Pdb());
        for (var round = 0; round < 4000; round++)
        {
            var (one, other) = ((byte[])dll.Clone(), (byte[])pdb.Clone());
            for (var change = 0; change < 4; change++)
            {
                one[random.Next(one.Length)] = (byte)random.Next(256);
                other[random.Next(other.Length)] = (byte)random.Next(256);
            }

            _ = AssemblyFacts.TryRead(one);
            _ = PdbFacts.TryRead(other);
        }
    }
}

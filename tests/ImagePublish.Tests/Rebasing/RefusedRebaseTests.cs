using System.Text.Json.Nodes;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Rebasing;

/// <summary>What is not rebased, and what is said of it. Nothing is written then.</summary>
public sealed class RefusedRebaseTests
{
    private static readonly TestBase Debian = TestBase.Debian;

    [Fact]
    public async Task AnImageWithoutTheLabelsOfItsBase()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request() with { Project = null });
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains(
            "does not say which image it is based on",
            await bench.RefusedAsync(DiagnosticCodes.BaseUnnamed),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ABaseThatIsGone()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        await using var empty = await TestRegistry.StartAsync(cancellationToken: RebaseBench.Cancel);
        Debian.Fixed().SeedTo(empty);
        var mirror = Repository.Create(Registry.Parse(empty.Host), "dotnet/aspnet");

        var refused = await bench.RefusedAsync(DiagnosticCodes.NamedBaseGone, request =>
            request with
            {
                Mirror = image => image with { Mirror = mirror },
            }
        );

        Assert.Contains("does not have any more", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASquashedImage()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        var image = (await bench.Publishing.PublishAsync(bench.Request())).Image;
        Replace(
            bench,
            image,
            config => config["rootfs"]!["diff_ids"]!.AsArray().RemoveAt(0),
            manifest => manifest["layers"]!.AsArray().RemoveAt(0)
        );
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains("it was squashed", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageThatAnotherToolChanged()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        var image = (await bench.Publishing.PublishAsync(bench.Request())).Image;
        Replace(bench, image, config => config["config"]!["Env"]!.AsArray().RemoveAt(0));
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains("another tool made or changed it", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageWithALayerOfAnotherTool()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        var image = (await bench.Publishing.PublishAsync(bench.Request())).Image;
        Replace(bench, image, config => config["history"]!.AsArray()[^1]!["created_by"] = "RUN make");
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains("a layer that no publish of this package made", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABaseOfAnotherName()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        Debian.SeedTo(bench.Server, "dotnet/runtime");
        var other = bench.Publishing.Named("dotnet/runtime").ReferenceTo(Tag.Parse("10.0"));

        var refused = await bench.RefusedAsync(DiagnosticCodes.NotRebased, request => request with { NewBase = other });

        Assert.Contains("is another image", refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ubuntu", "12", "another operating system: ubuntu 12 instead of debian 12")]
    [InlineData("debian", "13", "another operating system: debian 13 instead of debian 12")]
    public async Task AnotherOperatingSystemOrRelease(string system, string release, string reason)
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        (Debian with { System = system, Release = release }).SeedTo(bench.Server);

        Assert.Contains(reason, await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherRuntime()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        (Debian with { Runtime = "11.0.0" }).SeedTo(bench.Server);

        Assert.Contains("has .NET '11.0.0', and the old one has '10.0.1'", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "it is self-contained")]
    [InlineData(false, "it brings its own .NET")]
    public async Task ASelfContainedApp(bool isLayered, string reason)
    {
        var old = Debian with { Runtime = isLayered ? "10.0.1" : null };
        await using var bench = await RebaseBench.StartAsync(old);
        bench.Publishing.Write("libcoreclr.so", "runtime");
        var request = bench.Request();
        await bench.Publishing.PublishAsync(
            request with
            {
                Items = isLayered ? [.. request.Items, new PublishItem("libcoreclr.so", PublishItemOrigin.Runtime)] : request.Items,
                Spec = request.Spec with { Entrypoint = ["/app/App"] },
            }
        );
        (old with { Extra = ["f 644 0:0 etc/fixed yes"] }).SeedTo(bench.Server);

        Assert.Contains(reason, await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("System.Private.CoreLib.dll", "it is self-contained")]
    [InlineData("notes.txt", "in which its own .NET may be")]
    public async Task AProgramThatMayHaveItsOwnRuntimeInIt(string file, string reason)
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        bench.Publishing.Write(file, "x");
        var request = bench.Request();
        await bench.Publishing.PublishAsync(request with { Spec = request.Spec with { Entrypoint = ["/app/App"] } });
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains(reason, await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALibraryThatTheNewBaseLacksAndTheAppNeeds()
    {
        var old = Debian with { Libraries = [.. Debian.Libraries, "usr/lib/libgone.so.1"] };
        await using var bench = await RebaseBench.StartAsync(old);
        await File.WriteAllBytesAsync(
            Path.Combine(bench.Publishing.PublishFolder, "native.so"),
            NativeFile.Needing("libgone.so.1"),
            RebaseBench.Cancel
        );
        await bench.Publishing.PublishAsync(bench.Request());
        (old with { Libraries = Debian.Libraries }).SeedTo(bench.Server);

        var refused = await RefusedAsync(bench);

        Assert.Contains("'native.so' needs libgone.so.1", refused, StringComparison.Ordinal);
        // Another machine reads the app's layers, this one remembers them.
        Assert.Equal(refused, await RefusedAsync(bench));
    }

    [Fact]
    public async Task ALibraryThatNobodyNeedsMayGo()
    {
        var old = Debian with { Libraries = [.. Debian.Libraries, "usr/lib/libgone.so.1"] };
        await using var bench = await RebaseBench.StartAsync(old);
        await bench.Publishing.PublishAsync(bench.Request());
        (old with { Libraries = Debian.Libraries }).SeedTo(bench.Server);

        Assert.False((await bench.RebaseAsync()).IsUnchanged);
    }

    [Fact]
    public async Task LayersOfAnotherImage()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        bench.Server.SeedImage("acme/tools", "1", [TreeLayer.Create("f 644 0:0 opt/tool x")], Seeding.ConfigOf("amd64"));
        var tools = new RegistryImage(bench.Publishing.Named("acme/tools").ReferenceTo(Tag.Parse("1")));
        var layers = new LayersOfImage(new ItemSource("ImageLayersFrom", "tools", null), tools);
        await bench.Publishing.PublishAsync(bench.Request() with { OtherImages = new OtherImages([], [layers]) });
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains("it has layers of another image", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AUserWithAnotherNumber()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        (Debian with { Accounts = "root:x:0:0:root:/root:/bin/sh\napp:x:1700:1700::/home/app:/bin/sh" }).SeedTo(bench.Server);

        Assert.Contains("the user or group 'app' has another number", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFileWhoseFolderIsSomethingElseInTheNewBase()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await PublishWithFileInSrvShopAsync(bench);
        (Debian with { Extra = ["l 777 0:0 srv/shop /var/shop"] }).SeedTo(bench.Server);

        Assert.Contains("it puts '/srv/shop", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("d 755 0:0 srv/shop")]
    [InlineData("d 750 1654:0 srv/shop")]
    [InlineData(null)]
    public async Task AnAddedFileWhoseFolderHasOtherAttributesInTheNewBase(string? folder)
    {
        var old = Debian with { Extra = ["d 750 1654:1654 srv/shop"] };
        await using var bench = await RebaseBench.StartAsync(old);
        await PublishWithFileInSrvShopAsync(bench);
        (Debian with { Extra = folder is null ? ["f 644 0:0 etc/fixed yes"] : [folder] }).SeedTo(bench.Server);

        Assert.Contains("it puts '/srv/shop", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("static")]
    [InlineData("package tools")]
    public async Task AnAddedFileInALayerWithANameOfTheAppsLayers(string layer)
    {
        await using var bench = await RebaseBench.StartAsync(Debian with { Extra = ["d 750 1654:1654 srv/shop"] });
        await PublishWithFileInSrvShopAsync(bench, layer);
        (Debian with { Extra = ["d 755 0:0 srv/shop"] }).SeedTo(bench.Server);

        Assert.Contains("it puts '/srv/shop", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("home/app/shop", "d 755 0:0 home/app", "its layers have '/home/app' as the old base has it")]
    [InlineData("home/app", "d 755 0:0 home/app", "its layers have '/home/app' as the old base has it")]
    [InlineData("app", "d 755 0:0 home/app", null)]
    [InlineData("home/app/shop", "d 750 1654:1654 home/app", null)]
    public async Task AHomeAboveTheAppThatHasOtherAttributesInTheNewBase(string appFolder, string home, string? reason)
    {
        await using var bench = await RebaseBench.StartAsync(Debian with { Extra = ["d 750 1654:1654 home/app"] });
        var request = bench.Request() with { EntryDefaults = new LayerEntryDefaults { TargetFolder = appFolder } };
        request = request with { Spec = request.Spec with { WorkingDirectory = $"/{appFolder}" } };
        await bench.Publishing.PublishAsync(request);
        (Debian with { Extra = [home, "f 644 0:0 etc/fixed yes"] }).SeedTo(bench.Server);

        if (reason is not null)
        {
            Assert.Contains(reason, await RefusedAsync(bench), StringComparison.Ordinal);
            return;
        }

        // The proof: a publish on the new base makes the same image.
        var rebased = await bench.RebaseAsync();
        var fresh = await bench.Publishing.PublishAsync(request with { Destinations = [bench.Publishing.Named("acme/fresh")] }, "fresh");
        Assert.Equal(fresh.Image.Digest, rebased.After.Digest);
    }

    [Fact]
    public async Task OtherMediaTypes()
    {
        var old = Debian with { IsDocker = true, Architectures = ["amd64"] };
        await using var bench = await RebaseBench.StartAsync(old);
        await bench.Publishing.PublishAsync(bench.Request());
        (old with { IsDocker = false }).SeedTo(bench.Server);

        Assert.Contains("are now those of Oci", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task APlatformThatTheNewBaseLacks()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.PublishAllAsync(architecture => bench.Request(architecture: architecture));
        (Debian.Fixed() with { Architectures = ["amd64"] }).SeedTo(bench.Server);

        Assert.Contains("linux/arm64", await bench.RefusedAsync(DiagnosticCodes.BasePlatformMissing), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnIndexWithAttestationsInIt()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        var facts = new BuildFacts { Tool = new BuildTool("1.0"), Project = "Shop.csproj" };
        await bench.Publishing.PublishAsync(
            bench.Request() with
            {
                Attestations = new AttestationRequest(AttestationPlacement.Index) { Provenance = facts },
            }
        );
        Debian.Fixed().SeedTo(bench.Server);

        Assert.Contains("its index contains attestations", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATagThatIsHeld()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        Debian.Fixed().SeedTo(bench.Server);

        await bench.RefusedAsync(DiagnosticCodes.TagImmutable, request => request with { HoldsTags = true });
    }

    [Fact]
    public async Task ATagThatMovedMeanwhile()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        Debian.Fixed().SeedTo(bench.Server);
        var other = bench.Server.SeedImage("acme/shop", "other");
        // Somebody is faster: when the manifest is put, the tag is another image's.
        var action = FaultAction.Custom("moves the tag", (_, _, next) =>
        {
            bench.Server.Content.Tag("acme/shop", "1.0", other.Digest);
            return next();
        });
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestPut, action) { Times = 1 });

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RebaseAsync());

        Assert.Equal(DiagnosticCodes.TagMoved, exception.Code);
        Assert.Equal(other.Digest, bench.Publishing.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ANewBaseThatNobodyWhoIsTrustedHasSigned()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        Debian.Fixed().SeedTo(bench.Server);
        var trust = new TrustPolicy([new CertificateRule("acme.crt", new TrustAnchors([new TestAuthority().Root]))]);

        await bench.RefusedAsync(DiagnosticCodes.Unsigned, request => request with { Trust = trust });
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.App", null)]
    [InlineData("Microsoft.AspNetCore.App", "11.0.0")]
    public async Task AFrameworkThatTheNewBaseLacksOrHasInAnotherVersion(string framework, string? version)
    {
        static TestBase With(string name, string? version) =>
            version is null ? Debian : Debian with { Extra = [$"d 755 0:0 usr/share/dotnet/shared/{name}/{version}"] };
        await using var bench = await RebaseBench.StartAsync(With(framework, "10.0.1"));
        await bench.Publishing.PublishAsync(bench.Request());
        (With(framework, version) with { Runtime = "10.0.2" }).SeedTo(bench.Server);

        Assert.Contains($"of {framework}, and the old one has '10.0.1'", await RefusedAsync(bench), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageThatIsNotThere()
    {
        await using var bench = await RebaseBench.StartAsync(Debian);

        await bench.RefusedAsync(DiagnosticCodes.RegistryNotFound);
    }

    private static async Task PublishWithFileInSrvShopAsync(RebaseBench bench, string? layer = null)
    {
        var file = Path.Combine(bench.Publishing.PublishFolder, "..", "motd");
        await File.WriteAllTextAsync(file, "welcome", RebaseBench.Cancel);
        await bench.Publishing.PublishAsync(
            bench.Request() with
            {
                Added =
                [
                    new AddedEntry(new ItemSource("ImageFile", file, null), LayerEntryKind.File, "srv/shop/motd")
                    {
                        SourceFile = file,
                        Layer = layer,
                    },
                ],
            }
        );
    }

    private static Task<string> RefusedAsync(RebaseBench bench) => bench.RefusedAsync(DiagnosticCodes.NotRebased);

    // Puts a changed image in the place of one, as another tool would.
    private static void Replace(RebaseBench bench, Image image, Action<JsonNode> change, Action<JsonNode>? changeManifest = null)
    {
        var config = JsonNode.Parse(image.ConfigBlob.Content.Span)!;
        change(config);
        var bytes = System.Text.Encoding.UTF8.GetBytes(config.ToJsonString());
        var manifest = JsonNode.Parse(image.Manifest.Content.Span)!;
        manifest["config"]!["digest"] = bench.Server.Content.PutBlob("acme/shop", bytes);
        manifest["config"]!["size"] = bytes.Length;
        changeManifest?.Invoke(manifest);
        var text = System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString());
        bench.Server.Content.PutManifest("acme/shop", "1.0", text, image.Manifest.Descriptor.MediaType);
    }
}

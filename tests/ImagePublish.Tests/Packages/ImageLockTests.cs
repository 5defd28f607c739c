using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Model;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Packages;

/// <summary>A lock file beside the project: what it says is what the image lies on.</summary>
public sealed class ImageLockTests : IDisposable
{
    private static readonly DebBuilder Old = new DebBuilder("shop", "1.0").File("./usr/bin/shop", "old");
    private static readonly DebBuilder New = new DebBuilder("shop", "2.0").File("./usr/bin/shop", "new");

    private readonly LocalRepository repository = new LocalRepository().AddRoot().Add(Old);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string LockFile => Path.Combine(repository.Folder, "project", "image.lock.json");

    private LockRequest Lock => new(LockFile) { LockFolder = Path.Combine(repository.Folder, "turns") };

    public void Dispose() => repository.Dispose();

    [Fact]
    public async Task TheSameLockGivesTheSameImageWithoutAptAfterTheSourceHasMovedOn()
    {
        await using var server = new FileServer(repository.Folder);
        await using var bench = await PublishingBench.StartAsync();
        repository.Address = server.Address;
        var here = await bench.PublishAsync(Request(bench, Lock));
        repository.Add(New);

        var again = await bench.PublishAsync(Request(bench, Lock));
        var there = await bench.PublishAsync(Request(bench, Lock with { IsLocked = true }, hasApt: false, cache: "other"), "there");
        var free = await bench.PublishAsync(Request(bench, null, cache: "third"), "third");

        Assert.Contains("\"version\": \"1.0\"", await File.ReadAllTextAsync(LockFile, Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Address, await File.ReadAllTextAsync(LockFile, Cancel), StringComparison.Ordinal);
        Assert.Equal(here.Image.Digest, again.Image.Digest);
        Assert.Equal(here.Image.Digest, there.Image.Digest);
        Assert.NotEqual(here.Image.Digest, free.Image.Digest);
        Assert.Equal([LockFile], Directory.GetFiles(Path.GetDirectoryName(LockFile)!));
    }

    [Fact]
    public async Task APublishWithAReportIsHeldToTheLock()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        var locked = await bench.PublishAsync(Request(bench, Lock));
        repository.Add(New);

        var reporter = new ImageReporter(bench.Context(registry.Client, "there"));
        var reported = await reporter.PublishAsync(Request(bench, Lock with { IsLocked = true }, cache: "other"), Cancel);

        Assert.Equal(locked.Image.Digest, reported.Result.Image.Digest);
    }

    [Fact]
    public async Task APlanWritesNoLockFile()
    {
        await using var bench = await PublishingBench.StartAsync();

        var plan = await bench.PlanAsync(Request(bench, Lock));
        var isWritten = File.Exists(LockFile);
        var published = await bench.PublishAsync(Request(bench, Lock));

        Assert.False(isWritten);
        Assert.Contains("image.lock.json would be renewed", bench.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(plan.Result.Image.Digest, published.Image.Digest);
    }

    [Fact]
    public async Task APlanComparesAPackageLayerThatItFindsWithoutItsFiles()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Request(bench, null));
        repository.Add(New);
        await bench.PublishAsync(Request(bench, null, cache: "other") with { Tags = [Tag.Parse("2.0")] });

        var plan = await bench.PlanAsync(Request(bench, null, cache: "other"));

        var packages = plan.Changes!.Layers.Single(layer => layer.Name == ImagePublish.Packages.Layout.PackageLayout.LayerName);
        Assert.Equal(ChangeKind.Changed, packages.Kind);
        Assert.Contains(packages.Files, file => file is { Path: "usr/bin/shop", Kind: ChangeKind.Changed });
    }

    [Fact]
    public async Task ALockedPublishThatChangesNothingAsksNobodyForBaseOrPackages()
    {
        await using var server = new FileServer(repository.Folder);
        await using var bench = await PublishingBench.StartAsync();
        repository.Address = server.Address;
        await bench.PublishAsync(Request(bench, Lock));
        await bench.PublishAsync(OnBase(bench, Lock with { File = LockFile + ".base" }));
        var asked = server.Requests;
        Directory.Delete(Path.Combine(repository.Folder, "cache"), recursive: true);

        var packages = await bench.PublishAsync(Request(bench, Lock));
        bench.Server.SeedIndex(
            "dotnet/aspnet",
            "10.0",
            (
                bench.Server.SeedImage("dotnet/aspnet", null, [Seeding.LayerOf(("etc/base", "newer"))], Seeding.ConfigOf("amd64")),
                Seeding.PlatformOf("amd64")
            )
        );
        var based = await bench.PublishAsync(OnBase(bench, Lock with { File = LockFile + ".base", IsLocked = true }));

        Assert.Equal(asked, server.Requests);
        Assert.True(packages.IsUnchanged);
        Assert.True(based.IsUnchanged);
        Assert.DoesNotContain(bench.Server.Requests, request => request.Path.Contains("dotnet/aspnet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task UpdatingTheLockTakesTheNewestAndTellsWhatChanged()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Request(bench, Lock));
        repository.Add(New);
        await using var registries = RegistryBench.For(bench.Server);
        var updater = new LockStep(bench.Context(registries.Client));

        var update = await updater.UpdateAsync(
            new LockInputs(new Platform("linux", "amd64"), new ScratchImage(), repository.Request("shop")),
            Lock,
            Cancel
        );
        var again = await updater.UpdateAsync(
            new LockInputs(new Platform("linux", "amd64"), new ScratchImage(), repository.Request("shop")),
            Lock,
            Cancel
        );
        var other = await updater.UpdateAsync(
            new LockInputs(new Platform("linux", "arm64"), new ScratchImage(), null),
            Lock with
            {
                Platforms = ["linux/arm64"],
            },
            Cancel
        );

        Assert.True(update.IsChanged);
        Assert.Equal("2 packages; shop 1.0 → 2.0", update.Summary);
        Assert.False(again.IsChanged);
        Assert.Equal("2 packages, nothing new", again.Summary);
        Assert.True(other.IsChanged);
        Assert.DoesNotContain("amd64", await File.ReadAllTextAsync(LockFile, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public void OnePackageIsNotPackages()
    {
        var package = new PackageDocument
        {
            Name = "shop",
            Version = "1.0",
            Architecture = "amd64",
            Path = "pool/shop.deb",
            Size = 1,
            Sha256 = "",
        };

        var update = new LockUpdate(new Platform("linux", "amd64"), new PlatformLock { Packages = [package] }, null);

        Assert.Equal("1 package", update.Summary);
    }

    [Fact]
    public async Task APackageThatIsGoneIsNamedWithTheVersionThatTookItsPlace()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Request(bench, Lock));
        repository.Remove(Old).Add(New);

        var withApt = await FailAsync(bench, Request(bench, Lock, cache: "other"), "other");
        var without = await FailAsync(bench, Request(bench, Lock, hasApt: false, cache: "third"), "third");

        Assert.Equal("IMG6005", withApt.Code.Id);
        Assert.Contains("'shop 1.0'", withApt.Message, StringComparison.Ordinal);
        Assert.Contains("which has 2.0 now", withApt.Message, StringComparison.Ordinal);
        Assert.Equal("IMG6005", without.Code.Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(repository.Folder, "other", "packages")));
    }

    [Fact]
    public async Task APackageThatIsGoneIsChosenAnewWhereNothingIsLocked()
    {
        await using var bench = await PublishingBench.StartAsync();
        await repository.MakeAsync("base-files");
        repository.Request("shop");
        await new OsPackagesProbe(repository).ChooseAsync("shop");
        repository.Remove(Old).Add(New);

        await bench.PublishAsync(Request(bench, null));

        Assert.Contains(bench.Log.Details, line => line.Contains("shop 2.0", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OfflineThePackagesAreThoseThatAreKept(bool isLocked)
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = Request(bench, isLocked ? Lock : null) with { Destinations = [] };
        var online = await bench.PublishAsync(request);
        repository.Remove(Old);
        PublishRequest Offline(string cache) =>
            request with
            {
                Packages = request.Packages! with { IsOffline = true, CacheFolder = Path.Combine(repository.Folder, cache) },
            };

        var offline = await bench.PublishAsync(Offline("cache"), "other");
        var exception = await FailAsync(bench, Offline("empty"), "third");

        Assert.Equal(online.Image.Digest, offline.Image.Digest);
        Assert.Equal("IMG4016", exception.Code.Id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APackageThatIsNotTheLockedOneIsTampered(bool hasApt)
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Request(bench, Lock));
        await File.WriteAllBytesAsync(
            Path.Combine(repository.Folder, Old.FileName),
            new DebBuilder("shop", "1.0").File("./usr/bin/shop", "evil").Build(),
            Cancel
        );

        var exception = await FailAsync(bench, Request(bench, Lock, hasApt, "other"), "other");

        Assert.Equal("IMG6004", exception.Code.Id);
        Assert.All(Directory.EnumerateFiles(Path.Combine(repository.Folder, "other", "packages"), "*", SearchOption.AllDirectories), file =>
            Assert.DoesNotContain("evil", File.ReadAllText(file), StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("missing", "has no entry for linux/amd64")]
    [InlineData("another package", "the package 'shop' is not in it")]
    [InlineData("package too many", "the package 'more' is no longer asked for")]
    [InlineData("another base", "the base image of linux/amd64 is")]
    [InlineData("no json", "can't be used")]
    [InlineData("newer", "is of version 2")]
    [InlineData("null", "a package in it is not valid")]
    [InlineData("path outside", "a package in it is not valid")]
    [InlineData("own address", "a package in it is not valid")]
    [InlineData("short hash", "a package in it is not valid")]
    public async Task ALockThatDoesNotFitIsAnErrorInLockedMode(string kind, string told)
    {
        await using var bench = await PublishingBench.StartAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(LockFile)!);
        if (Text(kind) is { } text)
            await File.WriteAllTextAsync(LockFile, text, Cancel);

        var exception = await FailAsync(bench, Request(bench, Lock with { IsLocked = true }), "here");

        Assert.Equal("IMG6010", exception.Code.Id);
        Assert.Contains(told, exception.Message, StringComparison.Ordinal);
        Assert.Contains("-t:UpdateImageLock", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        Assert.Equal(Text(kind), File.Exists(LockFile) ? await File.ReadAllTextAsync(LockFile, Cancel) : null);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    private static string? Text(string kind)
    {
        const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";
        string Lock(string requested, string packages, string before = "") =>
            $$$"""{"version": 1, "platforms": {"linux/amd64": { {{{before}}} "requested": [{{{requested}}}], "packages": [{{{packages}}}] } } }""";
        string Package(string path, string hash = Hash, string more = "") =>
            $$"""{"name": "shop", "version": "1.0", "architecture": "all", "path": "{{path}}", "size": 1, "sha256": "{{hash}}"{{more}}}""";
        return kind switch
        {
            "missing" => null,
            "another package" => Lock("\"tea\"", Package("tea.deb")),
            "package too many" => Lock("\"more\", \"shop\"", Package("shop.deb")),
            "another base" => Lock(
                "\"shop\"",
                Package("shop.deb"),
                $$"""
                "base": {"reference": "example.com/base:1", "digest": "sha256:{{Hash}}"},
                """
            ),
            "newer" => """{"version": 2, "platforms": {}}""",
            "null" => """{"version": 1, "platforms": {"linux/amd64": {"requested": [null], "packages": [null]}}}""",
            "path outside" => Lock("\"shop\"", Package("../../etc/passwd")),
            "own address" => Lock("\"shop\"", Package("shop.deb", more: ", \"location\": \"http://example.com/x.deb\"")),
            "short hash" => Lock("\"shop\"", Package("shop.deb", "00")),
            _ => "<<<<<<< HEAD",
        };
    }

    private static async Task<ImagePublishException> FailAsync(PublishingBench bench, PublishRequest request, string machine) =>
        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request, machine));

    private PublishRequest Request(PublishingBench bench, LockRequest? lockRequest, bool hasApt = true, string cache = "cache") =>
        bench.Request("1.0") with
        {
            Base = new ScratchImage(),
            Lock = lockRequest,
            Packages = repository.Request("shop") with { HasApt = hasApt, CacheFolder = Path.Combine(repository.Folder, cache) },
        };

    private static PublishRequest OnBase(PublishingBench bench, LockRequest lockRequest) =>
        bench.Request("1.0") with
        {
            Lock = lockRequest,
            Destinations = [bench.Named("acme/based")],
        };

    // What apt would choose, without downloading it.
    private sealed class OsPackagesProbe(LocalRepository repository)
    {
        public Task<IReadOnlyList<OsPackage>> ChooseAsync(string name) =>
            new OsPackages(LocalRepository.Network, repository).ChooseAsync(
                repository.Request(name),
                new Platform("linux", "amd64"),
                packageBase: null,
                mustRefresh: false,
                Cancel
            );
    }
}

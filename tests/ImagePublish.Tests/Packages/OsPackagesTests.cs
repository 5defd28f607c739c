using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages.Model;

namespace ImagePublish.Tests.Packages;

/// <summary>Packages made here, chosen by the real apt of this machine.</summary>
public sealed class OsPackagesTests : IDisposable
{
    private readonly LocalRepository repository = new LocalRepository().AddRoot();

    public void Dispose() => repository.Dispose();

    [Theory]
    [InlineData("gz")]
    [InlineData("zst")]
    [InlineData("")]
    public async Task APackageAndWhatItDependsOnBecomeALayer(string compression)
    {
        repository
            .Add(
                new DebBuilder("shop", "2:1.4+b1") { Fields = "Depends: shop-data\n", Compression = compression }
                    .Folder("./")
                    .Folder("./bin/")
                    .File("./bin/shop", "shop", (UnixFileMode)0x9ED)
            )
            .Add(
                new DebBuilder("shop-data")
                    .File("./usr/share/shop/data", "data", owner: 7)
                    .File("./usr/share/man/man1/shop.1.gz", "x")
                    .File("./usr/share/doc/shop-data/copyright", "free")
                    .File("./usr/share/doc/shop-data/README", "x")
            )
            .Add(new DebBuilder("unrelated").File("./usr/bin/unrelated", "x"));

        var made = await repository.MakeAsync("shop");

        Assert.Equal(["base-files 1.0", "shop 2:1.4+b1", "shop-data 1.0"], made.Packages.Select(package => package.ToString()));
        var entries = made.Layer.Entries.ToDictionary(entry => entry.Path);
        Assert.Equal("shop", TextOf(entries["usr/bin/shop"]));
        Assert.Equal((UnixFileMode)0x1ED, entries["usr/bin/shop"].Mode);
        Assert.Equal("usr/bin", entries["bin"].LinkTarget);
        Assert.Equal(7, entries["usr/share/shop/data"].Uid);
        Assert.Contains("Version: 2:1.4+b1\n", TextOf(entries["var/lib/dpkg/status.d/shop"]), StringComparison.Ordinal);
        Assert.Contains("usr/share/doc/shop-data/copyright", entries.Keys);
        Assert.DoesNotContain("usr/share/doc/shop-data/README", entries.Keys);
        Assert.DoesNotContain("usr/share/man/man1/shop.1.gz", entries.Keys);
        Assert.DoesNotContain("usr/bin/unrelated", entries.Keys);
    }

    [Fact]
    public async Task TheRootHasAUserForTheAppAndPlacesToWrite()
    {
        var entries = (await repository.MakeAsync("base-files")).Layer.Entries.ToDictionary(entry => entry.Path);

        Assert.Contains("\napp:x:1654:1654:", TextOf(entries["etc/passwd"]), StringComparison.Ordinal);
        Assert.Contains("app:x:1654:", TextOf(entries["etc/group"]), StringComparison.Ordinal);
        Assert.Equal((UnixFileMode)0x3FF, entries["tmp"].Mode);
        Assert.Equal(1654, entries["home/app"].Uid);
        Assert.Equal("../usr/lib/os-release", entries["etc/os-release"].LinkTarget);
        Assert.Contains("files dns", TextOf(entries["etc/nsswitch.conf"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHardLinkHasTheContentOfItsFile()
    {
        repository.Add(new DebBuilder("shop").File("./usr/bin/one", "same").HardLink("./usr/bin/two", "./usr/bin/one"));

        var made = await repository.MakeAsync("shop");

        Assert.Equal("same", TextOf(made.Layer.Entries.Single(entry => entry.Path == "usr/bin/two")));
    }

    [Fact]
    public async Task TheSamePackagesGiveTheSameLayerWhoeverAsks()
    {
        repository.Add(new DebBuilder("shop").File("./usr/bin/shop", "shop"));
        using var other = new LocalRepository().AddRoot().Add(new DebBuilder("shop").File("./usr/bin/shop", "shop"));

        var first = await LayerTar.DiffIdAsync((await repository.MakeAsync("shop")).Layer, TestContext.Current.CancellationToken);
        var second = await LayerTar.DiffIdAsync((await other.MakeAsync("shop")).Layer, TestContext.Current.CancellationToken);

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task AnUnknownPackageIsNamed() =>
        await AssertFailsAsync(DiagnosticCodes.PackageUnknown, "no-such-package", "no-such-package");

    [Fact]
    public async Task PackagesThatExcludeEachOtherAreAConflict()
    {
        repository.Add(new DebBuilder("one") { Fields = "Conflicts: two\n" }).Add(new DebBuilder("two"));

        await AssertFailsAsync(DiagnosticCodes.PackageConflict, "two", "one", "two");
    }

    [Fact]
    public async Task ADependencyThatIsMissingIsAConflict()
    {
        repository.Add(new DebBuilder("one") { Fields = "Depends: nowhere\n" });

        await AssertFailsAsync(DiagnosticCodes.PackageConflict, "nowhere", "one");
    }

    [Fact]
    public async Task APackageThatIsNotWhatTheIndexPromisesIsTampered()
    {
        repository.Add(
            new DebBuilder("shop").File("./usr/bin/shop", "good"),
            new DebBuilder("shop").File("./usr/bin/shop", "evil").Build()
        );

        await AssertFailsAsync(DiagnosticCodes.PackageTampered, "shop", "shop");
    }

    [Fact]
    public async Task WithoutAptAndWithoutALockItIsSaidWhereALockComesFrom()
    {
        var request = repository.Request("base-files") with { HasApt = false };
        var maker = new ImagePublish.Packages.OsPackages(LocalRepository.Network, repository);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            maker.ChooseAsync(
                request,
                new ImagePublish.Oci.Platform("linux", "amd64"),
                packageBase: null,
                mustRefresh: false,
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal("IMG6006", exception.Code.Id);
        Assert.Contains("-t:UpdateImageLock", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[trusted=yes]")]
    [InlineData("[arch=amd64 allow-insecure=yes trusted=yes]")]
    [ReliabilityCase(
        "Security",
        "a package source marked as trusted without a signature, by anyone",
        "signatures are still checked, IMG6003"
    )]
    public async Task ASourceWithoutASignatureIsNotTrusted(string options)
    {
        using var unsigned = new LocalRepository { Key = null, Options = options }.AddRoot();

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => unsigned.MakeAsync("base-files"));

        Assert.Contains(exception.Code, new[] { DiagnosticCodes.PackageSourceUntrusted, DiagnosticCodes.PackageSourceFailed });
    }

    [Theory]
    [InlineData("device")]
    [InlineData("outside")]
    [InlineData("absolute")]
    [InlineData("dangling hard link")]
    [InlineData("through a link")]
    [InlineData("whiteout")]
    [InlineData("control character")]
    [InlineData("no package")]
    [InlineData("cut short")]
    public async Task AHostilePackageIsRefused(string kind)
    {
        var package = kind switch
        {
            "device" => new DebBuilder("evil").Device("./dev/null"),
            "outside" => new DebBuilder("evil").File("./../../etc/passwd", "x"),
            "absolute" => new DebBuilder("evil").File("/etc/passwd", "x"),
            "dangling hard link" => new DebBuilder("evil").HardLink("./usr/x", "./etc/shadow"),
            "through a link" => new DebBuilder("evil").Link("./usr/x", "/etc").File("./usr/x/passwd", "x"),
            "whiteout" => new DebBuilder("evil").File("./etc/.wh.passwd", "x"),
            "control character" => new DebBuilder("evil").File("./etc/a\nb", "x"),
            _ => new DebBuilder("evil").File("./etc/x", new string('x', 9999)),
        };
        var bytes = kind switch
        {
            "no package" => "hello"u8.ToArray(),
            "cut short" => package.Build()[..^20],
            _ => package.Build(),
        };
        var folder = Directory.CreateDirectory(Path.Combine(repository.Folder, "unpacked"));
        var file = Path.Combine(repository.Folder, "evil.deb");
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => LayOutAsync(file, folder.FullName));

        Assert.Contains(exception.Code, new[] { DiagnosticCodes.PackageInvalid, DiagnosticCodes.InvalidEntry, DiagnosticCodes.UnsafePath });
    }

    private static async Task LayOutAsync(string archive, string folder)
    {
        var package = new ImagePublish.Packages.Model.OsPackage("evil", "1.0", "all", "x", 1, ImagePublish.Oci.Digest.Compute([]));
        await ImagePublish.Packages.Deb.UnpackedPackage.UnpackAsync("evil", archive, folder, TestContext.Current.CancellationToken);
        await new ImagePublish.Packages.Layout.PackageLayout(below: null).LayOutAsync(
            [new ImagePublish.Packages.Deb.UnpackedPackage(package, folder)],
            TestContext.Current.CancellationToken
        );
    }

    private async Task AssertFailsAsync(DiagnosticCode code, string told, params string[] names)
    {
        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => repository.MakeAsync(names));

        Assert.Equal(code.Id, exception.Code.Id);
        Assert.Contains(told, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        var packages = Path.Combine(repository.Folder, "cache", "packages");
        Assert.False(Directory.Exists(packages) && Directory.EnumerateFileSystemEntries(packages).Any());
    }

    private static string TextOf(LayerEntry entry)
    {
        using var reader = new StreamReader(entry.Content!.Open(), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}

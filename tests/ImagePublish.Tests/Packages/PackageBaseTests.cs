using System.Formats.Tar;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages;
using ImagePublish.Packages.Model;

namespace ImagePublish.Tests.Packages;

/// <summary>Packages on a base that has some already.</summary>
public sealed class PackageBaseTests : IDisposable
{
    private const string Installed = "Package: shop-data\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\n\n";

    private readonly LocalRepository repository = new LocalRepository()
        .Add(
            new DebBuilder("shop") { Fields = "Depends: shop-data\n" }
                .Folder("./lib/")
                .File("./lib/shop.so", "shop")
                .File("./usr/share/shop/icon", "icon")
        )
        .Add(new DebBuilder("shop-data").File("./usr/share/shop/data", "data"));

    public void Dispose() => repository.Dispose();

    [Theory]
    [InlineData("var/lib/dpkg/status")]
    [InlineData("var/lib/dpkg/status.d/shop-data")]
    public async Task OnlyWhatTheBaseLacksIsAdded(string statusFile)
    {
        var made = await repository.MakeOnAsync(await BaseAsync((statusFile, Installed), ("usr/lib/libc.so", "libc")), "shop");

        Assert.Equal("shop 1.0", Assert.Single(made.Packages).ToString());
        var paths = made.Layer.Entries.Select(entry => entry.Path).ToList();
        Assert.Contains("usr/lib/shop.so", paths);
        Assert.Contains("usr/share/shop/icon", paths);
        Assert.Contains("var/lib/dpkg/status.d/shop", paths);
        Assert.DoesNotContain("lib", paths);
        Assert.DoesNotContain("etc/passwd", paths);
        Assert.DoesNotContain("usr/share/shop/data", paths);
    }

    [Theory]
    [InlineData(
        "etc/apt/sources.list.d/own.sources",
        "Types: deb\nURIs: {0}\nSuites: ./\nTrusted: yes\nSigned-By: /etc/apt/keyrings/shop.asc\n",
        "etc/apt/keyrings/shop.asc"
    )]
    [InlineData(
        "etc/apt/sources.list.d/own.sources",
        "# Ours.\nTypes: deb deb-src\nURIs: {0}/\nSuites: ./\nArchitectures: amd64\nSigned-By:\n{1}",
        "unused"
    )]
    [InlineData(
        "etc/apt/sources.list.d/own.list",
        "# Ours.\ndeb [ arch=amd64,arm64 signed-by=/usr/share/keyrings/shop.asc by-hash=no ] {0} ./ # flat\ndeb-src file:/nowhere ./\n",
        "usr/share/keyrings/shop.asc"
    )]
    [InlineData("etc/apt/sources.list", "deb {0} ./\n", "etc/apt/trusted.gpg.d/shop.asc")]
    public async Task PackagesComeFromTheBasesOwnSources(string path, string text, string keyring)
    {
        await using var server = new FileServer(repository.Folder);
        var request = repository.Request("shop") with { Source = null, TrustedSourceHosts = [server.Address["http://".Length..]] };
        var key = string.Concat(ArchiveKey.Shared.ArmoredKey.TrimEnd().Split('\n').Select(line => line.Length > 0 ? $" {line}\n" : " .\n"));
        text = text.Replace("{0}", server.Address, StringComparison.Ordinal).Replace("{1}", key, StringComparison.Ordinal);
        var below = await BaseAsync(("var/lib/dpkg/status", Installed), (path, text), (keyring, ArchiveKey.Shared.ArmoredKey));
        var maker = new OsPackages(LocalRepository.Network, repository);

        var packages = await maker.ChooseAsync(
            request,
            new ImagePublish.Oci.Platform("linux", "amd64"),
            below,
            mustRefresh: false,
            TestContext.Current.CancellationToken
        );

        Assert.Equal("shop 1.0", Assert.Single(packages).ToString());
    }

    [Fact]
    public async Task NothingIsAddedWhenTheBaseHasItAll()
    {
        var made = await repository.MakeOnAsync(await BaseAsync(("var/lib/dpkg/status", Installed)), "shop-data");

        Assert.Empty(made.Packages);
    }

    [Fact]
    public async Task ABaseWithoutDpkgTakesNoPackages()
    {
        var alpine = await BaseAsync(("etc/alpine-release", "3.23\n"));

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => repository.MakeOnAsync(alpine, "shop"));

        Assert.Equal("IMG6007", exception.Code.Id);
        Assert.Contains("example/base:1", exception.Message, StringComparison.Ordinal);
    }

    internal static async Task<PackageBase> BaseAsync(params (string Path, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        await using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, text) in files)
                await tar.WriteEntryAsync(
                    new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) },
                    TestContext.Current.CancellationToken
                );
            await tar.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.SymbolicLink, "lib") { LinkName = "usr/lib" },
                TestContext.Current.CancellationToken
            );
        }

        bytes.Position = 0;
        return new PackageBase(
            "example/base:1",
            new BaseFileSystem([await LayerListing.ReadAsync(bytes, new LayerReaderOptions(), TestContext.Current.CancellationToken)])
        );
    }
}

using System.Formats.Tar;
using System.Text;
using ImagePublish.Layers;
using ImagePublish.Sboms;
using ImagePublish.Testing;
using ImagePublish.Tests.Publishing;

namespace ImagePublish.Tests.Sboms;

/// <summary>The packages of a system, as databases of dpkg and apk in an image list them.</summary>
public sealed class SystemPackagesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DistrolessImagesHaveAFileForEachPackage()
    {
        var system = await ReadAsync(
            "f 644 0:0 usr/lib/os-release ID=debian\nVERSION_ID=13\n",
            "l 777 0:0 etc/os-release ../usr/lib/os-release",
            "f 644 0:0 var/lib/dpkg/status.d/tzdata Package: tzdata\nVersion: 2026a-0+deb13u1\nArchitecture: all\n",
            "f 644 0:0 var/lib/dpkg/status.d/tzdata.md5sums d41d8cd98f00b204e9800998ecf8427e  usr/share/zoneinfo/UTC\n"
        );

        var package = Assert.Single(system.All);
        Assert.Equal("pkg:deb/debian/tzdata@2026a-0%2Bdeb13u1?arch=all&distro=debian-13", package.Purl);
        Assert.Equal(package, system.OwnerOf("usr/share/zoneinfo/UTC"));
        Assert.Equal(("debian", "13"), (system.OperatingSystem!.Name, system.OperatingSystem.Version));
    }

    [Fact]
    public async Task AlpinesDatabaseHasFilesLicencesAndOrigins()
    {
        var system = await ReadAsync(
            "f 644 0:0 etc/os-release ID=alpine\nVERSION_ID=3.22.1\n",
            "f 644 0:0 lib/apk/db/installed P:ssl_client\nV:1.37.0-r18\nA:x86_64\nL:GPL-2.0-only\no:busybox\nD:musl so:libc.musl\n"
                + "F:usr/bin\nR:ssl_client\nF:etc\nR:ssl.conf\n\nP:musl\nV:1.2.5-r10\nA:x86_64\nL:Own licence\no:musl\n"
        );

        var client = system.Find("ssl_client")!;
        Assert.Equal("pkg:apk/alpine/ssl_client@1.37.0-r18?arch=x86_64&distro=alpine-3.22.1&upstream=busybox", client.Purl);
        Assert.Equal("GPL-2.0-only", client.License.Expression);
        Assert.Equal(License.Unknown, system.Find("musl")!.License);
        Assert.Equal(client, system.OwnerOf("usr/bin/ssl_client"));
        Assert.Equal(client, system.OwnerOf("etc/ssl.conf"));
        Assert.Equal(["musl"], system.NeedsOf("ssl_client").Select(need => need.Name));
    }

    [Fact]
    public async Task ChiselledImagesHaveACompressedManifest()
    {
        string[] lines =
        [
            """{"jsonwall":"1.0","schema":"1.0","count":5}""",
            """{"kind":"content","slice":"libc6_libs","path":"/usr/lib/libc.so.6"}""",
            """{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.6","sha256":"00","arch":"amd64"}""",
            """{"kind":"path","path":"/usr/lib/libc.so.6","mode":"0755","slices":["libc6_libs"],"sha256":"00","size":1}""",
            """{"kind":"slice","name":"libc6_libs"}""",
        ];
        using var compressor = new ZstdSharp.Compressor();
        var manifest = compressor.Wrap(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n")).ToArray();

        var system = await ReadAsync(manifest);

        var package = Assert.Single(system.All);
        Assert.Equal("pkg:deb/ubuntu/libc6@2.39-0ubuntu8.6?arch=amd64&distro=ubuntu-24.04", package.Purl);
        Assert.Equal(package, system.OwnerOf("usr/lib/libc.so.6"));
        Assert.Empty((await ReadAsync(manifest[..^9])).All);
        Assert.Empty((await ReadAsync(compressor.Wrap("[]\n1\n"u8).ToArray())).All);
    }

    [Fact]
    [ReliabilityCase(
        "Base images",
        "a damaged package list in a base image, for an SBOM",
        "everything readable is listed, each field with a limit"
    )]
    public async Task BrokenFieldsLeaveOutThePackageOnly()
    {
        var system = await ReadAsync(
            "f 644 0:0 etc/os-release =\nID\nVERSION_ID=\"\"\nID=\u0007odd\n",
            "l 777 0:0 loop loop",
            "f 644 0:0 var/lib/dpkg/status : x\nPackage\n continued\n\nPackage: a\nStatus: install ok installed\n\n"
                + "Package: b\nVersion: 1\nStatus: install ok installed\nDepends: ,|,b,c (\n\n"
                + $"Package: c\nVersion: {new string('9', 5000)}\nStatus: install ok installed\nMaintainer: \u001b[31m\n",
            "f 644 0:0 var/lib/dpkg/info/b.list \n/\n//\n/../../etc/x\n/loop/y\n/usr/b\n",
            "f 644 0:0 var/lib/dpkg/info/.list /usr/nobody\n",
            "f 644 0:0 lib/apk/db/installed P\nP:\n:\n\n\nV:1\n"
        );

        Assert.Equal(["b", "c"], system.All.Select(package => package.Name).Order(StringComparer.Ordinal));
        Assert.True(system.Find("c")!.Version!.Length <= 201);
        Assert.Equal("\\u001b[31m", system.Find("c")!.Supplier);
        Assert.Equal("b", system.OwnerOf("usr/b")!.Name);
        Assert.Null(system.OwnerOf("usr/nobody"));
    }

    private static async Task<SystemPackages> ReadAsync(byte[] manifest)
    {
        var memory = new MemoryStream();
        await using (var tar = new TarWriter(memory, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(EntryOf("etc/os-release", "ID=ubuntu\nVERSION_ID=24.04\n"u8.ToArray()), Cancel);
            await tar.WriteEntryAsync(EntryOf(KeptFiles.ChiselManifest, manifest), Cancel);
        }

        return await ReadLayerAsync(memory.ToArray());
    }

    private static PaxTarEntry EntryOf(string name, byte[] content) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) };

    private static Task<SystemPackages> ReadAsync(params string[] lines) => ReadLayerAsync(TreeLayer.Create(lines));

    private static async Task<SystemPackages> ReadLayerAsync(byte[] blob)
    {
        var layer = await LayerListing.ReadHashedAsync(new MemoryStream(blob), new LayerReaderOptions(), Cancel);
        return new SystemPackages(new BaseFileSystem([layer]));
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Sboms;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>A publish with a bill of materials, on a base in the likeness of a Debian image with .NET.</summary>
internal sealed class SbomBench : IAsyncDisposable
{
    private static readonly byte[][] BaseLayers =
    [
        TreeLayer.Create(
            "f 644 0:0 etc/os-release ID=debian\nVERSION_ID=\"12\"\n",
            "f 644 0:0 etc/passwd root:x:0:0::/root:/bin/sh",
            "l 777 0:0 lib usr/lib",
            "f 755 0:0 usr/lib/libc.so.6 c library",
            "h 755 0:0 usr/lib/libc-2.so usr/lib/libc.so.6",
            "f 755 0:0 usr/bin/old old",
            "f 644 0:0 var/lib/dpkg/info/libc6:amd64.list /.\n/lib/libc.so.6\n/usr/lib/libc-2.so\n",
            "f 644 0:0 var/lib/dpkg/status Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\n"
                + "Version: 2.36-9+deb12u10\nMaintainer: GNU Libc Maintainers <glibc@example.test>\nDepends: libgcc-s1 (>= 4)\n\n"
                + "Package: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14\n\n"
                + "Package: removed\nStatus: deinstall ok config-files\nVersion: 1\n"
        ),
        TreeLayer.Create(
            "f 644 0:0 usr/bin/.wh.old",
            "f 755 0:0 usr/share/dotnet/dotnet host",
            "f 755 0:0 usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.2/System.Runtime.dll runtime",
            "f 755 0:0 usr/share/dotnet/shared/Microsoft.AspNetCore.App/10.0.2/Microsoft.AspNetCore.dll web"
        ),
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-sbom-").FullName;

    private SbomBench(PublishingBench publishing) => Publishing = publishing;

    public PublishingBench Publishing { get; }

    public string Packages => Path.Combine(folder, "packages");

    public string this[string name] => Path.Combine(folder, name);

    public static async Task<SbomBench> StartAsync()
    {
        var bench = new SbomBench(await PublishingBench.StartAsync());
        bench.Publishing.Server.SeedImage("dotnet/base", "10.0", BaseLayers, Seeding.ConfigOf("amd64"));
        bench.AddPackage("Package", "1.0.0", "<license type=\"expression\">MIT</license><authors>Acme</authors>");
        return bench;
    }

    /// <summary>A package in the folder that packages are restored to.</summary>
    public void AddPackage(string id, string version, string metadata, params (string Name, string Text)[] files)
    {
        var target = Path.Combine(Packages, id.ToLowerInvariant(), version);
        Directory.CreateDirectory(target);
        var text = metadata.StartsWith('<')
            ? $"<package><metadata><id>{id}</id><version>{version}</version>{metadata}</metadata></package>"
            : metadata[1..];
        File.WriteAllText(Path.Combine(target, $"{id.ToLowerInvariant()}.nuspec"), text);
        var hash = Convert.ToBase64String(SHA512.HashData([1]));
        File.WriteAllText(Path.Combine(target, $"{id.ToLowerInvariant()}.{version}.nupkg.sha512"), hash);
        foreach (var (name, content) in files)
            File.WriteAllText(Path.Combine(target, name), content);
    }

    public PublishRequest Request(string file = "app.spdx.json", SbomFormat format = SbomFormat.Spdx) =>
        Publishing.Request("1.0") with
        {
            Base = new ImagePublish.Bases.RegistryImage(Publishing.Named("dotnet/base").ReferenceTo(Tag.Parse("10.0"))),
            Sbom = new SbomRequest(format, this[file])
            {
                App = new AppFacts("App") { Version = "1.2.3", Licenses = "MIT" },
                Sources = [new SourceFile("Package.dll") { Package = new NuGetPackage("Package", "1.0.0") }],
                PackageFolders = [Packages],
            },
        };

    public async Task<JsonElement> PublishAsync(PublishRequest request, string machine = "here")
    {
        await Publishing.PublishAsync(request, machine);
        return Read(request);
    }

    public static JsonElement Read(PublishRequest request)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(request.Sbom!.File));
        return document.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        await Publishing.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

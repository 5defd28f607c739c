using System.Formats.Tar;
using System.IO.Compression;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Layers;

namespace ImagePublish.Tests.Publishing;

/// <summary>Files that only other systems can load stay out of an image, and no other file does.</summary>
public sealed class OtherPlatformAssetsTests
{
    private const string Dependencies = """
        {
          "runtimeTarget": { "name": ".NETCoreApp,Version=v10.0" },
          "targets": {
            ".NETCoreApp,Version=v10.0": {
              "App/1.0.0": { "runtime": { "App.dll": {} } },
              "Sni/6.0.0": {
                "runtimeTargets": {
                  "runtimes/win-x64/native/sni.dll": { "rid": "win-x64", "assetType": "native" },
                  "runtimes/win/lib/net8.0/Sni.dll": { "rid": "win", "assetType": "runtime" },
                  "runtimes/unix/lib/net8.0/Sni.dll": { "rid": "unix", "assetType": "runtime" },
                  "runtimes/linux-x64/native/libsni.so": { "rid": "linux-x64", "assetType": "native" },
                  "runtimes/linux-musl-x64/native/libsni.so": { "rid": "linux-musl-x64", "assetType": "native" },
                  "runtimes/linux-arm64/native/libsni.so": { "rid": "linux-arm64", "assetType": "native" },
                  "runtimes/osx/native/libsni.dylib": { "rid": "osx", "assetType": "native" },
                  "runtimes/vxworks-x64/native/libsni.so": { "rid": "vxworks-x64", "assetType": "native" },
                  "runtimes/any/lib/net8.0/Sni.dll": { "rid": "any", "assetType": "runtime" }
                }
              }
            }
          }
        }
        """;

    private static readonly string[] Files =
    [
        "runtimes/win-x64/native/sni.dll",
        "runtimes/win/lib/net8.0/Sni.dll",
        "runtimes/unix/lib/net8.0/Sni.dll",
        "runtimes/linux-x64/native/libsni.so",
        "runtimes/linux-musl-x64/native/libsni.so",
        "runtimes/linux-arm64/native/libsni.so",
        "runtimes/osx/native/libsni.dylib",
        "runtimes/vxworks-x64/native/libsni.so",
        "runtimes/any/lib/net8.0/Sni.dll",
        "runtimes/win-x64/native/unlisted.dll",
    ];

    [Theory]
    [InlineData("linux", "amd64", "win-x64/native/sni.dll win/lib/net8.0/Sni.dll linux-arm64/native/libsni.so osx/native/libsni.dylib")]
    [InlineData(
        "linux",
        "arm64",
        "win-x64/native/sni.dll win/lib/net8.0/Sni.dll linux-x64/native/libsni.so linux-musl-x64/native/libsni.so osx/native/libsni.dylib"
    )]
    [InlineData(
        "windows",
        "amd64",
        "unix/lib/net8.0/Sni.dll linux-x64/native/libsni.so linux-musl-x64/native/libsni.so linux-arm64/native/libsni.so "
            + "osx/native/libsni.dylib"
    )]
    public void WhatIsListedForAnotherPlatformIsLeftOut(string os, string architecture, string omitted)
    {
        using var folder = new TestFolder();
        folder.Write("App.deps.json", Dependencies);

        Assert.Equal(
            omitted.Split(' ').Select(path => "runtimes/" + path).Order(StringComparer.Ordinal),
            OtherPlatformAssets.Find(folder.Entries(), new Platform(os, architecture)).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("""{ "targets": { "a": { "b": { "runtimeTargets": { "runtimes/win-x64/native/sni.dll": { "rid": 3 } } } } } }""")]
    [InlineData("""{ "targets": [ "runtimes/win-x64/native/sni.dll" ] }""")]
    [InlineData("""{ "targets": { """)]
    [InlineData("[]")]
    [InlineData("")]
    [ReliabilityCase("Guard rails", "a damaged `*.deps.json` next to files for other systems", "all files stay in the image")]
    public void AListThatCantBeReadKeepsEverything(string damaged)
    {
        using var folder = new TestFolder();
        folder.Write("App.deps.json", Dependencies);
        folder.Write("Other.deps.json", damaged);

        Assert.Empty(OtherPlatformAssets.Find(folder.Entries(), new Platform("linux", "amd64")));
    }

    [Fact]
    public void WhatAnotherAppOfTheFolderNeedsStays()
    {
        using var folder = new TestFolder();
        folder.Write("App.deps.json", Dependencies);
        folder.Write(
            "Tool.deps.json",
            """{ "targets": { "a": { "Tool/1.0.0": { "native": { "runtimes/win-x64/native/sni.dll": {} } } } } }"""
        );

        var omitted = OtherPlatformAssets.Find(folder.Entries(), new Platform("linux", "amd64"));

        Assert.DoesNotContain("runtimes/win-x64/native/sni.dll", omitted);
        Assert.Contains("runtimes/win/lib/net8.0/Sni.dll", omitted);
    }

    [Fact]
    public async Task TheImageIsSmallerByThemAndHasNoEmptyFolders()
    {
        await using var bench = await BenchAsync();
        bench.Write("runtimes/empty/.keep", "");

        var result = await bench.PublishAsync(bench.Request("1.0"));
        var paths = PathsOf(bench, result);

        Assert.Equal(4 * "content".Length, result.OmittedLength);
        Assert.Equal(0, result.ForeignLength - "content".Length);
        Assert.Contains("app/runtimes/linux-x64/native/libsni.so", paths);
        Assert.Contains("app/runtimes/win-x64/native/unlisted.dll", paths);
        Assert.DoesNotContain("app/runtimes/win-x64/native/sni.dll", paths);
        Assert.DoesNotContain("app/runtimes/win", paths);
        Assert.DoesNotContain("app/runtimes/linux-arm64", paths);
        Assert.Contains("app/runtimes/empty", paths);
    }

    [Fact]
    public async Task TheSwitchKeepsThem()
    {
        await using var bench = await BenchAsync();
        var request = bench.Request("1.0") with { Selection = new FileSelection { KeepsOtherPlatforms = true } };

        var result = await bench.PublishAsync(request);

        Assert.Equal(0, result.OmittedLength);
        Assert.Superset(Files.Select(file => "app/" + file).ToHashSet(), PathsOf(bench, result));
    }

    [Fact]
    public async Task AChangeOfAFileThatIsLeftOutChangesNothing()
    {
        await using var bench = await BenchAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("runtimes/win-x64/native/sni.dll", "another content");

        Assert.True((await bench.PublishAsync(bench.Request("1.0"))).IsUnchanged);
    }

    [Theory]
    [InlineData("App", true, "app")]
    [InlineData("Layer", true, "symbols")]
    [InlineData("None", false, "app")]
    public async Task SymbolsAreWhereTheProjectSays(string placement, bool isThere, string layer)
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("App.pdb", "symbols of the app");
        bench.Write("lib/Native.dbg", "symbols of a native program");

        var result = await bench.PublishAsync(
            bench.Request("1.0") with
            {
                Selection = new FileSelection { Symbols = Enum.Parse<SymbolPlacement>(placement) },
            }
        );
        var paths = PathsOf(bench, result);

        Assert.Equal(isThere, paths.Contains("app/App.pdb"));
        Assert.Equal(isThere, paths.Contains("app/lib/Native.dbg"));
        Assert.Equal(isThere, paths.Contains("app/lib"));
        Assert.Equal(layer, result.LayerNames[^1]);
    }

    [Fact]
    public async Task SettingsForDevelopmentAreLeftOut()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("appsettings.json", "{}");
        bench.Write("appsettings.Development.json", "{}");

        var result = await bench.PublishAsync(
            bench.Request("1.0") with
            {
                Selection = new FileSelection { OmitsDevelopmentSettings = true },
            }
        );
        var paths = PathsOf(bench, result);

        Assert.Contains("app/appsettings.json", paths);
        Assert.DoesNotContain("app/appsettings.Development.json", paths);
    }

    private static async Task<PublishingBench> BenchAsync()
    {
        var bench = await PublishingBench.StartAsync();
        bench.Write("App.deps.json", Dependencies);
        foreach (var file in Files)
            bench.Write(file, "content");
        return bench;
    }

    // As somebody who pulls the image has them.
    private static HashSet<string> PathsOf(PublishingBench bench, PublishResult result)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in result.Image.Layers)
        {
            var blob = bench.Server.Content.Blob("acme/shop", layer.Descriptor.Digest.Value)!;
            using var tar = new TarReader(new GZipStream(new MemoryStream(blob), CompressionMode.Decompress));
            while (tar.GetNextEntry() is { } entry)
                paths.Add(entry.Name.TrimEnd('/'));
        }

        return paths;
    }

    private sealed class TestFolder : IDisposable
    {
        private readonly string path = Directory.CreateTempSubdirectory("imagepublish-lean-").FullName;

        public TestFolder()
        {
            foreach (var file in Files)
                Write(file, "content");
        }

        public void Write(string name, string content)
        {
            var file = Path.Combine(path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, content);
        }

        public IReadOnlyList<LayerEntry> Entries() => LayerTesting.ReadFolder(path, new LayerEntryDefaults(), []);

        public void Dispose() => Directory.Delete(path, recursive: true);
    }
}

using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Reproducing;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Reproducing;

/// <summary>One thing is altered in an image, or in the build, and is named as the cause.</summary>
public sealed class CauseTests
{
    private static readonly TestAssembly App = new("App");

    [Fact]
    public async Task TheSameBuildIsEqualAndLeavesNothing()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();

        var result = await bench.ReproduceAsync();

        Assert.True(result.IsEqual);
        Assert.Empty(result.Causes);
        Assert.Empty(result.Differences);
        Assert.Equal(
            0,
            bench.Publishing.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.UploadPut, RegistryStep.MountPost)
        );
        Assert.Empty((await bench.Publishing.Store("another").PruneAsync(new() { Unreferenced = true }, ReproducingBench.Cancel)).Blobs);
    }

    [Theory]
    [InlineData("another folder", "Paths", "compiled in folder /home/ci/App/obj/Release/net10.0, and here in /_/src/App/obj")]
    [InlineData("another SDK", "Sdk", "its compiler is 5.0.0-1, and here 5.0.0-2")]
    [InlineData("Debug", "Options", "optimization debug, and here release")]
    [InlineData("another configuration", "Options", "App.dll was compiled in obj/Debug/net10.0, and here in obj/Release/net10.0")]
    [InlineData("not deterministic", "NotDeterministic", "App.dll was compiled without Deterministic")]
    [InlineData("another source", "Source", "from another version of Program.cs")]
    [InlineData("another library", "Package", "compiled against Library 1.1.0.0, and here against 1.0.0.0")]
    [InlineData("another version", "Version", "has version 2.0.0, and here 1.0.0")]
    [InlineData("another commit", "Commit", "was built of commit badcafe, and here of c0ffee")]
    public async Task ACompileSaysItself(string what, string kind, string text)
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Write(
            what switch
            {
                "another folder" => App with { Folder = "/home/ci/App" },
                "another SDK" => App with { Compiler = "5.0.0-1" },
                "Debug" => App with { Optimization = "debug" },
                "another configuration" => App with { Configuration = "Debug" },
                "not deterministic" => App with { IsDeterministic = false },
                "another source" => App with { Sources = new Dictionary<string, string> { ["Program.cs"] = "return 1;\n" } },
                "another library" => App with { Library = "1.1.0.0" },
                "another version" => App with { InformationalVersion = "2.0.0+c0ffee" },
                _ => App with { InformationalVersion = "1.0.0+badcafe" },
            }
        );
        await bench.PublishAsync();
        bench.Write(App with { Compiler = what == "another SDK" ? "5.0.0-2" : App.Compiler });

        var result = await bench.ReproduceAsync();

        AssertFirst(result, kind, text);
        Assert.Single(result.Causes);
        Assert.Contains(result.Differences, one =>
            one is { Place: "layer app", Name: "app/App.dll" } && one.Text.Contains(" differ", Ordinal)
        );
    }

    [Theory]
    [InlineData("created", "Created", "created) is 2026-01-01T00:00:00Z, and this build's 1970-01-01T00:00:00Z")]
    [InlineData("label", "Label", "label com.example.team is red, and here blue")]
    [InlineData("entry point", "Setting", "entrypoint is sh -c id, and here dotnet /app/App.dll")]
    [InlineData("variable", "Setting", "env EVIL is 1, and here nothing")]
    [InlineData("user", "Setting", "user is root, and here")]
    [InlineData("gzip level", "Compression", "has the same content, compressed in another way")]
    [InlineData("zstd", "Compression", "the same content, compressed in another way")]
    [InlineData("Docker", "Format", "those of Docker, and here of Oci")]
    [InlineData("layout", "Layout", "divided into other layers")]
    [InlineData("file time", "FileAttributes", "has the same content and another time: 2026-01-01T00:00:00 in the image")]
    [InlineData("revision", "Commit", "it was built of commit badcafe, and this build is of c0ffee")]
    [InlineData("version label", "Version", "its version is 2.0.0, and this build's 1.0.0")]
    [InlineData("framework", "Options", "built for .NET 9.0, and this build is for 10.0")]
    [InlineData("annotation", "Annotation", "annotation com.example.note is yes, and here nothing")]
    [InlineData("proofs", "Proofs", "it has proofs of its layers, made with IMAGE_CACHE_KEY")]
    public async Task ASettingIsNamed(string what, string kind, string text)
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync(Altered(bench.Request(), what));

        var result = await bench.ReproduceAsync();

        AssertFirst(result, kind, text);
    }

    private static PublishRequest Altered(PublishRequest request, string what) =>
        what switch
        {
            "created" => request with { Spec = request.Spec with { Created = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) } },
            "label" => request with { Spec = request.Spec with { Labels = [new("com.example.team", "red")] } },
            "entry point" => request with { Spec = request.Spec with { Entrypoint = ["sh", "-c", "id"] } },
            "variable" => request with { Spec = request.Spec with { EnvironmentVariables = [new("MODE", "a"), new("EVIL", "1")] } },
            "user" => request with { Spec = request.Spec with { User = "root" } },
            "gzip level" => request with { Compression = new LayerCompression(Compression.Gzip, 1) },
            "zstd" => request with { Compression = new LayerCompression(Compression.Zstd, null) },
            "Docker" => request with { Spec = request.Spec with { Format = ImageFormat.Docker } },
            "layout" => request with { Layering = LayeringMode.Single },
            "file time" => request with
            {
                EntryDefaults = new LayerEntryDefaults { Modified = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) },
            },
            "revision" => request with { Project = request.Project! with { Revision = "badcafe" } },
            "version label" => request with { Project = request.Project! with { Version = "2.0.0" } },
            "framework" => request with { Project = request.Project! with { FrameworkVersion = "9.0" } },
            "annotation" => request with { Spec = request.Spec with { Annotations = [new("com.example.note", "yes")] } },
            "proofs" => request with { CacheTrust = CacheTrust.None with { Key = Secret() } },
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };

    private static CacheSecret? Secret() => CacheSecret.TryCreate(new string('k', 64), out var key) ? key : null;

    [Theory]
    [InlineData("added", "File", "has a file that this build does not make: app/backdoor.sh")]
    [InlineData("removed", "File", "lacks a file that this build makes: app/appsettings.json")]
    [InlineData("changed", "File", "file app/appsettings.json has other content")]
    [InlineData("line ends", "LineEnds", "app/appsettings.json has the same lines with other line ends")]
    [InlineData("one byte", "File", "App.dll was changed after it was compiled: the compiler gave both the same identity")]
    [InlineData("a package", "Package", "package Serilog is 3.0.0, and here 3.1.0")]
    [InlineData("no symbols", "Options", "lacks a file that this build makes: the symbols app/App.pdb")]
    [InlineData("not an assembly", "File", "file app/App.dll has other content")]
    public async Task AFileIsNamed(string what, string kind, string text)
    {
        await using var bench = await ReproducingBench.StartAsync();
        var folder = bench.Publishing.PublishFolder;
        var (dll, pdb, settings) = (App.Dll(), App.Pdb(), Encoding.UTF8.GetBytes("{\n  \"A\": 1\n}\n"));
        Alter(bench, what, folder);
        await bench.PublishAsync();
        File.Delete(Path.Combine(folder, "backdoor.sh"));
        bench.Write("App.dll", dll);
        bench.Write("App.pdb", pdb);
        bench.Write("appsettings.json", settings);
        bench.Publishing.Write("App.deps.json", ReproducingBench.Dependencies("3.1.0"));

        AssertFirst(await bench.ReproduceAsync(), kind, text);
    }

    private static void Alter(ReproducingBench bench, string what, string folder)
    {
        var dll = App.Dll();
        switch (what)
        {
            case "added":
                bench.Publishing.Write("backdoor.sh", "#!/bin/sh");
                break;
            case "removed":
                File.Delete(Path.Combine(folder, "appsettings.json"));
                break;
            case "changed":
                bench.Publishing.Write("appsettings.json", "{\n  \"A\": 2\n}\n");
                break;
            case "line ends":
                bench.Publishing.Write("appsettings.json", "{\r\n  \"A\": 1\r\n}\r\n");
                break;
            case "one byte":
                dll[^1] ^= 1;
                bench.Write("App.dll", dll);
                break;
            case "a package":
                bench.Publishing.Write("App.deps.json", ReproducingBench.Dependencies("3.0.0"));
                break;
            case "no symbols":
                File.Delete(Path.Combine(folder, "App.pdb"));
                break;
            default:
                bench.Write("App.dll", dll[..200]);
                break;
        }
    }

    [Fact]
    public async Task ALayersOrderIsNamed()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Change(
            (manifest, config) =>
            {
                Swap(manifest["layers"]!.AsArray());
                Swap(config["rootfs"]!["diff_ids"]!.AsArray());
            }
        );

        AssertFirst(await bench.ReproduceAsync(), "LayerOrder", "the same layers are in another order");

        static void Swap(JsonArray list)
        {
            var last = list[^1]!;
            list.RemoveAt(list.Count - 1);
            list.Insert(list.Count - 1, last);
        }
    }

    [Fact]
    public async Task TheBuildIsOnTheVeryBaseThatTheImageNames()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "patched"))], ReproducingBench.BaseConfig());

        Assert.True((await bench.ReproduceAsync()).IsEqual);
    }

    [Fact]
    public async Task AnotherBaseIsNamed()
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Server.SeedImage("dotnet/runtime", "10.0", [Seeding.LayerOf(("etc/base", "other"))], ReproducingBench.BaseConfig());
        var other = bench.Publishing.Named("dotnet/runtime").ReferenceTo(Tag.Parse("10.0"));
        await bench.PublishAsync(bench.Request() with { Base = new RegistryImage(other) });

        AssertFirst(await bench.ReproduceAsync(), "Base", "dotnet/runtime:10.0@sha256:");
    }

    [Fact]
    public async Task LayersAboveABaseWithoutHistoryAreFoundByTheirPosition()
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "bare"))], Seeding.ConfigOf("amd64"));
        bench.Write(App with { Folder = "/home/ci/App" });
        await bench.PublishAsync();
        bench.Write(App);

        var result = await bench.ReproduceAsync();

        AssertFirst(result, "Paths", "App.dll was compiled in folder");
        Assert.Single(result.Causes);
    }

    [Fact]
    public async Task LowerLayersThatAreNotTheBasesAreNamed()
    {
        await using var bench = await ReproducingBench.StartAsync();
        await bench.PublishAsync();
        var (layer, tar) = (Seeding.LayerOf(("etc/base", "altered")), Seeding.TarOf(("etc/base", "altered")));
        bench.Change(
            (manifest, config) =>
            {
                manifest["layers"]![0]!["digest"] = bench.Put(layer);
                manifest["layers"]![0]!["size"] = layer.Length;
                config["rootfs"]!["diff_ids"]![0] = Digests.Sha256(tar);
            }
        );

        AssertFirst(await bench.ReproduceAsync(), "Base", "its lower layers are not those of the base that it names");
    }

    [Fact]
    public async Task LineEndsOfSourcesAreFoundByTheHashesInTheSymbols()
    {
        await using var bench = await ReproducingBench.StartAsync();
        var root = bench.Publishing.PublishFolder;
        bench.Write(App with { Sources = new Dictionary<string, string> { ["Program.cs"] = "return;\r\n" } });
        await bench.PublishAsync();
        bench.Write(App);
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(root)!, "clone", "src", "App"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "Program.cs"), "return;\n", ReproducingBench.Cancel);

        var result = await bench.ReproduceAsync(plan: plan => plan with { Root = Path.Combine(Path.GetDirectoryName(root)!, "clone") });

        AssertFirst(result, "LineEnds", "App.dll was compiled from Program.cs with other line ends");
    }

    [Fact]
    public async Task ProvenanceNamesTheVersionsOfTools()
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Write("App.dll", [.. App.Dll(), 0]);
        await bench.PublishAsync();
        bench.Write(App);

        var result = await bench.ReproduceAsync(plan: plan => plan with { NamedSdk = "9.0.300", NamedTool = "0.9.0" });

        AssertFirst(result, "Sdk", "it was built by .NET SDK 9.0.300, as its provenance says, and this build by 10.0.100");
        Assert.Contains(result.Causes, cause => cause.Kind == CauseKind.Tool && cause.Text.Contains("ImagePublish.Tasks 0.9.0", Ordinal));
    }

    [Fact]
    public async Task AChangedWorkingTreeExplainsChangedFiles()
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Write(App with { Sources = new Dictionary<string, string> { ["Program.cs"] = "return 1;\n" } });
        await bench.PublishAsync();
        bench.Write(App);

        var result = await bench.ReproduceAsync(plan: plan => plan with { Changed = ["src/App/Program.cs"] });

        AssertFirst(result, "WorkingTree", "'src/App/Program.cs' here is not as its commit has it");
    }

    [Fact]
    public async Task PackagesOfTheSystemThatMovedAreNamedByTheirVersions()
    {
        var old = new DebBuilder("shop", "1.0").File("./usr/bin/shop", "old").File("./usr/share/shop/1.0", "1");
        var moved = new DebBuilder("shop", "2.0").File("./usr/bin/shop", "new").File("./usr/share/shop/2.0", "2");
        using var repository = new LocalRepository().AddRoot().Add(old);
        await using var bench = await ReproducingBench.StartAsync();
        PublishRequest Request(string cache) =>
            bench.Request() with
            {
                Base = new ScratchImage(),
                Packages = repository.Request("shop") with { CacheFolder = Path.Combine(repository.Folder, cache) },
            };
        await bench.PublishAsync(Request("here"));
        repository.Remove(old).Add(moved);

        var result = await bench.ReproduceAsync(Request("there"));

        AssertFirst(result, "Package", "the system's package shop is 1.0, and here 2.0");
        // What the package brings follows from it.
        Assert.Single(result.Causes);
        Assert.Contains(result.Differences, one => one is { Name: "usr/share/shop/1.0", Text: "is only in the image" });
        Assert.Contains("ImagePackageSource", result.Causes[0].Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsShownIsForPeopleAndBeginsWithTheCause()
    {
        await using var bench = await ReproducingBench.StartAsync();
        bench.Write(App with { Folder = "/home/ci/App" });
        await bench.PublishAsync();
        bench.Write(App);
        var result = await bench.ReproduceAsync();
        var plan = new ReproductionPlan
        {
            Name = "acme/shop:1.0",
            Source = "acme/shop:1.0",
            Digest = result.Digest,
            Head = "c0ffee",
            Sdk = "10.0.100",
        };

        var lines = ReproductionTables.Of(new ComparedImage(plan, [result], null)).ToList();

        Assert.StartsWith("Not reproduced: App.dll was compiled in folder /home/ci/App", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Contains("layer app: app/App.dll: ", Ordinal));
        var equal = result with { RebuiltDigest = result.Digest };
        Assert.EndsWith("the same digest", ReproductionTables.Of(new ComparedImage(plan, [equal], null)).First(), StringComparison.Ordinal);
        Assert.EndsWith(
            "the same image for each platform",
            ReproductionTables.Of(new ComparedImage(plan, [equal], "sha256:1")).First(),
            StringComparison.Ordinal
        );
        ComparedImage compared = new(plan, [result with { Variants = ["debug"] }, result with { Variants = ["debug", "jobs"] }], null);
        Assert.Contains("  Its variants are not compared: debug, jobs.", ReproductionTables.Of(compared));
        var read = ReproductionJson.ReadPlatform(ReproductionJson.Write(result));
        Assert.Equal(result.Causes, read.Causes);
        Assert.Equal(result.Differences, read.Differences);
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static void AssertFirst(PlatformReproduction result, string kind, string text)
    {
        Assert.False(result.IsEqual);
        var first = result.Causes[0];
        Assert.Equal(kind, first.Kind.ToString());
        Assert.Contains(text, first.Text, StringComparison.Ordinal);
    }
}

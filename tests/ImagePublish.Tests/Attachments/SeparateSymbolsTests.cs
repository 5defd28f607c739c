using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Rebasing;
using ImagePublish.Tests.Registries;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>With <c>ImageSymbols=Separate</c> debug symbols are attached to the image, and can be had back.</summary>
public sealed class SeparateSymbolsTests : IDisposable
{
    private const string Shop = "acme/shop";

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-symbols-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Target => Path.Combine(folder, "symbols");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheyAreAttachedBeforeATagMovesAndTheImageDoesNotDependOnThem(bool hasReferrers)
    {
        await using var bench = await StartAsync(hasReferrers);
        var without = await bench.PublishAsync(
            bench.Request("plain") with
            {
                Selection = new FileSelection { Symbols = SymbolPlacement.None },
            }
        );

        var result = await bench.PublishAsync(Separate(bench, "1.0"));

        Assert.Equal(without.Image.Digest, result.Image.Digest);
        Assert.Equal([AttachmentTypes.Symbols], Assert.Single(result.Attached).Types);
        Assert.EndsWith("/1.0", bench.Server.Requests.Of(RegistryStep.ManifestPut)[^1].Path, StringComparison.Ordinal);
        Assert.Equal("App.pdb=symbols of the app lib/Native.dbg=symbols of a program", await PullAsync(bench, result));
        // A second pull of others' symbols into the same folder leaves nothing half-written.
        Assert.Equal(["app"], Directory.EnumerateFileSystemEntries(Target).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase("Attachments", "a publish with separate symbols that changes nothing", "one HEAD for each tag, and nothing else")]
    public async Task AnUnchangedPublishAsksForTheTagsAlone(bool hasReferrers)
    {
        await using var bench = await StartAsync(hasReferrers);
        var first = await bench.PublishAsync(Separate(bench, "1.0"));

        var second = await bench.PublishAsync(Separate(bench, "1.0"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);
        Assert.Equal(first.Attached[0].Descriptor.Digest, Assert.Single(second.Attached).Descriptor.Digest);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnotherMachineAttachesThemNoSecondTime(bool hasReferrers)
    {
        await using var bench = await StartAsync(hasReferrers);
        var first = await bench.PublishAsync(Separate(bench, "1.0"));

        var again = await bench.PublishAsync(Separate(bench, "1.0"), machine: "other");

        Assert.True(again.IsUnchanged);
        Assert.Equal(first.Attached[0].Descriptor.Digest, Assert.Single(again.Attached).Descriptor.Digest);
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.MountPost));
    }

    [Fact]
    public async Task OtherSymbolsOfTheSameImageAreAttachedAndNoTagMoves()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var first = await bench.PublishAsync(Separate(bench, "1.0"));
        bench.Write("lib/Other.pdb", "of a package");

        var second = await bench.PublishAsync(Separate(bench, "1.0"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
        Assert.Equal(2, second.Attached.Count);
        Assert.Single(bench.Server.Requests.Of(RegistryStep.ManifestPut));
        Assert.Equal(
            "App.pdb=symbols of the app lib/Native.dbg=symbols of a program lib/Other.pdb=of a package",
            await PullAsync(bench, second)
        );
    }

    [Fact]
    public async Task TheyArePartOfTheIndexWhereAttestationsAre()
    {
        await using var bench = await StartAsync(hasReferrers: false);
        var request = Separate(bench, "1.0") with { Attestations = new AttestationRequest(AttestationPlacement.Index) };

        var result = await bench.PublishAsync(request);
        var again = await bench.PublishAsync(request, machine: "other");

        var index = OciJson.ReadIndex(result.Root.Content.Span);
        Assert.Equal(2, index.Manifests.Count);
        Assert.Equal(result.Image.Digest.Value, index.Manifests[1].Annotations![AttachmentTypes.ReferenceDigest]);
        Assert.True(again.IsUnchanged);
        Assert.Equal(["1.0"], bench.Server.Content.Tags(Shop).Keys);
        Assert.Equal("App.pdb=symbols of the app lib/Native.dbg=symbols of a program", await PullAsync(bench, result));
    }

    [Fact]
    public async Task APublishWithoutSymbolsAttachesNothing()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(Separate(bench, "1.0"));

        Assert.Empty(result.Attached);
        Assert.Equal(2, bench.Moved(RegistryStep.ManifestPut));
        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => PullAsync(bench, result));
        Assert.Equal(DiagnosticCodes.SymbolsMissing, exception.Code);
        Assert.False(Directory.Exists(Target));
    }

    [Fact]
    public async Task APlanTellsTheBytesThatThePublishUploads()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var plan = await bench.PlanAsync(Separate(bench, "1.0"));
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.MountPost));

        var result = await bench.PublishAsync(Separate(bench, "1.0"));

        Assert.Equal(result.Deliveries[0].Transfer, plan.Destinations[0].Delivery.Transfer);
    }

    [Fact]
    [ReliabilityCase("Attachments", "a registry that refuses separate symbols", "an error with a code, and no tag moves")]
    public async Task NoTagMovesWhereTheyAreRefused()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        // The first is the image itself; the tag would be taken.
        var refusal = bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.Status(415))
            {
                When = request => request.Reference != "1.0",
                Times = Fault.Always,
                Skip = 1,
            }
        );

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Separate(bench, "1.0")));

        Assert.NotEqual(0, refusal.Hits);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
    }

    [Fact]
    public async Task TheLocalStoreHasThemAndACopyTakesThemAlong()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var request = Separate(bench, "1.0") with { Destinations = [] };
        await bench.PublishAsync(request);
        await using var registry = RegistryBench.For(bench.Server);
        var stored = new StoreImage("acme/shop:1.0");
        var copy = new CopyRequest(stored, [bench.Named("acme/copy")], Shop, [Tag.Parse("1.0")]);

        await new ImageCopier(registry.Client, bench.Store()).CopyAsync(copy, Cancel);

        const string Expected = "App.pdb=symbols of the app lib/Native.dbg=symbols of a program";
        Assert.Equal(Expected, await PullAsync(bench, stored, "here"));
        Assert.Equal(Expected, await PullAsync(bench, At(bench, "acme/copy", "1.0"), "fresh"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PlatformsHaveAFolderEachWhereTheirSymbolsDiffer(bool differ)
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var images = new List<Descriptor>();
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            if (differ)
                bench.Write("App.pdb", $"symbols for {architecture}");
            var request = Separate(bench);
            var platform = new Platform("linux", architecture);
            images.Add((await bench.PublishAsync(request with { Spec = request.Spec with { Platform = platform } })).Image.IndexEntry);
        }

        await bench.PublishAsync(
            new IndexRequest
            {
                Images = images,
                Destinations = [bench.Named(Shop)],
                LocalName = Shop,
                Tags = [Tag.Parse("1.0")],
            }
        );
        await using var registry = RegistryBench.For(bench.Server);
        var pulled = await new SymbolsPuller(registry.Client, bench.Store("reader")).PullAsync(At(bench, Shop, "1.0"), Target, Cancel);

        Assert.Equal(differ ? ["linux-amd64", "linux-arm64"] : ["app"], FoldersOf(Target));
        Assert.Equal(differ ? [1, 1] : [2], pulled.Select(one => one.Platforms.Count));
    }

    [Theory]
    [InlineData("../App.pdb", TarEntryType.RegularFile)]
    [InlineData("app/../../App.pdb", TarEntryType.RegularFile)]
    [InlineData("app/App.pdb", TarEntryType.SymbolicLink)]
    [InlineData("app/App.pdb", TarEntryType.HardLink)]
    [InlineData("app/App.pdb", TarEntryType.Fifo)]
    [InlineData("app/.bashrc", TarEntryType.RegularFile)]
    [InlineData("app\\App.pdb", TarEntryType.RegularFile)]
    [InlineData("app/A\u001b[2Jpp.pdb", TarEntryType.RegularFile)]
    [ReliabilityCase(
        "Attachments",
        "symbols that someone else attached, with links, paths outside the folder, or other files",
        "IMG4018, and nothing is written"
    )]
    public async Task WhatIsNoSymbolsIsNotWritten(string name, TarEntryType type)
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = (await bench.PublishAsync(bench.Request("1.0"))).Image;
        Attach(bench, image, Tar(("app/First.pdb", TarEntryType.RegularFile), (name, type)));

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => PullAsync(bench, At(bench, Shop, "1.0"), "fresh"));

        Assert.Equal(DiagnosticCodes.AttachmentInvalid, exception.Code);
        Assert.DoesNotContain('\n', exception.Message);
        Assert.DoesNotContain('\u001b', exception.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Theory]
    [InlineData("twice")]
    [InlineData("cut")]
    [InlineData("text")]
    [InlineData("altered")]
    public async Task DamagedSymbolsAreNotWritten(string damage)
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = (await bench.PublishAsync(bench.Request("1.0"))).Image;
        var tar = Tar(
            ("app/First.pdb", TarEntryType.RegularFile),
            (damage == "twice" ? "app/First.pdb" : "b.pdb", TarEntryType.RegularFile)
        );
        var blob = damage switch
        {
            "cut" => tar[..(tar.Length / 2)],
            "text" => "no archive"u8.ToArray(),
            _ => tar,
        };
        Attach(bench, image, blob, claimed: damage == "altered" ? Tar(("c.pdb", TarEntryType.RegularFile)) : blob);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => PullAsync(bench, At(bench, Shop, "1.0"), "fresh"));

        Assert.Equal(damage == "altered" ? DiagnosticCodes.RegistryNotFound : DiagnosticCodes.AttachmentInvalid, exception.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task ARebasedImageHasThemToo()
    {
        var old = TestBase.Debian;
        await using var bench = await RebaseBench.StartAsync(old);
        bench.Publishing.Write("App.pdb", "symbols of the app");
        var attestations = new AttestationRequest(AttestationPlacement.Referrers);
        var selection = new FileSelection { Symbols = SymbolPlacement.Separate };
        await bench.Publishing.PublishAsync(bench.Request() with { Attestations = attestations, Selection = selection });
        old.Fixed().SeedTo(bench.Server);

        var result = await bench.RebaseAsync();

        Assert.NotEqual(result.Before.Digest, result.After.Digest);
        Assert.Equal(["symbols"], result.Renewed);
        Assert.Empty(result.LeftBehind);
        Assert.Equal("App.pdb=symbols of the app", await PullAsync(bench.Publishing, At(bench.Publishing, Shop, "1.0"), "fresh"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<PublishingBench> StartAsync(bool hasReferrers)
    {
        var bench = await PublishingBench.StartAsync(hasReferrers);
        bench.Write("App.pdb", "symbols of the app");
        bench.Write("lib/Native.dbg", "symbols of a program");
        return bench;
    }

    private static PublishRequest Separate(PublishingBench bench, params string[] tags) =>
        bench.Request(tags) with
        {
            Selection = new FileSelection { Symbols = SymbolPlacement.Separate },
            Attestations = new AttestationRequest(AttestationPlacement.Referrers),
        };

    private static RegistryImage At(PublishingBench bench, string repository, string tag) =>
        new(bench.Named(repository).ReferenceTo(Tag.Parse(tag)));

    private Task<string> PullAsync(PublishingBench bench, PublishResult result) =>
        PullAsync(bench, new RegistryImage(bench.Named(Shop).ReferenceTo(result.Root.Descriptor.Digest)), "reader");

    private async Task<string> PullAsync(PublishingBench bench, ImageSource source, string machine)
    {
        await using var registry = RegistryBench.For(bench.Server);
        await new SymbolsPuller(registry.Client, bench.Store(machine)).PullAsync(source, Target, Cancel);
        var app = Path.Combine(Target, "app");
        var files = Directory.EnumerateFiles(app, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return string.Join(' ', files.Select(file => $"{Path.GetRelativePath(app, file)}={File.ReadAllText(file)}"));
    }

    private static IEnumerable<string?> FoldersOf(string folder) =>
        Directory.EnumerateDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static byte[] Tar(params (string Name, TarEntryType Type)[] entries)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionMode.Compress))
        using (var tar = new TarWriter(gzip))
        {
            foreach (var (name, type) in entries)
            {
                var entry = new PaxTarEntry(type, name);
                if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                    entry.LinkName = "/etc/passwd";
                if (type == TarEntryType.RegularFile)
                    entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes("content"));
                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    // As anybody may do it who may push.
    private static void Attach(PublishingBench bench, Image image, byte[] blob, byte[]? claimed = null)
    {
        var layer = new Descriptor(MediaTypes.OciLayer + "+gzip", Digest.Compute(claimed ?? blob), (claimed ?? blob).Length);
        var symbols = new Layer(layer, Digest.Compute("a tar"u8), new MemoryBlobSource(layer, blob));
        var attached = AttachedManifest.CreateSymbols(image.Manifest.Descriptor, symbols);
        bench.Server.Content.PutBlob(Shop, "{}"u8);
        bench.Server.Content.PutBlob(Shop, blob);
        bench.Server.Content.PutManifest(Shop, null, attached.Manifest.Content.Span, MediaTypes.OciManifest);
    }
}

using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting.Page;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Layers;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Publishing;

/// <summary>What a report tells of an image, and of the one before it.</summary>
public sealed class ImageReporterTests
{
    [Fact]
    public async Task AReportTellsEachLayersFateFilesAndPackages()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("Library.dll", "library 1");
        var request = Request(bench);
        await ReportAsync(bench, request);
        bench.Write("App.dll", "app 2");

        var report = await ReportAsync(bench, request);

        Assert.All(report.Layers.Where(layer => layer.IsOfBase), layer => Assert.Equal(TransferKind.Reused, layer.Transfer.Kind));
        var packages = Assert.Single(report.Layers, layer => layer.Name == "packages");
        Assert.Equal(TransferKind.Reused, packages.Transfer.Kind);
        Assert.Equal(
            [("app/Library.dll", "Some.Library"), ("app/Package.dll", null)],
            packages.Files.Select(file => (file.Path, file.Package))
        );
        Assert.Equal(TransferKind.Uploaded, report.Layers[^1].Transfer.Kind);
    }

    [Fact]
    [ReliabilityCase(
        "Files",
        "a variable, a user or a label with a line break, in a report",
        "the equivalent Dockerfile has no injected instruction"
    )]
    public async Task AnEndOfLineInAValueIsNoLineOfTheDockerfile()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = Request(bench);
        var spec = request.Spec with
        {
            User = "app\nRUN user",
            EnvironmentVariables = [new("A", "1\nRUN variable")],
            Labels = [new("a", "1\r\nRUN label")],
        };

        var dockerfile = EquivalentDockerfile.Write(await ReportAsync(bench, request with { Spec = spec }))!;

        Assert.Contains("ENV A=\"1\\nRUN variable\"\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains("USER app\\nRUN user\n", dockerfile, StringComparison.Ordinal);
        Assert.DoesNotContain("\nRUN", dockerfile, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReportComparesWithTheImageThatTheTagPointedAt()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("Empty.txt", "");
        var first = await ReportAsync(bench, Request(bench));
        bench.Write("App.dll", "app 2!");
        bench.Write("New.dll", "new");
        File.Delete(Path.Combine(bench.PublishFolder, "Package.dll"));

        // Another machine has nothing at hand: it reads the old layers from the registry.
        var second = await ReportAsync(bench, Request(bench) with { Spec = Request(bench).Spec with { User = "app" } }, "there");

        Assert.Null(first.Changes);
        var changes = second.Changes!;
        Assert.Equal(first.Result.Image.Digest, changes.Digest);
        Assert.Equal(first.Result.Image.Size, changes.Size);
        Assert.Equal(
            [
                new FileChange("app/App.dll", ChangeKind.Changed, 5, 6),
                new FileChange("app/New.dll", ChangeKind.Added, null, 3),
                new FileChange("app/Package.dll", ChangeKind.Removed, 9, null),
            ],
            changes.Files
        );
        Assert.Contains(new ConfigChange("user", null, "app"), changes.Config);
    }

    [Fact]
    public async Task AnImageInTheLocalStoreIsComparedToo()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = Request(bench) with { Destinations = [], Base = new ScratchImage() };
        await ReportAsync(bench, request);
        bench.Write("App.dll", "app 2");

        var report = await ReportAsync(bench, request);

        Assert.Equal("acme/shop:1.0", report.Changes!.Name);
        Assert.Equal([new FileChange("app/App.dll", ChangeKind.Changed, 5, 5)], report.Changes.Files);
    }

    [Fact]
    public async Task APlansReportTellsWhatWouldMoveAndLeavesNothing()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(Request(bench));
        bench.Write("App.dll", "app 2!");
        bench.Server.Requests.Clear();

        await using var registry = RegistryBench.For(bench.Server);
        var context = bench.Context(registry.Client, "there");
        var plan = await new ImagePlanner(context).PlanAsync(Request(bench), PublishingBench.Cancel);
        var planned = await new ImageReporter(context).DescribeAsync(plan.Run, PublishingBench.Cancel);

        Assert.Equal(0, bench.Moved(RegistryStep.MountPost, RegistryStep.UploadPost, RegistryStep.ManifestPut));
        var published = await ReportAsync(bench, Request(bench), "there");
        Assert.Equal(published.Layers.Select(Summarize), planned.Layers.Select(Summarize));
        Assert.Equal([new FileChange("app/App.dll", ChangeKind.Changed, 5, 6)], planned.Changes!.Files);
        Assert.Equal(published.Changes!.Files, planned.Changes.Files);
    }

    [Fact]
    public async Task AnImageThatWasPublishedElsewhereTellsItsOwnLayersAndWhatChanged()
    {
        await using var bench = await PublishingBench.StartAsync();
        var scratch = Request(bench) with { Base = new ScratchImage(), Tags = [] };
        var first = await JoinAsync(bench, await bench.PublishAsync(scratch));
        bench.Write("App.dll", "app 2!");

        var second = await JoinAsync(bench, await bench.PublishAsync(scratch));

        Assert.Null(first.Changes);
        Assert.Equal(["packages", "app"], second.Layers.Select(layer => layer.Name).Where(name => name != "static"));
        Assert.Contains("app/App.dll", second.Layers[^1].Files.Select(file => file.Path));
        Assert.Equal([new FileChange("app/App.dll", ChangeKind.Changed, 5, 6)], second.Changes!.Files);
    }

    private static async Task<ImageReport> JoinAsync(PublishingBench bench, PublishResult image)
    {
        await using var registry = RegistryBench.For(bench.Server);
        var context = bench.Context(registry.Client, "there");
        var publisher = new IndexPublisher(context);
        var joined = await publisher.PublishAsync(
            new IndexRequest
            {
                From = [bench.Named("acme/shop").ReferenceTo(image.Image.Digest)],
                Destinations = [bench.Named("acme/all")],
                LocalName = "acme/all",
                Tags = [Tag.Parse("1.0")],
                ComparedTags = [Tag.Parse("1.0")],
            },
            PublishingBench.Cancel
        );
        return Assert.Single(await new ImageReporter(context).DescribeJoinedAsync(joined, PublishingBench.Cancel));
    }

    private static (string Name, Digest Digest, BlobTransfer Transfer, int Files) Summarize(ReportLayer layer) =>
        (layer.Name, layer.Layer.Descriptor.Digest, layer.Transfer, layer.Files.Count);

    [Fact]
    public async Task FilesAndTheirTarGiveTheSameListing()
    {
        using var folder = new TempFolder();
        folder.File("publish/App.dll", "app");
        folder.File("publish/empty", "");
        folder.File("publish/App.deps.json", "{}");
        var content = LayerInput.Create("app", LayerTesting.ReadFolder(folder.At("publish"), new LayerEntryDefaults(), []));
        using var tar = new MemoryStream();
        await LayerTar.WriteAsync(content, tar, TestContext.Current.CancellationToken);
        tar.Position = 0;

        var ofFiles = await LayerListing.OfAsync(content, TestContext.Current.CancellationToken);
        var ofTar = await LayerListing.ReadAsync(tar, new LayerReaderOptions(), TestContext.Current.CancellationToken);
        var ofRecord = LayerListing.TryRead(ofTar.Write())!;

        Assert.Equal(ofTar.Entries, ofFiles.Entries);
        Assert.Equal(ofTar.Texts, ofFiles.Texts);
        Assert.Equal(
            ofTar.Entries.Select(entry => (entry.Path, entry.Length, entry.Fingerprint)),
            ofRecord.Entries.Select(entry => (entry.Path, entry.Length, entry.Fingerprint))
        );
    }

    private static PublishRequest Request(PublishingBench bench) =>
        bench.Request("1.0") with
        {
            ComparedTags = [Tag.Parse("1.0")],
            Items =
            [
                new PublishItem("Package.dll", PublishItemOrigin.Package),
                new PublishItem("Library.dll", PublishItemOrigin.Package) { Package = "Some.Library" },
            ],
        };

    private static async Task<ImageReport> ReportAsync(PublishingBench bench, PublishRequest request, string machine = "here")
    {
        await using var registry = RegistryBench.For(bench.Server);
        var reporter = new ImageReporter(bench.Context(registry.Client, machine));
        var published = await reporter.PublishAsync(request, PublishingBench.Cancel);
        return await reporter.DescribeAsync(published, PublishingBench.Cancel);
    }
}

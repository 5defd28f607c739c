using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Signing;
using ImagePublish.Storage.Archives;
using ImagePublish.Testing;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Commands;

public sealed class CopyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACopyReportsWhatItsDryRunSaid(bool toRegistry)
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");
        Repository[] destinations = toRegistry
            ? [CommandBench.In(bench.Server, "acme/mounted"), CommandBench.In(bench.Other, "acme/shop")]
            : [];
        var request = new CopyRequest(CommandBench.At(bench.Server, "acme/shop:v1"), destinations, "acme/copy", [Tag.Parse("v1")]);

        var told = await bench.Copier.CopyAsync(request with { DryRun = true }, Cancel);
        Assert.Empty(bench.Other.Content.Tags("acme/shop"));
        Assert.Empty(await bench.Kept.Store.ListAsync(Cancel));
        var done = await bench.Copier.CopyAsync(request, Cancel);

        Assert.Equal(done.Root, told.Root);
        Assert.Equal(
            done.Deliveries.Select(delivery => (delivery.Name, delivery.Transfer)),
            told.Deliveries.Select(delivery => (delivery.Name, delivery.Transfer))
        );
    }

    [Fact]
    public async Task AnImageIsPromotedWithAllPlatformsAndTheSameDigests()
    {
        await using var bench = await CommandBench.StartAsync();
        var digest = bench.Server.SeedIndex("acme/shop", "v1");

        var result = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal(digest, result.Root.Digest.Value);
        Assert.Equal(digest, bench.Other.Content.Tags("prod/shop")["v1"]);
        Assert.Equal(3, bench.Other.Content.Manifests("prod/shop").Count);
        Assert.True(Assert.Single(result.Deliveries).Transfer.UploadedBytes > 0);
    }

    [Fact]
    public async Task WithinOneRegistryBlobsAreMounted()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");

        var transfer = (await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Server, "prod/shop")))
            .Deliveries[0]
            .Transfer;

        Assert.Equal(0, transfer.UploadedBytes);
        Assert.True(transfer.MountedBytes > 0);
        Assert.Equal(0, bench.Server.Requests.CountOf(RegistryStep.UploadPut));
    }

    [Fact]
    public async Task ASecondCopyMovesNothing()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");
        var first = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        var second = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal(first.Deliveries[0].Transfer.UploadedBytes, second.Deliveries[0].Transfer.ReusedBytes);
        Assert.Equal(0, second.Deliveries[0].Transfer.UploadedBytes);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task WhatIsAttachedGoesWithIt(bool sourceHasReferrers, bool targetHasReferrers)
    {
        await using var bench = await CommandBench.StartAsync(options => options.Content.Referrers = targetHasReferrers);
        bench.Server.Options.Content.Referrers = sourceHasReferrers;
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        var fallback = subject.Replace(':', '-');
        var attached = CommandBench.Attach(bench.Server, "acme/shop", subject, "a bill of materials");
        var signature = CommandBench.Attach(bench.Server, "acme/shop", subject, "a signature", fallback + ".sig");
        if (!sourceHasReferrers)
            await AddFallbackAsync(bench, attached, fallback);

        var result = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.NotEqual(0, result.Attachments);
        Assert.NotNull(bench.Other.Content.Manifest("prod/shop", attached));
        Assert.Equal(signature, bench.Other.Content.Tags("prod/shop")[fallback + ".sig"]);
        var list = targetHasReferrers
            ? await bench.Client.ListReferrersAsync(CommandBench.In(bench.Other, "prod/shop"), Digest.Parse(subject), Cancel)
            : OciJson.ReadIndex(bench.Other.Content.Manifest("prod/shop", fallback)!.Bytes.Span).Manifests;
        Assert.Contains(list!, one => one.Digest.Value == attached);
    }

    [Fact]
    public async Task AnImageOfTheStoreIsPushedAndPulledBack()
    {
        await using var bench = await CommandBench.StartAsync();
        var manifest = await bench.PutAsync("acme/shop:v1", "one", "two");

        await bench.CopyAsync(new StoreImage("acme/shop:v1"), CommandBench.In(bench.Server, "acme/shop"));
        var back = await bench.Copier.CopyAsync(
            new CopyRequest(CommandBench.At(bench.Server, "acme/shop:v1"), [], "acme/again", [Tag.Parse("v1")]),
            Cancel
        );

        Assert.Equal(manifest.Digest.Value, bench.Server.Content.Tags("acme/shop")["v1"]);
        Assert.Equal(manifest.Digest, back.Root.Digest);
        Assert.Equal(manifest.Digest, (await bench.Kept.Store.FindReferenceAsync("acme/again:v1", Cancel))!.Digest);
        Assert.Equal(0, back.Deliveries[0].Transfer.UploadedBytes);
    }

    [Fact]
    public async Task AnArchiveIsPushed()
    {
        await using var bench = await CommandBench.StartAsync();
        var manifest = await bench.PutAsync("acme/shop:v1", "one", "two");
        var path = Path.Combine(bench.Kept.Folder, "shop.tar");
        await ArchiveWriter.WriteAsync([(await bench.Kept.Store.LoadAsync("acme/shop:v1", Cancel))!], path, Cancel);

        await bench.CopyAsync(
            new ArchivedImage(path, null),
            CommandBench.In(bench.Server, "acme/shop"),
            CommandBench.In(bench.Other, "acme/shop")
        );

        Assert.Equal(manifest.Digest.Value, bench.Server.Content.Tags("acme/shop")["v1"]);
        Assert.Equal(manifest.Digest.Value, bench.Other.Content.Tags("acme/shop")["v1"]);
    }

    [Fact]
    public async Task NoTagMovesWhereABlobIsRefused()
    {
        await using var bench = await CommandBench.StartAsync(options =>
            options.Faults.Add(new Fault(RegistryStep.UploadPut, FaultAction.Status(403)) { Times = int.MaxValue })
        );
        bench.Server.SeedIndex("acme/shop", "v1");

        await CommandBench.FailsAsync(DiagnosticCodes.RegistryDenied, () =>
            bench.CopyAsync(
                CommandBench.At(bench.Server, "acme/shop:v1"),
                CommandBench.In(bench.Server, "prod/shop"),
                CommandBench.In(bench.Other, "prod/shop")
            )
        );

        Assert.Empty(bench.Server.Content.Tags("prod/shop"));
    }

    [Fact]
    public async Task WhatCanNotBeCopiedIsSaidInOneLine()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "v1");
        var notATar = Path.Combine(bench.Kept.Folder, "no.tar");
        await File.WriteAllTextAsync(notATar, "no image", Cancel);

        await CommandBench.FailsAsync(DiagnosticCodes.SameImage, () =>
            bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Server, "acme/shop"))
        );
        await CommandBench.FailsAsync(DiagnosticCodes.SameImage, () => bench.CopyAsync(new StoreImage("acme/shop:v1")));
        await CommandBench.FailsAsync(DiagnosticCodes.RegistryNotFound, () =>
            bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v9"), CommandBench.In(bench.Other, "acme/shop"))
        );
        await CommandBench.FailsAsync(DiagnosticCodes.NotInStore, () =>
            bench.CopyAsync(new StoreImage("acme/other:v1"), CommandBench.In(bench.Other, "acme/shop"))
        );
        await CommandBench.FailsAsync(DiagnosticCodes.ArchiveInvalid, () =>
            bench.CopyAsync(new ArchivedImage(notATar, null), CommandBench.In(bench.Other, "acme/shop"))
        );
    }

    [Fact]
    [ReliabilityCase(
        "Registry",
        "an image that is nested in two indexes is copied to a registry that refuses an index before its images",
        "both indexes wait for the image"
    )]
    public async Task AnIndexWaitsForAnImageThatIsOnItsWayForAnother()
    {
        var image = Document(
            new ImageManifest(new Descriptor(MediaTypes.OciConfig, Digest.Compute("{}"u8), 2), []) { MediaType = MediaTypes.OciManifest }
        );
        var one = Index(image);
        var two = Index(image, image);
        var destination = new StrictDestination { Held = image.Descriptor.Digest };

        // All but the held answer is there at once, so that this goes as far as it can.
        var running = new ImageTransfer(
            new NestedContent(Index(one, two), [image, one, two]),
            destination,
            new TagChanges(NameChange.Tagged, new TestLog(), TimeProvider.System),
            _ => { }
        ).RunAsync(Cancel);

        Assert.Empty(destination.Manifests);
        destination.Release.SetResult();
        await running;
        Assert.Equal(4, destination.Manifests.Count);
        Assert.Equal(image.Descriptor.Digest, destination.Manifests[0]);

        static MemoryBlobSource Document(ImageManifest manifest) =>
            MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest));
        static MemoryBlobSource Index(params MemoryBlobSource[] children) =>
            MemoryBlobSource.Create(
                MediaTypes.OciIndex,
                OciJson.Write(new ImageIndex([.. children.Select(child => child.Descriptor)]) { MediaType = MediaTypes.OciIndex })
            );
    }

    private sealed class NestedContent(MemoryBlobSource root, MemoryBlobSource[] documents) : IImageContent
    {
        public MemoryBlobSource Root => root;

        public Task<MemoryBlobSource?> TryReadAsync(Descriptor document, CancellationToken cancellationToken) =>
            Task.FromResult(Array.Find(documents, one => one.Descriptor.Digest == document.Digest));

        public BlobSource Blob(Descriptor descriptor) => MemoryBlobSource.Create(descriptor.MediaType, "{}"u8.ToArray());

        public Task<IReadOnlyList<Attachment>> AttachmentsAsync(Digest subject, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Attachment>>([]);
    }

    /// <summary>Refuses what references something that it does not have, and keeps one manifest waiting.</summary>
    private sealed class StrictDestination : IDestination
    {
        public required Digest Held { get; init; }

        public TaskCompletionSource Release { get; } = new();

        public List<Digest> Manifests { get; } = [];

        public string Name => "";

        public bool KeepsImagesWhole => true;

        public Task<bool> HasManifestAsync(Descriptor manifest) => Task.FromResult(false);

        public Task<BlobTransfer> UploadAsync(BlobSource blob, bool isNew = false) => Task.FromResult(BlobTransfer.Reused);

        public void AssumePresent(Descriptor blob) { }

        public Task<bool> HadAllBlobsAsync() => Task.FromResult(false);

        public Task<bool> LackedAnyAsync(IEnumerable<Digest> blobs) => Task.FromResult(false);

        public Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature) => throw new InvalidOperationException();

        public Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest) => Task.FromResult<MemoryBlobSource?>(null);

        public async Task PutManifestAsync(MemoryBlobSource manifest)
        {
            if (manifest.Descriptor.Digest == Held)
                await Release.Task;
            // Indexes come at the same time.
            lock (Manifests)
            {
                if (
                    MediaTypes.IsIndex(manifest.Descriptor.MediaType)
                    && OciJson.ReadIndex(manifest.Content.Span).Manifests.Any(child => !Manifests.Contains(child.Digest))
                )
                    throw new InvalidOperationException("MANIFEST_BLOB_UNKNOWN");
                Manifests.Add(manifest.Descriptor.Digest);
            }
        }

        public Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject) => Task.FromResult<IReadOnlyList<Descriptor>>([]);

        public Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments) => Task.CompletedTask;

        public Repository? Repository => null;

        public CancellationToken Stop => CancellationToken.None;

        public bool IsOnlyMeasured => false;

        public bool HasSignatureTags => false;

        public IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted) =>
            AsyncEnumerable.Empty<SignatureArtifact>();

        public Task SignTagAsync(Digest subject, IReadOnlyList<TagSignature> signatures) => Task.CompletedTask;

        public IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => [];

        public Task<Descriptor?> FindTagAsync(Tag tag) => Task.FromResult<Descriptor?>(null);

        public Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags) => throw new InvalidOperationException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static Task AddFallbackAsync(CommandBench bench, string attached, string tag)
    {
        var bytes = bench.Server.Content.Manifest("acme/shop", attached)!.Bytes;
        var entry = new Descriptor(MediaTypes.OciManifest, Digest.Parse(attached), bytes.Length)
        {
            ArtifactType = "application/vnd.example.sbom",
        };
        bench.Server.Content.PutManifest(
            "acme/shop",
            tag,
            OciJson.Write(new ImageIndex([entry]) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );
        return Task.CompletedTask;
    }
}

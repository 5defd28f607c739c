using System.Text;
using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>Provenance is attached before a tag moves, once, and never changes the image.</summary>
public sealed class AttestationStepTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ProvenanceIsAttachedBeforeATagMoves(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);

        var plain = await bench.PublishAsync(bench.Request("plain"));
        var result = await bench.PublishAsync(Attested(bench, "1.0"));

        Assert.Equal(plain.Image.Digest, result.Image.Digest);
        var attached = Assert.Single(result.Attached);
        Assert.Equal([AttachmentTypes.Provenance], attached.Types);
        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal("1.0", puts[^1]);
        Assert.Contains(attached.Descriptor.Digest.Value, puts);
        var found = Assert.Single(await FindAsync(bench, result.Image.Digest));
        Assert.Equal(attached.Descriptor.Digest, found.Attachment.Descriptor.Digest);
        Assert.Equal("https://ci.example.test/runner/1", found.Provenance!.Builder);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a registry whose referrers request answers with an empty list though the tag lists attachments, as after an upgrade",
        "the tag is read too: nothing is attached twice, and readers find it"
    )]
    public async Task AnEmptyListIsNoProofThatNothingIsAttached()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var empty = OciJson.Write(new ImageIndex([]) { MediaType = MediaTypes.OciIndex });
        bench.Server.Faults.Add(
            new Fault(RegistryStep.Referrers, FaultAction.Bytes(200, empty, MediaTypes.OciIndex)) { Times = Fault.Always }
        );
        var first = await bench.PublishAsync(Attested(bench, "1.0"));

        await bench.PublishAsync(OfRun(bench, "2", "latest"), machine: "other");

        var found = Assert.Single(await FindAsync(bench, first.Image.Digest));
        Assert.Equal(first.Attached[0].Descriptor.Digest, found.Attachment.Descriptor.Digest);
        Assert.Single(await ListAsync(bench, first.Image.Digest, "acme/shop"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase("Attachments", "a publish with provenance that changes nothing", "one HEAD for each tag, and nothing else")]
    public async Task AnUnchangedPublishAsksForTheTagsAlone(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var first = await bench.PublishAsync(Attested(bench, "1.0", "latest"));

        var second = await bench.PublishAsync(Attested(bench, "1.0", "latest"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(3, bench.Moved(RegistryStep.ManifestHead));
        Assert.Equal(
            first.Attached.Select(one => (one.Descriptor.Digest, one.Types[0])),
            second.Attached.Select(one => (one.Descriptor.Digest, one.Types[0]))
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "another run publishes the same image, on a machine without records of the first",
        "no second provenance"
    )]
    public async Task WhatIsAttachedIsNotAttachedTwice(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var first = await bench.PublishAsync(Attested(bench, "1.0"));

        var again = await bench.PublishAsync(OfRun(bench, "2", "1.0"), machine: "other");
        var tagged = await bench.PublishAsync(OfRun(bench, "3", "2.0"), machine: "third");

        Assert.True(again.IsUnchanged);
        Assert.Equal(first.Attached[0].Descriptor.Digest, Assert.Single(again.Attached).Descriptor.Digest);
        Assert.Equal(first.Attached[0].Descriptor.Digest, Assert.Single(tagged.Attached).Descriptor.Digest);
        Assert.Single(await FindAsync(bench, first.Image.Digest));
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 5)]
    [ReliabilityCase("Attachments", "a changed image with provenance", "3 more requests with the referrers API, 5 without it")]
    public async Task ItCostsFewRequests(bool hasReferrers, int more)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var request = Attested(bench, "1.0");
        await bench.PublishAsync(request with { Attestations = null });
        var plain = await CountAsync(request with { Attestations = null }, "app 2");
        await bench.PublishAsync(request);
        var attested = await CountAsync(request, "app 3");

        Assert.True(more == attested - plain, $"{attested - plain} instead of {more}:\n{bench.Server.Requests}");

        async Task<int> CountAsync(PublishRequest changed, string content)
        {
            bench.Write("App.dll", content);
            bench.Server.Requests.Clear();
            await bench.PublishAsync(changed);
            return bench.Server.Requests.Count - bench.Moved(RegistryStep.Ping);
        }
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a distant registry, and an image with provenance",
        "the provenance is uploaded while the image is confirmed; neither waits for the other, and the image is not attested before"
    )]
    public async Task StatementsAreUploadedBesideTheImage()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var meeting = new Meeting("the image", "the provenance");
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestPut, meeting.Attend("the image")));
        bench.Server.Faults.Add(new Fault(RegistryStep.UploadPost, meeting.Attend("the provenance")) { When = HasBlob });

        var result = await bench.PublishAsync(Attested(bench, "1.0"));

        meeting.AssertTookPlace();
        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]);
        Assert.Equal([result.Image.Digest.Value, Assert.Single(result.Attached).Descriptor.Digest.Value, "1.0"], puts);

        static bool HasBlob(RecordedRequest request) => request.Query.Contains("digest=", StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageThatHasNoneGetsItAndNoTagMoves()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var plain = await bench.PublishAsync(bench.Request("1.0"));

        var result = await bench.PublishAsync(Attested(bench, "1.0"));

        Assert.True(result.IsUnchanged);
        Assert.Equal(plain.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.DoesNotContain(bench.Server.Requests.Of(RegistryStep.ManifestPut), request =>
            request.Path.EndsWith("/1.0", StringComparison.Ordinal)
        );
        Assert.Single(await FindAsync(bench, result.Image.Digest));
    }

    [Fact]
    [ReliabilityCase("Attachments", "a registry that refuses the artifact type", "an error with a code, and no tag moves")]
    public async Task NoTagMovesWhereAnAttestationIsRefused()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.Status(415))
            {
                // The first is the image itself; the tag would be taken.
                When = request => request.Reference != "1.0",
                Times = Fault.Always,
                Skip = 1,
            }
        );

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Attested(bench, "1.0")));

        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task NoTagMovesWherePackagesAreUnknown()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Attested(bench, "1.0");
        var facts = request.Attestations!.Provenance! with { AssetsFile = Path.Combine(bench.PublishFolder, "none.json") };

        await RegistryBench.FailsAsync(DiagnosticCodes.PackagesUnknown, () =>
            bench.PublishAsync(request with { Attestations = request.Attestations with { Provenance = facts } })
        );

        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task InAnIndexItIsAnEntryAfterTheImage()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);

        var result = await bench.PublishAsync(Attested(bench, AttestationPlacement.Index, "1.0"));
        var second = await bench.PublishAsync(Attested(bench, AttestationPlacement.Index, "1.0"));
        var other = await bench.PublishAsync(Attested(bench, AttestationPlacement.Index, "1.0"), machine: "other");

        Assert.Equal(result.Root.Descriptor.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        var entries = OciJson.ReadIndex(result.Root.Content.Span).Manifests;
        Assert.Equal([result.Image.Digest, result.Attached[0].Descriptor.Digest], entries.Select(entry => entry.Digest));
        Assert.Equal(result.Image.Digest.Value, entries[1].Annotations![AttachmentTypes.ReferenceDigest]);
        Assert.Equal(["1.0"], bench.Server.Content.Tags("acme/shop").Keys);
        Assert.All([second, other], one =>
            Assert.Equal((true, result.Root.Descriptor.Digest), (one.IsUnchanged, one.Root.Descriptor.Digest))
        );
        // What tells runs apart would change the digest that tags point at.
        Assert.DoesNotContain("invocation", await StatementAsync(bench, result.Attached[0]), StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "attestations are stored alternately in the index and next to it",
        "the tag changes its kind; nothing is lost"
    )]
    public async Task AnImageBecomesAnIndexAndBack()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var beside = await bench.PublishAsync(Attested(bench, "1.0"));
        var inside = await bench.PublishAsync(Attested(bench, AttestationPlacement.Index, "1.0"));
        var back = await bench.PublishAsync(Attested(bench, "1.0"));

        Assert.NotEqual(beside.Root.Descriptor.Digest, inside.Root.Descriptor.Digest);
        Assert.Equal(beside.Root.Descriptor.Digest, back.Root.Descriptor.Digest);
        Assert.Equal(back.Root.Descriptor.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task PlatformsOfAnIndexBringTheirs()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var request = Attested(bench, AttestationPlacement.Index) with { Tags = [] };
        var image = await bench.PublishAsync(request with { Attestations = request.Attestations! with { IsPartOfIndex = true } });

        var joined = await bench.PublishAsync(
            new IndexRequest
            {
                Images = [image.Image.IndexEntry],
                Attestations = [AttachedManifest.IndexEntry(image.Attached[0].Descriptor, image.Image.Digest)],
                Destinations = [bench.Named("acme/shop")],
                LocalName = "acme/shop",
                Tags = [Tag.Parse("1.0")],
            }
        );

        Assert.Equal(image.Image.Manifest, image.Root);
        Assert.Single(await FindAsync(bench, joined.Index.Descriptor.Digest));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "images of separate jobs, each with provenance, joined into an index in another repository",
        "the provenance of each is there too"
    )]
    public async Task WhatIsAttachedToJoinedImagesGoesWithThem(bool isInIndex)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var image = await bench.PublishAsync(Attested(bench, "amd64"));

        var joined = await bench.PublishAsync(
            new IndexRequest
            {
                From = [bench.Named("acme/shop").ReferenceTo(image.Image.Digest)],
                Placement = isInIndex ? AttestationPlacement.Index : AttestationPlacement.Referrers,
                Destinations = [bench.Named("acme/joined")],
                LocalName = "acme/joined",
                Tags = [Tag.Parse("1.0")],
            }
        );

        var found = await FindAsync(bench, joined.Index.Descriptor.Digest, "acme/joined");
        Assert.Equal(image.Image.Digest, Assert.Single(found).Attachment.Subject);
        var entries = OciJson.ReadIndex(joined.Index.Content.Span).Manifests;
        Assert.Equal(isInIndex ? 2 : 1, entries.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "an image of another repository that is joined into an index, whose provenance has a signature, which has one too, and whose own signature is at a tag",
        "all of it is there too, and only the provenance is an entry of the index"
    )]
    public async Task SignaturesOfWhatIsAttachedGoWithIt(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var image = await bench.PublishAsync(Attested(bench, "amd64"));
        var signature = await SignAsync(bench, image.Attached[0].Descriptor);
        var countersignature = await SignAsync(bench, signature);
        var tag = SimpleSigning.TagOf(image.Image.Digest);
        await using (var client = RegistryBench.For(bench.Server))
            await client.Client.PushManifestAsync(
                bench.Named("acme/shop").ReferenceTo(tag),
                MemoryBlobSource.Create(MediaTypes.OciManifest, image.Image.Manifest.Content.ToArray()),
                Cancel
            );
        bench.Server.Requests.Clear();

        var joined = await bench.PublishAsync(
            new IndexRequest
            {
                From = [bench.Named("acme/shop").ReferenceTo(image.Image.Digest)],
                Placement = AttestationPlacement.Index,
                Destinations = [bench.Named("acme/joined")],
                LocalName = "acme/joined",
                Tags = [Tag.Parse("1.0")],
            }
        );

        // Once for what must be readable before anything is uploaded, and for what is copied.
        var list = hasReferrers ? image.Image.Digest.Value : ReferrersTag.NameOf(image.Image.Digest);
        Assert.Single(bench.Server.Requests, asked => asked is { Method: "GET", Repository: "acme/shop" } && asked.Reference == list);
        Assert.Equal([image.Attached[0].Descriptor.Digest], await ListAsync(bench, image.Image.Digest));
        Assert.Equal([signature.Digest], await ListAsync(bench, image.Attached[0].Descriptor.Digest));
        Assert.Equal([countersignature.Digest], await ListAsync(bench, signature.Digest));
        Assert.Equal(image.Image.Digest.Value, bench.TagDigest("acme/joined", tag.Value));
        Assert.Equal(2, OciJson.ReadIndex(joined.Index.Content.Span).Manifests.Count);
    }

    private static async Task<Descriptor> SignAsync(PublishingBench bench, Descriptor subject)
    {
        await using var writer = RegistryBench.For(bench.Server);
        var (client, repository) = (writer.Client, bench.Named("acme/shop"));
        var signature = SignaturePayload.Attach(subject, SigstoreBundle.SignaturePredicate, "{}"u8.ToArray());
        foreach (var blob in signature.Blobs)
            await client.PushBlobAsync(repository, blob, Cancel);
        var manifest = signature.Manifest;
        await client.PushManifestAsync(repository.ReferenceTo(manifest.Descriptor.Digest), manifest, Cancel);
        await new ReferrersWriter(client, repository).AttachAsync(
            subject.Digest,
            [ReferrerEntry.Create(manifest)],
            ReferrersSupport.Unknown,
            Cancel
        );
        return manifest.Descriptor;
    }

    private static async Task<IReadOnlyList<Digest>> ListAsync(PublishingBench bench, Digest subject, string repository = "acme/joined")
    {
        await using var reader = RegistryBench.For(bench.Server);
        var listed = await ReferrersTag.ListAllAsync(reader.Client, bench.Named(repository), subject, Cancel);
        return [.. listed.Select(one => one.Digest)];
    }

    [Fact]
    public async Task InTheStoreItIsAttachedToo()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Attested(bench, "1.0", "latest") with { Destinations = [] };

        var result = await bench.PublishAsync(request);
        await bench.PublishAsync(request);

        var store = bench.Store();
        Assert.Single(await store.ListAttachmentsAsync(result.Image.Digest, Cancel));
        Assert.Equal(["acme/shop:1.0", "acme/shop:latest"], (await store.ListAsync(Cancel)).Select(image => image.Name));
        var image = (await store.LoadAsync("acme/shop:1.0", Cancel))!;
        Assert.Equal(result.Attached[0].Descriptor.Digest, Assert.Single(image.Attachments).Manifest.Descriptor.Digest);
        // An archive has the image alone: a second entry in its list would keep other tools from reading it.
        Assert.DoesNotContain(image.Blobs, blob => blob.Descriptor.Digest == result.Attached[0].Descriptor.Digest);
        // A layout of another tool's, which marks attachments by their subject alone.
        var archive = await ImageArchive.OpenAsync(store.Folder, Cancel);
        Assert.Single(archive.Images);
    }

    [Fact]
    public async Task APlanWritesNothing()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);

        var plan = await bench.PlanAsync(Attested(bench, "1.0"));

        Assert.Single(plan.Result.Attached);
        Assert.Empty(bench.Server.Content.Tags("acme/shop"));
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.UploadPut));
    }

    [Fact]
    public async Task EveryDestinationHasItsOwn()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var request = Attested(bench, "1.0") with { Destinations = [bench.Named("acme/shop"), bench.Named("prod/shop")] };

        var result = await bench.PublishAsync(request);

        var attached = Assert.Single(result.Attached).Descriptor.Digest;
        foreach (var name in (string[])["acme/shop", "prod/shop"])
            Assert.Equal(attached, Assert.Single(await FindAsync(bench, result.Image.Digest, name)).Attachment.Descriptor.Digest);
        var statement = await StatementAsync(bench, result.Attached[0]);
        Assert.Contains("acme/shop", statement, StringComparison.Ordinal);
        Assert.Contains("prod/shop", statement, StringComparison.Ordinal);
    }

    private static PublishRequest Attested(PublishingBench bench, params string[] tags) =>
        Attested(bench, AttestationPlacement.Referrers, tags);

    private static PublishRequest OfRun(PublishingBench bench, string run, string tag)
    {
        var request = Attested(bench, tag);
        var facts = request.Attestations!.Provenance! with { Run = new BuildRun { Invocation = $"https://ci.example.test/runs/{run}" } };
        return request with { Attestations = request.Attestations with { Provenance = facts } };
    }

    private static PublishRequest Attested(PublishingBench bench, AttestationPlacement placement, params string[] tags) =>
        bench.Request(tags) with
        {
            Attestations = new AttestationRequest(placement)
            {
                Provenance = PublishingBench.Facts with { Run = new BuildRun { Invocation = "https://ci.example.test/runs/1" } },
            },
        };

    private static async Task<IReadOnlyList<(AttachmentInfo Attachment, ProvenanceSummary? Provenance)>> FindAsync(
        PublishingBench bench,
        Digest image,
        string repository = "acme/shop"
    )
    {
        await using var fresh = RegistryBench.For(bench.Server);
        var content = await new ImageOpener(fresh.Client, bench.Store("reader")).OpenAsync(
            new RegistryImage(bench.Named(repository).ReferenceTo(image)),
            Cancel
        );
        var reader = new AttestationReader(content);
        var found = new List<(AttachmentInfo, ProvenanceSummary?)>();
        foreach (var attachment in await reader.ListAsync(Cancel))
            found.Add((attachment, await reader.ReadProvenanceAsync(attachment, Cancel)));
        return found;
    }

    private static Task<string> StatementAsync(PublishingBench bench, AttachmentInfo attachment)
    {
        var manifest = OciJson.ReadManifest(bench.Server.Content.Manifest("acme/shop", attachment.Descriptor.Digest.Value)!.Bytes.Span);
        var statement = bench.Server.Content.Blob("acme/shop", manifest.Layers[0].Digest.Value)!;
        using var _ = JsonDocument.Parse(statement);
        return Task.FromResult(Encoding.UTF8.GetString(statement));
    }
}

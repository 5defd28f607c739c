using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>What is attached to an image is somebody else's: it counts only for what it is.</summary>
public sealed class AttestationReaderTests
{
    private const string Repository = "acme/shop";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ProvenanceIsReadInShort(bool hasReferrers)
    {
        await using var bench = await StartAsync(hasReferrers);
        var image = Seed(bench);
        var facts = PublishingBench.Facts with
        {
            Source = new SourceCommit("https://git.example.test/shop", "refs/heads/main", new string('a', 40)),
            Run = new BuildRun { Invocation = "https://ci.example.test/runs/1" },
        };
        Attach(bench, image, ProvenanceComposer.Compose(image.Digest, ["shop"], new ProvenanceInputs(facts, [], true)));

        var (attachment, provenance) = Assert.Single(await ReadAsync(bench));

        Assert.Equal([AttachmentTypes.Provenance], attachment.Types);
        Assert.Equal(
            new ProvenanceSummary(
                "https://ci.example.test/runner/1",
                "https://ci.example.test/runs/1",
                "git+https://git.example.test/shop@refs/heads/main",
                new string('a', 40)
            )
            {
                Tool = "1.0",
            },
            provenance
        );
    }

    [Fact]
    [ReliabilityCase("Attachments", "a list that contains an image, or an attachment of another image", "it does not count as attached")]
    public async Task WhatIsAttachedToSomethingElseDoesNotCount()
    {
        await using var bench = await StartAsync(hasReferrers: false);
        var image = Seed(bench);
        var other = bench.Server.SeedImage(Repository, "other", "arm64");
        var theirs = Attach(bench, DescriptorOf(other), StatementOf(Digest.Parse(other.Digest)));
        List(bench, image, DescriptorOf(other), theirs, image);

        Assert.Empty(await ReadAsync(bench));
    }

    [Theory]
    [InlineData("", "malformed")]
    [InlineData("[]", "malformed")]
    [InlineData("{\"predicateType\":\"https://slsa.dev/provenance/v1\"}", "malformed")]
    [InlineData("{\"predicateType\":\"https://spdx.dev/Document\",\"subject\":[]}", "another type")]
    [InlineData("{\"predicateType\":\"https://slsa.dev/provenance/v1\",\"subject\":[{\"digest\":{\"sha256\":\"00\"}}]}", "another image")]
    [ReliabilityCase(
        "Attachments",
        "a statement that is not JSON, has another type than its manifest says, or is about another image",
        "IMG4018, which names the attachment"
    )]
    public async Task AStatementThatIsSomethingElseIsRefused(string statement, string reason)
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = Seed(bench);
        Attach(bench, image, Provenance(statement));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentInvalid, () => ReadAsync(bench));

        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStatementThatIsNestedTooDeeplyIsRefused()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = Seed(bench);
        var deep = new string('[', 5000) + new string(']', 5000);
        Attach(bench, image, Provenance(deep));

        await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentInvalid, () => ReadAsync(bench));
    }

    [Fact]
    [ReliabilityCase("Attachments", "a statement of more than 16 MiB", "IMG4018, and none of it is read")]
    public async Task AStatementThatIsTooLargeIsNotRead()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = Seed(bench);
        var layer = new Descriptor(AttachmentTypes.InToto, Digest.Compute("huge"u8), Statement.MaxSize + 1L);
        Attach(bench, image, new Statement(AttachmentTypes.Provenance, new MemoryBlobSource(layer, "huge"u8.ToArray())));

        await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentInvalid, () => ReadAsync(bench));

        Assert.Equal(0, bench.Server.Requests.CountOf(RegistryStep.BlobGet));
    }

    [Fact]
    [ReliabilityCase("Attachments", "the content of a statement differs from its digest", "an error with a code, and none of it is shown")]
    public async Task AStatementWithAnotherContentIsRefused()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = Seed(bench);
        Attach(bench, image, StatementOf(image.Digest, AttachmentTypes.Provenance));
        bench.Server.Faults.Add(new Fault(RegistryStep.BlobGet, FaultAction.CorruptResponse(10)) { Times = Fault.Always });

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => ReadAsync(bench));

        Assert.Contains(failure.Code.Id, (string[])["IMG4005", "IMG4018"]);
    }

    [Fact]
    [ReliabilityCase("Attachments", "thousands of attachments of one image", "IMG4018 after a thousand")]
    public async Task ThousandsAreTooMany()
    {
        await using var bench = await StartAsync(hasReferrers: true);
        var image = Seed(bench);
        for (var number = 0; number < 1001; number++)
            Attach(bench, image, StatementOf(image.Digest, $"https://example.test/{number}"));

        await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentInvalid, () => ReadAsync(bench));
    }

    [Fact]
    public async Task AnEntryOfTheIndexCountsForTheImageThatItNames()
    {
        await using var bench = await StartAsync(hasReferrers: false);
        var image = Seed(bench);
        var attached = Attach(bench, image, StatementOf(image.Digest));
        var wrong = Attach(bench, image, StatementOf(image.Digest, "https://example.test/wrong"));
        // Nothing lists them but the index.
        List(bench, image);
        Descriptor[] entries =
        [
            image with
            {
                Platform = new Platform("linux", "amd64"),
            },
            AttachedManifest.IndexEntry(attached, image.Digest),
            // It is about the image, and the index says otherwise.
            AttachedManifest.IndexEntry(wrong, Digest.Compute("other"u8)),
        ];
        bench.Server.Content.PutManifest(
            Repository,
            "v1",
            OciJson.Write(new ImageIndex(entries) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );

        var (attachment, _) = Assert.Single(await ReadAsync(bench));

        Assert.Equal((attached.Digest, image.Digest), (attachment.Descriptor.Digest, attachment.Subject));
    }

    private static async Task<CommandBench> StartAsync(bool hasReferrers)
    {
        var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.Referrers = hasReferrers;
        return bench;
    }

    private static Descriptor Seed(CommandBench bench) => DescriptorOf(bench.Server.SeedImage(Repository, "v1"));

    private static Descriptor DescriptorOf(SeededImage image) => new(image.MediaType, Digest.Parse(image.Digest), image.Manifest.Length);

    private static Statement StatementOf(Digest image, string type = "https://example.test/claim") =>
        Statement.Create(type, image, ["shop"], json => json.WriteBooleanValue(true));

    private static Statement Provenance(string text) =>
        new(AttachmentTypes.Provenance, MemoryBlobSource.Create(AttachmentTypes.InToto, Encoding.UTF8.GetBytes(text)));

    // As anybody may do it, without a client.
    private static Descriptor Attach(CommandBench bench, Descriptor subject, Statement statement)
    {
        var attachment = AttachedManifest.CreateAttestation(subject, [statement]);
        foreach (var blob in attachment.Blobs)
            bench.Server.Content.PutBlob(Repository, ((MemoryBlobSource)blob).Content.Span);
        bench.Server.Content.PutManifest(Repository, null, attachment.Manifest.Content.Span, MediaTypes.OciManifest);
        if (!bench.Server.Options.Content.Referrers)
            List(bench, subject, ReferrerEntry.Create(attachment.Manifest));
        return attachment.Manifest.Descriptor;
    }

    private static void List(CommandBench bench, Descriptor subject, params Descriptor[] entries) =>
        bench.Server.Content.PutManifest(
            Repository,
            ReferrersTag.NameOf(subject.Digest),
            OciJson.Write(new ImageIndex(entries) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );

    private static async Task<IReadOnlyList<(AttachmentInfo Attachment, ProvenanceSummary? Provenance)>> ReadAsync(CommandBench bench)
    {
        var sources = new ImageOpener(bench.Client, bench.Kept.Store);
        var reader = new AttestationReader(await sources.OpenAsync(CommandBench.At(bench.Server, $"{Repository}:v1"), Cancel));
        var found = new List<(AttachmentInfo, ProvenanceSummary?)>();
        foreach (var attachment in await reader.ListAsync(Cancel))
            found.Add((attachment, await reader.ReadProvenanceAsync(attachment, Cancel)));
        return found;
    }
}

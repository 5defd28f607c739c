using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>What is attached is found, whatever the registry has for that, and whoever attaches at the same time.</summary>
public sealed class ReferrersWriterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Dialects =>
        [.. RegistryDialects.All.Select(dialect => dialect.Name).Where(name => name != RegistryDialects.GitLab.Name)];

    [Theory]
    [MemberData(nameof(Dialects))]
    [ReliabilityCase(
        "Attachments",
        "each dialect, with and without the referrers API, or with an endpoint that redirects to another host or does not know "
            + "the request",
        "the attestation is listed as attached to the image"
    )]
    public async Task AnAttachmentIsListedByEveryRegistry(string name)
    {
        var dialect = RegistryDialects.Named(name);
        await using var bench = await RegistryBench.StartAsync(dialect.Configure);
        bench.Credential = Credential.Create(dialect.User, dialect.Password);
        var repository = bench.Named(dialect.Repository);
        var subject = await PushImageAsync(bench, repository);

        var attached = await AttachAsync(bench, repository, subject, "provenance");

        Assert.Contains(await ListAsync(bench, repository, subject.Digest), one => one.Digest == attached);
        // It was not waited for, as it would be for a limit of requests.
        Assert.Empty(bench.Log.Warnings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "16 jobs on different machines attach to one image at once, to a registry with the referrers API and to one without",
        "all 16 are listed; without the API, jobs did overwrite each other's list in between"
    )]
    public async Task SixteenJobsAtOnceLoseNothing(bool hasReferrers)
    {
        await using var first = await RegistryBench.StartAsync(options => options.Content.Referrers = hasReferrers);
        var subject = await PushImageAsync(first, first.Repository);
        // As far away as a registry is: a list is read, and written a moment later.
        first.Fail(RegistryStep.ManifestGet, FaultAction.Delay(TimeSpan.FromMilliseconds(20)), times: Fault.Always);
        using var start = new Barrier(16);

        var attached = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(number =>
                    Task.Factory.StartNew(
                            async () =>
                            {
                                await using var job = RegistryBench.For(first.Server);
                                job.Time = TimeProvider.System;
                                var manifest = await PushAttachmentAsync(job, job.Repository, subject, $"statement {number}");
                                await AttachAsync(job, job.Repository, subject, manifest, start);
                                return manifest.Manifest.Descriptor.Digest;
                            },
                            Cancel,
                            TaskCreationOptions.LongRunning,
                            TaskScheduler.Default
                        )
                        .Unwrap()
                )
        );

        var listed = await ListAsync(first, first.Repository, subject.Digest);
        Assert.Equal(attached.Order(Comparer), listed.Select(one => one.Digest).Order(Comparer));
        Assert.All(listed, one => Assert.Equal(AttachmentTypes.Attestation, one.ArtifactType));
        var lists = first.Server.Requests.Count(request =>
            request.Method == "PUT" && request.Path.EndsWith(ReferrersTag.NameOf(subject.Digest), StringComparison.Ordinal)
        );
        Assert.True(hasReferrers ? lists == 0 : lists > 16, $"The list was written {lists} times.");
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a registry that always answers the referrers request with an empty list",
        "the attachment is listed at the tag"
    )]
    public async Task AnEmptyListIsNoProof()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.Referrers = false);
        bench.Fail(
            RegistryStep.Referrers,
            FaultAction.Bytes(200, OciJson.Write(new ImageIndex([]) { MediaType = MediaTypes.OciIndex }), MediaTypes.OciIndex),
            times: Fault.Always
        );
        var subject = await PushImageAsync(bench, bench.Repository);

        var attached = await AttachAsync(bench, bench.Repository, subject, "provenance");

        Assert.Contains(TagOf(bench, subject)!, one => one.Digest == attached);
    }

    [Fact]
    [ReliabilityCase("Attachments", "a registry that answers OCI-Subject but has no referrers API", "the attachment is listed at the tag")]
    public async Task AnAcknowledgedSubjectIsNoProof()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.Referrers = false);
        bench.Fail(RegistryStep.ManifestPut, FaultAction.SetHeader("OCI-Subject", "sha256:" + new string('0', 64)), times: Fault.Always);
        var subject = await PushImageAsync(bench, bench.Repository);

        var attached = await AttachAsync(bench, bench.Repository, subject, "provenance");

        Assert.Contains(TagOf(bench, subject)!, one => one.Digest == attached);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a registry that lists an attachment only a moment later",
        "the publish waits for it; no tag is written"
    )]
    public async Task ARegistryMayNeedAMomentToList()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.Referrers,
            FaultAction.Bytes(200, OciJson.Write(new ImageIndex([]) { MediaType = MediaTypes.OciIndex }), MediaTypes.OciIndex),
            times: 2
        );
        var subject = await PushImageAsync(bench, bench.Repository);

        await AttachAsync(bench, bench.Repository, subject, "provenance");

        Assert.Null(TagOf(bench, subject));
        Assert.Equal(3, bench.CountOf(RegistryStep.Referrers));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "the tag for the list is an image, for one platform or for several",
        "IMG4017, and the tag is unchanged"
    )]
    public async Task AnImageThatIsTaggedLikeAListStays(bool hasPlatforms)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.Referrers = false);
        var subject = await PushImageAsync(bench, bench.Repository);
        var tag = ReferrersTag.NameOf(subject.Digest);
        var theirs = hasPlatforms
            ? bench.Server.SeedIndex(bench.Repository.Name, tag)
            : bench.Server.SeedImage(bench.Repository.Name, tag).Digest;

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentsUnlisted, () =>
            AttachAsync(bench, bench.Repository, subject, "provenance")
        );

        Assert.Equal(theirs, bench.Server.Content.Tags(bench.Repository.Name)[tag]);
        Assert.Contains("ImageAttestations to Index", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "GitLab, where the tag for the list of attachments is the image itself",
        "IMG4017, which says what to do"
    )]
    public async Task ATagThatMeansTheImageListsNothing()
    {
        var dialect = RegistryDialects.GitLab;
        await using var bench = await RegistryBench.StartAsync(dialect.Configure);
        bench.Credential = Credential.Create(dialect.User, dialect.Password);
        var repository = bench.Named(dialect.Repository);
        var subject = await PushImageAsync(bench, repository);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.AttachmentsUnlisted, () =>
            AttachAsync(bench, repository, subject, "provenance")
        );

        Assert.Contains("ImageAttestations to Index", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await ReferrersTag.ListAsync(bench.Client, repository, subject.Digest, Cancel));
    }

    [Fact]
    public async Task WhatOthersAttachedStaysAsItIs()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.Referrers = false);
        var subject = await PushImageAsync(bench, bench.Repository);
        // Without artifact type and annotations, and twice, as some clients write it.
        var manifest = (await PushAttachmentAsync(bench, bench.Repository, subject, "theirs")).Manifest;
        await bench.Client.PushManifestAsync(bench.Repository.ReferenceTo(manifest.Descriptor.Digest), manifest, Cancel);
        var theirs = manifest.Descriptor;
        bench.Server.Content.PutManifest(
            bench.Repository.Name,
            ReferrersTag.NameOf(subject.Digest),
            OciJson.Write(new ImageIndex([theirs, theirs]) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );

        var attached = await AttachAsync(bench, bench.Repository, subject, "ours");
        await AttachAsync(bench, bench.Repository, subject, "ours");

        Assert.Equal([theirs.Digest, attached], TagOf(bench, subject)!.Select(one => one.Digest));
    }

    [Fact]
    [ReliabilityCase("Attachments", "a list that contains a deleted attachment", "it is removed from the list; the others stay")]
    public async Task WhatWasDeletedIsLeftOut()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Content.Referrers = false);
        var subject = await PushImageAsync(bench, bench.Repository);
        var kept = await AttachAsync(bench, bench.Repository, subject, "kept");
        var gone = (await PushAttachmentAsync(bench, bench.Repository, subject, "gone")).Manifest.Descriptor;
        var list = TagOf(bench, subject)!;
        bench.Server.Content.PutManifest(
            bench.Repository.Name,
            ReferrersTag.NameOf(subject.Digest),
            OciJson.Write(new ImageIndex([.. list, gone]) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );

        var attached = await AttachAsync(bench, bench.Repository, subject, "ours");

        Assert.Equal([kept, attached], TagOf(bench, subject)!.Select(one => one.Digest));
    }

    [Fact]
    [ReliabilityCase("Attachments", "a list that has reached the size limit of registries", "IMG4009, and the list is unchanged")]
    public async Task AListThatIsFullIsRefused()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Content.Referrers = false;
            options.Content.CheckReferences = false;
        });
        var subject = await PushImageAsync(bench, bench.Repository);
        var tag = ReferrersTag.NameOf(subject.Digest);
        var entries = Enumerable
            .Range(0, 20_000)
            .Select(number => new Descriptor(MediaTypes.OciManifest, Digest.Compute(BitConverter.GetBytes(number)), 1))
            .ToList();
        var size = OciJson.Write(new ImageIndex(entries) { MediaType = MediaTypes.OciIndex }).Length;
        var list = new ImageIndex(entries)
        {
            MediaType = MediaTypes.OciIndex,
            Annotations = new Dictionary<string, string> { ["a"] = new string('x', OciJson.MaxManifestSize - size - 60) },
        };
        var digest = bench.Server.Content.PutManifest(bench.Repository.Name, tag, OciJson.Write(list), MediaTypes.OciIndex);

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () => AttachAsync(bench, bench.Repository, subject, "provenance"));

        Assert.Equal(digest, bench.Server.Content.Tags(bench.Repository.Name)[tag]);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(412)]
    [ReliabilityCase(
        "Attachments",
        "a registry without the API whose tags can't be moved",
        "the first list is written; the second fails with a code"
    )]
    public async Task AListThatMayNotChangeIsRefused(int status)
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Content.Referrers = false;
            options.Content.ImmutableTagStatus = status;
        });
        var subject = await PushImageAsync(bench, bench.Repository);
        var attached = await AttachAsync(bench, bench.Repository, subject, "one");

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => AttachAsync(bench, bench.Repository, subject, "two"));

        Assert.Equal([attached], TagOf(bench, subject)!.Select(one => one.Digest));
    }

    [Fact]
    public void ATagForALongerHashFits()
    {
        var subject = Digest.Parse("sha512:" + new string('a', 128));

        Assert.Equal("sha512-" + new string('a', 64), ReferrersTag.NameOf(subject));
    }

    private static IComparer<Digest> Comparer => Comparer<Digest>.Create((one, other) => string.CompareOrdinal(one.Value, other.Value));

    private static async Task<Descriptor> PushImageAsync(RegistryBench bench, Repository repository)
    {
        var image = new RandomImage(layers: 1);
        await image.PushAsync(bench.Client, repository.ReferenceTo(Tag.Parse("1.0")), Cancel);
        bench.Server.Requests.Clear();
        return image.Manifest.Descriptor;
    }

    private static async Task<AttachedManifest> PushAttachmentAsync(
        RegistryBench bench,
        Repository repository,
        Descriptor subject,
        string text
    )
    {
        var statement = new Statement(
            "https://example.test/" + text,
            MemoryBlobSource.Create(AttachmentTypes.InToto, Encoding.UTF8.GetBytes(text))
        );
        var attachment = AttachedManifest.CreateAttestation(subject, [statement]);
        foreach (var blob in attachment.Blobs)
            await bench.Client.PushBlobAsync(repository, blob, Cancel);
        return attachment;
    }

    private static async Task<Digest> AttachAsync(RegistryBench bench, Repository repository, Descriptor subject, string text)
    {
        var attachment = await PushAttachmentAsync(bench, repository, subject, text);
        await AttachAsync(bench, repository, subject, attachment);
        return attachment.Manifest.Descriptor.Digest;
    }

    private static async Task AttachAsync(
        RegistryBench bench,
        Repository repository,
        Descriptor subject,
        AttachedManifest attachment,
        Barrier? start = null
    )
    {
        var manifest = attachment.Manifest;
        var isAcknowledged = await bench.Client.PushManifestAsync(repository.ReferenceTo(manifest.Descriptor.Digest), manifest, Cancel);
        start?.SignalAndWait(Cancel);
        await new ReferrersWriter(bench.Client, repository).AttachAsync(
            subject.Digest,
            [ReferrerEntry.Create(manifest)],
            isAcknowledged ? ReferrersSupport.Acknowledged : ReferrersSupport.Unknown,
            Cancel
        );
    }

    private static async Task<IReadOnlyList<Descriptor>> ListAsync(RegistryBench bench, Repository repository, Digest subject) =>
        await bench.Client.ListReferrersAsync(repository, subject, Cancel)
        ?? await ReferrersTag.ListAsync(bench.Client, repository, subject, Cancel);

    private static IReadOnlyList<Descriptor>? TagOf(RegistryBench bench, Descriptor subject) =>
        bench.Server.Content.Manifest(bench.Repository.Name, ReferrersTag.NameOf(subject.Digest)) is { } list
            ? OciJson.ReadIndex(list.Bytes.Span).Manifests
            : null;
}

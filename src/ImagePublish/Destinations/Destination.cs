using System.Collections.Concurrent;
using ImagePublish.Attachments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Signing;
using ImagePublish.Trust;

namespace ImagePublish.Destinations;

/// <summary>A repository of a registry or a name in the local store that images are published or copied to: blobs
/// first, then manifests, then tags.</summary>
internal interface IDestination : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Whether a manifest is there only together with everything that it references.</summary>
    bool KeepsImagesWhole { get; }

    /// <summary>Starts to upload a blob: once per blob, and at once, while others are still built.</summary>
    Task<BlobTransfer> UploadAsync(BlobSource blob, bool isNew = false);

    /// <summary>Counts a blob as reused without asking, because a manifest that references it is there.</summary>
    void AssumePresent(Descriptor blob);

    /// <summary>Whether all blobs were there already. A failure is left to whoever waits for the blob.</summary>
    Task<bool> HadAllBlobsAsync();

    /// <summary>Whether one of the blobs that are uploaded is known to have been absent, and with it every manifest that references it, and
    /// what is attached to that. The first one that was ends the wait.</summary>
    Task<bool> LackedAnyAsync(IEnumerable<Digest> blobs);

    Task<bool> HasManifestAsync(Descriptor manifest);

    /// <summary>Reads a manifest or index that may be there; null where it is not.</summary>
    Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest);

    /// <summary>Puts a manifest or index by its digest. Everything that it references is there.</summary>
    Task PutManifestAsync(MemoryBlobSource manifest);

    /// <summary>What is attached to a manifest that is there, as the destination lists it.</summary>
    Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject);

    /// <summary>Makes sure that manifests that are there are found as attachments of another: it returns when they are.</summary>
    Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments);

    /// <summary>The repository that it is; null for the local store.</summary>
    Repository? Repository { get; }

    /// <summary>Cancelled when nothing more is wanted of it.</summary>
    CancellationToken Stop { get; }

    /// <summary>Whether nothing is written, but only measured.</summary>
    bool IsOnlyMeasured { get; }

    /// <summary>Whether images can be signed at a tag of their own.</summary>
    bool HasSignatureTags { get; }

    /// <summary>Finds signatures of a manifest, which are not yet verified.</summary>
    IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted);

    /// <summary>Reads a signature back that was put, as everybody would who finds it.</summary>
    Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature);

    /// <summary>Adds signatures at a manifest's tag for them, where <see cref="HasSignatureTags"/>.</summary>
    Task SignTagAsync(Digest subject, IReadOnlyList<TagSignature> signatures);

    /// <summary>The changes that point tags at a manifest or index that is there.</summary>
    IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags);

    Task<Descriptor?> FindTagAsync(Tag tag);

    /// <summary>Where the image is once it is tagged, and what was uploaded for it.</summary>
    Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags);
}

/// <summary>What all destinations share: they start each blob's upload once, remember what came of it, and cancel what
/// runs when they are disposed.</summary>
internal abstract class Destination(string name, Repository? repository, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly ConcurrentDictionary<Digest, Upload> uploads = new();

    private sealed record Upload(Descriptor Blob, BlobSource? Source, Lazy<Task<BlobTransfer>> Transfer);

    public string Name => name;

    public Repository? Repository => repository;

    public abstract bool KeepsImagesWhole { get; }

    public CancellationToken Stop => stop.Token;

    private IEnumerable<Task<BlobTransfer>> Transfers => uploads.Values.Select(upload => upload.Transfer.Value);

    public Task<BlobTransfer> UploadAsync(BlobSource blob, bool isNew = false) =>
        uploads.GetOrAdd(blob.Descriptor.Digest, Create(blob, isNew)).Transfer.Value;

    public void AssumePresent(Descriptor blob) =>
        uploads.TryAdd(blob.Digest, new Upload(blob, Source: null, new(Task.FromResult(BlobTransfer.Reused))));

    public virtual async Task<bool> HadAllBlobsAsync()
    {
        await foreach (var transfer in Task.WhenEach(Transfers))
        {
            if (!transfer.IsCompletedSuccessfully || (await transfer).Kind != TransferKind.Reused)
                return false;
        }

        return true;
    }

    public async Task<bool> LackedAnyAsync(IEnumerable<Digest> blobs)
    {
        var transfers = blobs.Select(uploads.GetValueOrDefault).OfType<Upload>().Select(upload => upload.Transfer.Value);
        await foreach (var transfer in Task.WhenEach(transfers))
        {
            if (transfer.IsCompletedSuccessfully && (await transfer).WasAbsent)
                return true;
        }

        return false;
    }

    public abstract Task<bool> HasManifestAsync(Descriptor manifest);

    public abstract Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest);

    public abstract Task PutManifestAsync(MemoryBlobSource manifest);

    public abstract Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject);

    public abstract Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments);

    public virtual bool IsOnlyMeasured => false;

    public abstract bool HasSignatureTags { get; }

    public abstract IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted);

    public abstract Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature);

    public virtual Task SignTagAsync(Digest subject, IReadOnlyList<TagSignature> signatures) => Task.CompletedTask;

    public abstract IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags);

    public abstract Task<Descriptor?> FindTagAsync(Tag tag);

    public async Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags)
    {
        var transfers = new Dictionary<Digest, BlobTransfer>();
        var totals = default(TransferTotals);
        foreach (var (digest, upload) in uploads)
        {
            var transfer = await upload.Transfer.Value;
            transfers[digest] = transfer;
            totals += transfer.ToTotals(upload.Blob.Size);
        }

        return new DestinationResult
        {
            Repository = repository,
            Name = name,
            Tags = tags,
            Transfer = totals,
            Blobs = transfers,
        };
    }

    public virtual async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await ((Task)Task.WhenAll(Transfers)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    protected abstract Task<BlobTransfer> TransferAsync(BlobSource blob, bool isNew);

    internal abstract Task<BlobTransfer> MeasureAsync(BlobSource blob, bool isNew);

    /// <summary>Uploads blobs again that the destination confirmed and then lost. Manifests that miss the same one may ask at
    /// once.</summary>
    protected async Task RepeatUploadsAsync(IEnumerable<Digest> lost)
    {
        foreach (var digest in lost)
        {
            // Replaced in one step: whoever comes meanwhile finds an upload to wait for.
            if (uploads.TryGetValue(digest, out var upload) && upload.Source is { } source)
                uploads.TryUpdate(digest, Create(source, isNew: false), upload);
        }

        await BlobTransfer.ConfirmAsync(Transfers);
    }

    private Upload Create(BlobSource blob, bool isNew) =>
        new(blob.Descriptor, blob, new Lazy<Task<BlobTransfer>>(() => Task.Run(() => WatchTransferAsync(blob, isNew), Stop)));

    private Task<BlobTransfer> WatchTransferAsync(BlobSource blob, bool isNew) =>
        Spans.RunAsync(
            "transfer blob",
            () => TransferAsync(blob, isNew),
            span =>
                span.SetTag("imagepublish.destination", Name)
                    .SetTag("imagepublish.blob.digest", blob.Descriptor.Digest.Value)
                    .SetTag("imagepublish.blob.size", blob.Descriptor.Size),
            (span, transfer) =>
                span.SetTag("imagepublish.blob.transfer", transfer.Kind.ToString().ToLowerInvariant())
                    .SetTag("imagepublish.uploaded_bytes", transfer.UploadedBytes)
                    .SetTag("imagepublish.blob.from", transfer.From?.ToString())
        );
}

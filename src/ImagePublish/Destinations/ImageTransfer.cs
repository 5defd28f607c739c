using System.Collections.Concurrent;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>Copies one image, with everything that it references and everything attached to it, to one destination.</summary>
/// <remarks>
/// A document waits for the documents that it references, whoever copies them, and for nothing else: digests can't
/// reference each other in a circle. Attachments are copied beside, since a tag may attach anything to anything, and
/// only the whole copy waits for them.
/// </remarks>
internal sealed class ImageTransfer(IImageContent content, IDestination destination, TagChanges changes, Action<string> keep)
{
    private const int MaxDepth = 8;
    private readonly ConcurrentDictionary<Digest, Lazy<Task>> documents = new();
    private readonly ConcurrentQueue<Task> attaching = new();
    private int attachments;

    public int Attachments => attachments;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await CopyAsync(content.Root, 0, cancellationToken);
        await FinishAttachingAsync();
    }

    /// <summary>Copies what is attached to the image, which is at the destination already, and what is attached to that.</summary>
    public async Task RunAttachmentsAsync(CancellationToken cancellationToken)
    {
        await CopyAttachmentsAsync(content.Root.Descriptor, 0, cancellationToken);
        await FinishAttachingAsync();
    }

    private async Task FinishAttachingAsync()
    {
        // An attachment may have attachments itself: they are in the queue before it is done.
        while (attaching.TryDequeue(out var next))
            await next;
    }

    private Task CopyAsync(MemoryBlobSource document, int depth, CancellationToken cancellationToken) =>
        documents.GetOrAdd(document.Descriptor.Digest, _ => new(() => CopyOnceAsync(document, depth, cancellationToken))).Value;

    private async Task CopyOnceAsync(MemoryBlobSource document, int depth, CancellationToken cancellationToken)
    {
        var descriptor = document.Descriptor;
        if (depth > MaxDepth)
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"{descriptor.Digest} is nested more than {MaxDepth} deep. Choose another image."
            );
        var isThere = destination.KeepsImagesWhole && await destination.HasManifestAsync(descriptor);
        if (MediaTypes.IsIndex(descriptor.MediaType))
            await EachAsync(OciJson.ReadIndex(document.Content.Span).Manifests.DistinctBy(child => child.Digest), child =>
                CopyChildAsync(child, depth, cancellationToken)
            );
        else
            await CopyBlobsAsync(OciJson.ReadManifest(document.Content.Span), isThere);
        if (!isThere)
            await destination.PutManifestAsync(document);
        attaching.Enqueue(CopyAttachmentsAsync(descriptor, depth, cancellationToken));
    }

    private async Task CopyChildAsync(Descriptor child, int depth, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsIndex(child.MediaType) && !MediaTypes.IsManifest(child.MediaType))
        {
            await destination.UploadAsync(content.Blob(child));
            return;
        }

        var document = await content.TryReadAsync(child, cancellationToken) ?? throw Missing(child);
        await CopyAsync(document, depth + 1, cancellationToken);
    }

    private static ImagePublishException Missing(Descriptor child)
    {
        var platform = child.Platform is null ? "" : $" for {child.Platform}";
        return new ImagePublishException(
            DiagnosticCodes.StoreIncomplete,
            $"The image is incomplete at its source: it lacks {child.Digest}{platform}. Publish or copy it again with all platforms."
        );
    }

    private Task CopyBlobsAsync(ImageManifest manifest, bool isThere)
    {
        var own = manifest
            .Layers.Where(layer => !MediaTypes.IsForeign(layer.MediaType))
            .Prepend(manifest.Config)
            .DistinctBy(blob => blob.Digest);
        if (!isThere)
            return EachAsync(own, blob => destination.UploadAsync(content.Blob(blob)));
        // A registry that has a manifest has what it references.
        foreach (var blob in own)
            destination.AssumePresent(blob);
        return Task.CompletedTask;
    }

    private async Task CopyAttachmentsAsync(Descriptor subject, int depth, CancellationToken cancellationToken)
    {
        var bySubject = new List<Descriptor>();
        foreach (var (descriptor, tag) in await content.AttachmentsAsync(subject.Digest, cancellationToken))
        {
            if (await content.TryReadAsync(descriptor, cancellationToken) is not { } document)
                continue;
            // A list may name what is attached to something else, or to nothing.
            if (tag is null ? ReferrerEntry.SubjectOf(document) != subject.Digest : await HasOwnAsync(tag, descriptor))
                continue;
            await CopyAsync(document, depth + 1, cancellationToken);
            Interlocked.Increment(ref attachments);
            if (tag is null)
                bySubject.Add(ReferrerEntry.Create(document));
            else
                await changes.MakeAsync(destination.CreateTagChanges(document, [tag]), cancellationToken);
        }

        if (bySubject.Count > 0)
            await destination.AttachAsync(subject, bySubject);
    }

    // One tag has all signatures of cosign's: another's must not replace those that were made here.
    private async Task<bool> HasOwnAsync(Tag tag, Descriptor signature)
    {
        if (await destination.FindTagAsync(tag) is not { } own || own.Digest == signature.Digest)
            return false;
        keep($"{destination.Name}:{tag} stays as it is ({own.Digest}): it has signatures or attestations of its own.");
        return true;
    }

    // The first failure ends the wait.
    private static async Task EachAsync(IEnumerable<Descriptor> descriptors, Func<Descriptor, Task> copy)
    {
        await foreach (var finished in Task.WhenEach(descriptors.Select(copy)))
            await finished;
    }
}

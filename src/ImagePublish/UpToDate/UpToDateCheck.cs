using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.UpToDate;

/// <summary>The result of a check.</summary>
/// <param name="Unchanged">The image of the last publish, if this one would make the same and put it where it is; otherwise null.</param>
/// <param name="LocalBase">A base image on this machine, if the check read one: it need not be read again.</param>
internal sealed record UpToDateResult(PublishedImage? Unchanged, BaseImage? LocalBase);

/// <summary>An image that was published.</summary>
/// <param name="Root">What tags point at.</param>
/// <param name="Attached">What was confirmed to be attached to it.</param>
internal sealed record PublishedImage(
    Image Image,
    IReadOnlyList<string> LayerNames,
    MemoryBlobSource Root,
    IReadOnlyList<AttachmentInfo> Attached
);

/// <summary>
/// Remembers what the last publish of the same request made on this machine: where neither files nor base image nor tags changed since,
/// there is nothing to do.
/// </summary>
/// <remarks>
/// It only saves work. The record counts where the files have the same contents, the base's tag still points at the same digest, and the
/// registry reports that every tag points at the image; where anything differs, the image is made as if there were no record.
/// </remarks>
internal sealed class UpToDateCheck(ImageStore store, RegistryDocuments documents, DestinationFactory destinations)
{
    private const string Kind = "publishes";

    private const int FirstLayerName = 5;

    private sealed record Record(Digest Files, Digest? Sources, Digest Image, IReadOnlyList<string> LayerNames)
    {
        public required Digest Root { get; init; }

        public required string Attached { get; init; }
    }

    private sealed record RemoteState(bool IsCurrent, BaseImage? LocalBase);

    public async Task<UpToDateResult> FindAsync(PublishRequest request, PublishedFiles files, TaskScope tasks)
    {
        var unknown = new UpToDateResult(null, null);
        if (!IsKnowable(request) || await ReadAsync(request, tasks.Token) is not { } last)
            return unknown;
        // Side by side: setting up the first connection takes as long as reading the files.
        var checking = tasks.Run(token => CheckRemoteAsync(request, last, token));
        var isUnchanged = await files.ComputeFingerprintAsync() == last.Files;
        // The files have changed: what registries say is not waited for. What their answers say of the base, the publish gets as well.
        if (!isUnchanged && request.Base is RegistryImage or ScratchImage)
            return unknown;
        await ((Task)checking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What failed is reported by the publish, which does the same.
        if (!checking.IsCompletedSuccessfully)
            return unknown;
        var remote = await checking;
        var image =
            remote.IsCurrent && isUnchanged ? await documents.FindStoredImageAsync(last.Image, request.Destinations[0], tasks.Token) : null;
        return new UpToDateResult(image is null ? null : await ReadAsync(image, last, tasks.Token), remote.LocalBase);
    }

    private async Task<PublishedImage?> ReadAsync(Image image, Record last, CancellationToken cancellationToken)
    {
        var root = last.Root == image.Digest ? image.Manifest : await documents.FindStoredAsync(last.Root, cancellationToken);
        return root is not null && image.Layers.Count == last.LayerNames.Count
            ? new PublishedImage(image, last.LayerNames, root, AttachmentInfo.ParseList(last.Attached, image.Digest))
            : null;
    }

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public async Task RememberAsync(
        PublishRequest request,
        PublishedFiles files,
        ResolvedImages images,
        PublishedImage published,
        CancellationToken cancellationToken
    )
    {
        if (!IsKnowable(request) || await files.ComputeFingerprintAsync() is not { } fingerprint || !files.AreUnmodified())
            return;
        var sources = Combine(
            DigestOf(request.Base, images.Original),
            request.OtherImages.Sources.Select(source => DigestOf(source, images.Others[source]))
        );
        string[] lines =
        [
            fingerprint.Value,
            sources?.Value ?? "",
            published.Image.Digest.Value,
            published.Root.Descriptor.Digest.Value,
            AttachmentInfo.FormatList(published.Attached),
            .. published.LayerNames,
        ];
        var record = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        await store.Records.WriteAsync(Kind, RequestFingerprint.Compute(request), record, cancellationToken);
    }

    // Packages that are not locked are not known without asking; and for the local store checking costs as much as writing.
    private static bool IsKnowable(PublishRequest request) =>
        request is { Destinations.Count: > 0, Packages: null or { Locked: not null } };

    private async Task<RemoteState> CheckRemoteAsync(PublishRequest request, Record last, CancellationToken cancellationToken)
    {
        var checkingTags = destinations.AreUpToDateAsync(request.Destinations, request.TagsFor(last.Root), last.Root, cancellationToken);
        var findingBase = FindAsync(request.Base, request.Spec.Platform, cancellationToken);
        var findingOthers = Task.WhenAll(
            request.OtherImages.Sources.Select(source => FindAsync(source, request.Spec.Platform, cancellationToken))
        );
        await Task.WhenAll(checkingTags, findingBase, findingOthers);
        var (digest, localBase) = await findingBase;
        var sources = Combine(digest, (await findingOthers).Select(other => other.Digest));
        return new RemoteState(await checkingTags && sources == last.Sources, localBase);
    }

    private static Digest? DigestOf(ImageSource source, BaseImage image) =>
        source is RegistryImage or ScratchImage ? image.Digest : ContentOf(image);

    private static Digest? Combine(Digest? baseDigest, IEnumerable<Digest?> others)
    {
        Digest?[] all = [baseDigest, .. others];
        if (all.Length == 1)
            return baseDigest;
        using var digest = new DigestBuilder();
        foreach (var one in all)
            digest.Add(one?.Value);
        return digest.ToDigest();
    }

    private async Task<(Digest? Digest, BaseImage? Local)> FindAsync(
        ImageSource source,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        if (source is ScratchImage)
            return (null, null);
        if (source is RegistryImage { Location: var reference, Locked: var locked })
        {
            var pinned = locked ?? reference.Digest;
            return (pinned ?? (await documents.CurrentAsync(reference, cancellationToken))?.Digest, null);
        }

        var image = await new LocalBaseResolver(store).ResolveAsync(source, platform, cancellationToken);
        return (ContentOf(image), image);
    }

    // An index in the store may get further platforms, and keeps its digest: all of the image counts that was chosen.
    private static Digest ContentOf(BaseImage image)
    {
        using var digest = new DigestBuilder();
        digest.Add(image.Name);
        digest.Add(image.Digest?.Value);
        digest.Add((long)image.Format);
        digest.Add(Digest.Compute(OciJson.Write(image.Config)).Value);
        digest.Add([
            .. image.Layers.Select(layer =>
                $"{layer.Descriptor.MediaType} {layer.Descriptor.Digest} {layer.Descriptor.Size} {layer.DiffId}"
            ),
        ]);
        return digest.ToDigest();
    }

    private async Task<Record?> ReadAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        if (await store.Records.ReadAsync(Kind, RequestFingerprint.Compute(request), cancellationToken) is not { } record)
            return null;
        var lines = Encoding.UTF8.GetString(record).Split('\n');
        return
            lines.Length >= FirstLayerName
            && Digest.TryParse(lines[0], out var files)
            && Digest.TryParse(lines[2], out var image)
            && Digest.TryParse(lines[3], out var root)
            ? new Record(files, Digest.TryParse(lines[1], out var sources) ? sources : null, image, lines[FirstLayerName..])
            {
                Root = root,
                Attached = lines[4],
            }
            : null;
    }
}

using System.Text;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.UpToDate;

/// <summary>What the last publish of the same request made on this machine: where neither files nor base image nor tags changed since, there is nothing to do.</summary>
/// <remarks>
/// It only saves work. The record is believed where the files have the same contents, the base's tag still points at the same digest, and the registry says that every
/// tag points at the image; where anything differs, the image is made as if there were no record.
/// </remarks>
internal sealed class UpToDateCheck(ImageStore store, RegistryDocuments documents, DestinationFactory places)
{
    /// <summary>A base image on this machine, if it was looked at: it need not be read again.</summary>
    public BaseImage? KeptBase { get; private set; }

    private const string Kind = "publishes";

    private sealed record Record(Digest Files, Digest? Base, Digest Image, IReadOnlyList<string> LayerNames);

    /// <summary>Finds the image of the last publish, if it is what this one would make and is where this one would put it.</summary>
    public async Task<PublishResult?> FindAsync(PublishRequest request, PublishedFiles files, CancellationToken cancellationToken)
    {
        if (!IsKnowable(request) || await ReadAsync(request, cancellationToken) is not { } last)
            return null;
        // Side by side: setting up the first connection takes as long as reading the files.
        var asking = Task.Run(() => IsCurrentAsync(request, last, cancellationToken), cancellationToken);
        var current = await files.FingerprintAsync();
        await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A registry that can't be asked is asked again on the long way, which tells what is wrong.
        if (current != last.Files || !asking.IsCompletedSuccessfully || !await asking)
            return null;
        return
            await documents.FindStoredImageAsync(last.Image, request.Destinations[0], cancellationToken) is { } image
            && image.Layers.Count == last.LayerNames.Count
            ? new PublishResult(image, DestinationResult.Unchanged(request.Destinations, request.Tags, image.Size))
            {
                IsUnchanged = true,
                LayerNames = last.LayerNames,
            }
            : null;
    }

    /// <summary>Remembers a publish.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public async Task RememberAsync(
        PublishRequest request,
        PublishedFiles files,
        BaseImage baseImage,
        PublishResult result,
        CancellationToken cancellationToken
    )
    {
        if (IsKnowable(request) && await files.FingerprintAsync() is { } fingerprint && files.AreAtRest())
            await store.Records.WriteAsync(
                Kind,
                RequestFingerprint.Compute(request),
                Encoding.UTF8.GetBytes(
                    string.Join(
                        '\n',
                        [
                            fingerprint.Value,
                            (request.Base is RegistryBase or ScratchBase ? baseImage.Digest : ContentOf(baseImage))?.Value ?? "",
                            result.Image.Digest.Value,
                            .. result.LayerNames,
                        ]
                    )
                ),
                cancellationToken
            );
    }

    // What packages that are not locked become is not known without looking; and for the local store looking costs as much as writing.
    private static bool IsKnowable(PublishRequest request) =>
        request is { Destinations.Count: > 0, Packages: null or { Locked: not null } };

    private async Task<bool> IsCurrentAsync(PublishRequest request, Record last, CancellationToken cancellationToken)
    {
        var target = places.AreUpToDateAsync(request.Destinations, request.Tags, last.Image, cancellationToken);
        var isBaseCurrent = await FindBaseAsync(request, cancellationToken) == last.Base;
        return await target && isBaseCurrent;
    }

    private async Task<Digest?> FindBaseAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        if (request.Base is RegistryBase remote)
            return remote.Locked ?? remote.Reference.Digest ?? (await documents.CurrentAsync(remote.Reference, cancellationToken))?.Digest;
        if (request.Base is ScratchBase)
            return null;
        KeptBase = await new LocalBaseResolver(store).ResolveAsync(request.Base, request.Spec.Platform, cancellationToken);
        return ContentOf(KeptBase);
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
        return lines.Length >= 3 && Digest.TryParse(lines[0], out var files) && Digest.TryParse(lines[2], out var image)
            ? new Record(files, Digest.TryParse(lines[1], out var baseImage) ? baseImage : null, image, lines[3..])
            : null;
    }
}

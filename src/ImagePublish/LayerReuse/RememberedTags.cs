using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>The tags of a publish folder's files, as one build hands them to the next in the local store.</summary>
internal sealed class RememberedTags
{
    private const string Kind = "filetags";

    // Those of 300,000 files.
    private const int MaxSize = 16 * 1024 * 1024;

    private readonly ImageStore store;
    private readonly Digest key;

    private RememberedTags(ImageStore store, Digest key, FileFingerprints fingerprints) =>
        (this.store, this.key, Fingerprints) = (store, key, fingerprints);

    public FileFingerprints Fingerprints { get; }

    /// <returns>Null where the processor can't compute tags.</returns>
    public static async Task<RememberedTags?> OpenAsync(ImageStore store, string publishFolder, CancellationToken cancellationToken)
    {
        if (!FileFingerprints.AreSupported)
            return null;
        using var key = new DigestBuilder();
        key.AddThisBuild();
        key.Add(Path.GetFullPath(publishFolder));
        var name = key.ToDigest();
        var table = await store.Records.ReadAsync(Kind, name, cancellationToken, MaxSize) is { } record ? FileTagTable.Parse(record) : null;
        var contentKey = new LayerCache(store).DeriveContentTagKey(FileFingerprints.KeySize);
        return new RememberedTags(store, name, new FileFingerprints(contentKey, table, store.Disk.Now));
    }

    /// <summary>Hands on what was computed. Nothing depends on it: where the disk refuses, the next build reads the files again.</summary>
    public async Task HandOnAsync(CancellationToken cancellationToken)
    {
        if (Fingerprints.Remember() is not { Bytes: { Length: <= MaxSize } bytes })
            return;
        try
        {
            await store.Records.WriteAsync(Kind, key, bytes, cancellationToken, MaxSize);
        }
        catch (ImagePublishException)
        {
            // A full disk, or a store that may only be read.
        }
    }
}

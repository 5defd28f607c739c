using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>A blob of a registry that is downloaded into the local store once, by whoever opens it first.</summary>
internal sealed class KeptBlobSource(BlobSource blob, ImageStore store, IPublishLog log) : BlobSource(blob.Descriptor)
{
    private readonly SingleFlight<Digest, FileBlobSource> download = new();

    public override Repository? Repository => blob.Repository;

    public override bool IsRemote => true;

    public override string Location => blob.Location;

    public override async ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        var kept = await download.RunAsync(Descriptor.Digest, stop => LoggedBlobSource.PutAsync(store, blob, log, stop), cancellationToken);
        return await kept.OpenAsync(offset, cancellationToken);
    }

    internal override ImagePublishException? WrongContent() => blob.WrongContent();
}

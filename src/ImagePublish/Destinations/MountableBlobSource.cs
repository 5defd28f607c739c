using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>A blob whose bytes are in one place and that a repository of the target's registry is known to have: it is mounted from there, or else sent.</summary>
internal sealed class MountableBlobSource(BlobSource blob, Repository place) : BlobSource(blob.Descriptor)
{
    public override Repository? Repository => place;

    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        blob.OpenAsync(offset, cancellationToken);

    internal override ImagePublishException? WrongContent() => blob.WrongContent();
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>A blob whose bytes are in one place and that a repository of the target's registry is known to have: it is mounted from there, or else sent.</summary>
/// <param name="blob">The blob with its bytes.</param>
/// <param name="place">The repository.</param>
internal sealed class PlacedBlobSource(BlobSource blob, Repository place) : BlobSource(blob.Descriptor)
{
    /// <inheritdoc/>
    public override Repository? Repository => place;

    /// <inheritdoc/>
    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) => blob.OpenAsync(offset, cancellationToken);

    internal override ImagePublishException? WrongContent() => blob.WrongContent();
}

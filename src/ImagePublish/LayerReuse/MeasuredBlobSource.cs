using ImagePublish.Oci;

namespace ImagePublish.LayerReuse;

/// <summary>A layer that was built to be measured: its bytes went nowhere.</summary>
internal sealed class MeasuredBlobSource(Descriptor descriptor) : BlobSource(descriptor)
{
    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A plan keeps no layers.");
}

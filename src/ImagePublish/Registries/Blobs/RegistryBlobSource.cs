using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries.Blobs;

/// <summary>A blob in a registry: read when needed, from any offset on.</summary>
/// <param name="connection">The registry.</param>
/// <param name="repository">The repository.</param>
/// <param name="descriptor">The blob.</param>
internal sealed class RegistryBlobSource(RegistryConnection connection, Repository repository, Descriptor descriptor) : BlobSource(descriptor)
{
    public override Repository Repository => repository;

    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) => OpenAsync(offset, verifies: true, cancellationToken);

    /// <summary>Opens the blob's bytes for one who verifies them: they are not hashed twice.</summary>
    public ValueTask<Stream> OpenUnverifiedAsync(long offset, CancellationToken cancellationToken) => OpenAsync(offset, verifies: false, cancellationToken);

    /// <summary>The error for bytes of which the digest is another.</summary>
    public ImagePublishException HasWrongContent() => Mismatch("does not have the content that its digest says");

    /// <summary>The error for a blob that is not what its descriptor says.</summary>
    public ImagePublishException Mismatch(string how) => new(
        DiagnosticCodes.ContentMismatch,
        $"The blob {Descriptor.Digest} of {repository} {how}. The registry, or something on the way, changes it; nothing of it was used.");

    private async ValueTask<Stream> OpenAsync(long offset, bool verifies, CancellationToken cancellationToken)
    {
        await connection.Downloads.WaitAsync(cancellationToken);
        var stream = new RegistryBlobStream(connection, this, offset, verifies);
        try
        {
            await stream.OpenAsync(cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }
}

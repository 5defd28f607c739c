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

    public override async ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        await connection.Downloads.WaitAsync(cancellationToken);
        var stream = new RegistryBlobStream(connection, repository, Descriptor, offset);
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

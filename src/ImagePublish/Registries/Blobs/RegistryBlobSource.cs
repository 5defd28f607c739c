using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Blobs;

/// <summary>A blob in a registry: read when needed, from any offset on.</summary>
internal sealed class RegistryBlobSource(RegistryConnection connection, Repository repository, Descriptor descriptor)
    : BlobSource(descriptor)
{
    public override Repository Repository => repository;

    public override bool IsRemote => true;

    /// <summary>Whether it is a document, such as a config: small, and with a limit on the time that it takes.</summary>
    public bool IsDocument { get; init; }

    internal override ImagePublishException WrongContent() => Mismatch("does not match its digest");

    public ImagePublishException Mismatch(string how) =>
        new(
            DiagnosticCodes.ContentMismatch,
            $"The blob {Descriptor.Digest} of {repository} {how}. The registry or a proxy changed it; it was not used."
        );

    public override async ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        await connection.Downloads.WaitAsync(cancellationToken);
        var stream = new RegistryBlobStream(connection, this, offset);
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

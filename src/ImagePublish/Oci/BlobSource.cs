using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A blob and where its bytes can be had, as often as needed and from any offset on: a push that breaks reads them again.</summary>
/// <param name="descriptor">The blob.</param>
public abstract class BlobSource(Descriptor descriptor)
{
    /// <summary>The blob: media type, digest and size.</summary>
    public Descriptor Descriptor { get; } = descriptor;

    /// <summary>The repository that has it, if one does: another of the same registry can mount it from there.</summary>
    public virtual Repository? Repository => null;

    /// <summary>Opens the blob's bytes. Whoever reads them verifies them, once: no source does.</summary>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bytes from there to the end.</returns>
    public abstract ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken);

    /// <summary>Opens the blob's bytes for a reader that does not verify them itself: whoever has read to the end has read what the descriptor promises.</summary>
    internal async ValueTask<Stream> OpenVerifiedAsync(Func<ImagePublishException> otherwise, CancellationToken cancellationToken) =>
        new VerifyingStream(await OpenAsync(0, cancellationToken), Descriptor, () => WrongContent() ?? otherwise());

    /// <summary>The failure of a reader that finds other bytes than the descriptor promises; null where the source has nothing to say about it.</summary>
    internal virtual ImagePublishException? WrongContent() => null;
}

/// <summary>A blob in a file.</summary>
/// <param name="descriptor">The blob.</param>
/// <param name="path">The file's full path.</param>
public sealed class FileBlobSource(Descriptor descriptor, string path) : BlobSource(descriptor)
{
    /// <summary>The file's full path.</summary>
    public string Path { get; } = path;

    /// <inheritdoc/>
    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        file.Position = offset;
        return ValueTask.FromResult<Stream>(file);
    }
}

/// <summary>A small blob in memory, such as a config.</summary>
/// <param name="descriptor">The blob.</param>
/// <param name="content">Its bytes.</param>
public sealed class MemoryBlobSource(Descriptor descriptor, ReadOnlyMemory<byte> content) : BlobSource(descriptor)
{
    /// <summary>The blob's bytes.</summary>
    public ReadOnlyMemory<byte> Content { get; } = content;

    /// <summary>A blob of these bytes.</summary>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="content">Its bytes.</param>
    /// <returns>The blob.</returns>
    public static MemoryBlobSource Of(string mediaType, ReadOnlyMemory<byte> content) =>
        new(new Descriptor(mediaType, Digest.Of(content.Span), content.Length), content);

    /// <inheritdoc/>
    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Stream>(new MemoryStream(Content[(int)offset..].ToArray(), writable: false));
}

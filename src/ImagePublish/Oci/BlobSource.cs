using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A blob and where its bytes can be had, as often as needed and from any offset on: a push that breaks reads them
/// again.</summary>
internal abstract class BlobSource(Descriptor descriptor)
{
    public Descriptor Descriptor { get; } = descriptor;

    /// <summary>The repository that has it, if one does: another of the same registry can mount it from there.</summary>
    public virtual Repository? Repository => null;

    /// <summary>Whether opening it asks another side, which may ask to wait.</summary>
    public virtual bool IsRemote => false;

    /// <summary>Where its bytes are, for messages.</summary>
    public virtual string Location => $"the blob {Descriptor.Digest}";

    /// <summary>Opens the blob's bytes. Whoever reads them verifies them, once: no source does.</summary>
    public abstract ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken);

    /// <summary>Opens the blob's bytes for a reader that does not verify them itself: whoever has read to the end has read what the
    /// descriptor promises.</summary>
    internal async ValueTask<Stream> OpenVerifiedAsync(Func<ImagePublishException> otherwise, CancellationToken cancellationToken) =>
        new VerifyingStream(await OpenAsync(0, cancellationToken), Descriptor, () => WrongContent() ?? otherwise());

    /// <summary>The failure of a reader that finds other bytes than the descriptor promises; null where the source has nothing to say about
    /// it.</summary>
    internal virtual ImagePublishException? WrongContent() => null;
}

internal sealed class FileBlobSource(Descriptor descriptor, string path) : BlobSource(descriptor)
{
    public string Path { get; } = path;

    public override string Location => Path;

    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        var file = new FileStream(
            Path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read | FileShare.Delete,
            bufferSize: 0,
            FileOptions.Asynchronous | FileOptions.SequentialScan
        );
        file.Position = offset;
        return ValueTask.FromResult<Stream>(file);
    }
}

/// <summary>Whether a repository is asked for a blob before it is uploaded.</summary>
internal enum BlobLookup
{
    Always,

    /// <summary>Not where this machine has seen it there. A registry that has lost it refuses the manifest.</summary>
    Remembered,

    /// <summary>Never: nobody else can have it.</summary>
    Never,
}

/// <summary>A small blob in memory, such as a config.</summary>
internal sealed class MemoryBlobSource(Descriptor descriptor, ReadOnlyMemory<byte> content) : BlobSource(descriptor)
{
    public ReadOnlyMemory<byte> Content { get; } = content;

    /// <summary>Whether a repository is asked for it before it is uploaded.</summary>
    public BlobLookup Lookup { get; init; }

    public MemoryBlobSource With(BlobLookup lookup) => new(Descriptor, Content) { Lookup = lookup };

    public static MemoryBlobSource Create(string mediaType, ReadOnlyMemory<byte> content) =>
        new(new Descriptor(mediaType, Digest.Compute(content.Span), content.Length), content);

    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Stream>(new MemoryStream(Content[(int)offset..].ToArray(), writable: false));
}

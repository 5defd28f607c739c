namespace ImagePublish.Testing;

/// <summary>A blob's bytes, wherever they are.</summary>
internal abstract class BlobData(long size)
{
    public long Size => size;

    /// <summary>False: only digest and size are known.</summary>
    public virtual bool Kept => true;

    /// <summary>A stream from the start; each its own.</summary>
    public abstract Stream Open();

    public virtual void Remove() { }
}

internal sealed class MemoryBlob(byte[] bytes) : BlobData(bytes.Length)
{
    public override Stream Open() => new MemoryStream(bytes, writable: false);
}

internal sealed class FileBlob(string path, long size) : BlobData(size)
{
    public override Stream Open() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public override void Remove() => File.Delete(path);
}

internal sealed class DiscardedBlob(long size) : BlobData(size)
{
    public override bool Kept => false;

    public override Stream Open() => throw new InvalidOperationException("This blob's bytes were discarded.");
}

namespace ImagePublish.Layers;

/// <summary>The bytes of a file in a layer, read when the layer is written and as often as it is.</summary>
/// <param name="Length">Their number. Content that turns out to have another one is an error, never a broken layer.</param>
public abstract record FileContent(long Length)
{
    /// <summary>What messages call this content.</summary>
    public abstract string Source { get; }

    /// <summary>Opens the bytes from their beginning.</summary>
    /// <returns>A stream that the caller disposes.</returns>
    public abstract Stream Open();
}

/// <summary>A file on the build machine.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="Length">Its length in bytes when the entry was made.</param>
public sealed record FileOnDisk(string Path, long Length) : FileContent(Length)
{
    /// <inheritdoc/>
    public override string Source => Path;

    /// <inheritdoc/>
    public override Stream Open() => new FileStream(DiskFiles.Open(Path), FileAccess.Read, bufferSize: 0);
}

/// <summary>A small file made by the build.</summary>
/// <param name="Bytes">Its content.</param>
public sealed record FileInMemory(ReadOnlyMemory<byte> Bytes) : FileContent(Bytes.Length)
{
    /// <inheritdoc/>
    public override string Source => "generated content";

    /// <inheritdoc/>
    public override Stream Open() => new MemoryStream(Bytes.ToArray(), writable: false);
}

namespace ImagePublish.Layers;

/// <summary>The bytes of a file in a layer, read when the layer is written and as often as it is.</summary>
/// <param name="Length">The number of bytes. Content that turns out to have another is an error, never a broken layer.</param>
internal abstract record FileContent(long Length)
{
    public abstract string Source { get; }

    public abstract Stream Open();
}

/// <summary>A file on the build machine.</summary>
internal sealed record FileOnDisk(string Path, long Length) : FileContent(Length)
{
    public override string Source => Path;

    public override Stream Open() => new FileStream(DiskFiles.Open(Path), FileAccess.Read, bufferSize: 0);
}

/// <summary>A small file made by the build.</summary>
internal sealed record FileInMemory(ReadOnlyMemory<byte> Bytes) : FileContent(Bytes.Length)
{
    public override string Source => "generated content";

    public override Stream Open() => new MemoryStream(Bytes.ToArray(), writable: false);
}

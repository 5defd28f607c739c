using ImagePublish.Oci;

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

    /// <summary>A file that comes with this package.</summary>
    public static FileInMemory BuiltIn(string name)
    {
        using var resource = typeof(FileInMemory).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return new FileInMemory(bytes);
    }

    public override Stream Open() => new MemoryStream(Bytes.ToArray(), writable: false);
}

/// <summary>A file in a layer of another image, known by the layer's diff id and its position in the layer. Its bytes are read out of the
/// layer once, and only where a new layer is made of them.</summary>
internal sealed record FileInLayer(Digest Layer, int Index, string Path, long Length) : FileContent(Length)
{
    public required ILayerFiles Files { get; init; }

    /// <summary>The beginning of the SHA-256 of its content, as <see cref="LayerEntryInfo.Fingerprint"/> has it.</summary>
    public ulong Fingerprint { get; init; }

    public override string Source => Path;

    public override Stream Open() => Files.Open(this);
}

/// <summary>The files of other images' layers.</summary>
internal interface ILayerFiles
{
    /// <summary>Reads files out of their layers, each layer once: afterwards they can be opened.</summary>
    Task FetchAsync(IReadOnlyCollection<FileInLayer> files, CancellationToken cancellationToken);

    Stream Open(FileInLayer file);
}

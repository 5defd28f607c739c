using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>Writes a layer's tar into blocks. Contents go from the file system straight into the block.</summary>
internal static class TarProducer
{
    /// <summary>Tars end at a multiple of 20 blocks, as GNU tar writes them.</summary>
    private const int RecordSize = 20 * TarHeaders.BlockSize;

    public static void Write(LayerInput content, BlockWriter output, CancellationToken cancellationToken)
    {
        foreach (var entry in content.Entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LayerTarHeaders.Write(entry, output);
            if (entry.Content is not { } file)
            {
                output.Hasher?.Skip();
                continue;
            }

            output.Hasher?.Begin();
            WriteContent(file, output);
            output.Hasher?.End();
            output.PadTo(TarHeaders.BlockSize);
        }

        output.WriteZeros(2 * TarHeaders.BlockSize);
        output.PadTo(RecordSize);
        output.Complete();
    }

    private static void WriteContent(FileContent content, BlockWriter output)
    {
        switch (content)
        {
            case FileInMemory memory:
                output.Write(memory.Bytes.Span);
                break;
            case FileOnDisk disk:
                WriteFile(disk, output);
                break;
            default:
                WriteStream(content, output);
                break;
        }
    }

    /// <summary>The header has promised a length, so a file that shrinks or grows meanwhile would break the tar; one that is rewritten
    /// would be half old, half new.</summary>
    private static void WriteFile(FileOnDisk file, BlockWriter output)
    {
        using var handle = DiskFiles.Open(file.Path);
        var modified = File.GetLastWriteTimeUtc(handle);
        for (long offset = 0; offset < file.Length; )
        {
            var free = output.Free;
            var read = DiskFiles.Read(handle, file.Path, free[..(int)Math.Min(free.Length, file.Length - offset)], offset);
            if (read == 0)
                throw DiskFiles.Changed(file.Path, $"became shorter (from {file.Length} to {offset} bytes)");
            output.Advance(read);
            offset += read;
        }

        Span<byte> more = stackalloc byte[1];
        if (DiskFiles.Read(handle, file.Path, more, file.Length) != 0)
            throw DiskFiles.Changed(file.Path, $"became longer (than {file.Length} bytes)");
        if (File.GetLastWriteTimeUtc(handle) != modified)
            throw DiskFiles.Changed(file.Path, "was written to");
    }

    private static void WriteStream(FileContent content, BlockWriter output)
    {
        using var stream = content.Open();
        for (var left = content.Length; left > 0; )
        {
            var free = output.Free;
            var read = stream.Read(free[..(int)Math.Min(free.Length, left)]);
            if (read == 0)
                throw DiskFiles.Changed(content.Source, $"became shorter (than {content.Length} bytes)");
            output.Advance(read);
            left -= read;
        }

        if (stream.ReadByte() >= 0)
            throw DiskFiles.Changed(content.Source, $"became longer (than {content.Length} bytes)");
    }
}

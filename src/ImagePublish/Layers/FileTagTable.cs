namespace ImagePublish.Layers;

/// <summary>The tag of a file's content.</summary>
/// <param name="Tag">Its <see cref="Size"/> bytes.</param>
/// <param name="Stamp">The stamp that the file had before it was read.</param>
internal sealed record FileTag(byte[] Tag, FileKind Kind, FileStamp Stamp)
{
    public const int Size = 16;
}

/// <summary>The tags of files that an earlier build read. A file with the same stamp need not be read again.</summary>
/// <remarks>It is one sequence of bytes, and searched as it is: stamp, tag and kind of each file, ordered by stamp.</remarks>
internal sealed class FileTagTable
{
    private const int EntrySize = FileStamp.Size + FileTag.Size + 1;

    private readonly byte[] entries;

    private FileTagTable(byte[] entries) => this.entries = entries;

    public static FileTagTable Empty { get; } = new([]);

    public ReadOnlyMemory<byte> Bytes => entries;

    /// <returns>The table, or the empty one if the bytes are none.</returns>
    public static FileTagTable Parse(byte[] bytes) => bytes.Length % EntrySize == 0 ? new FileTagTable(bytes) : Empty;

    /// <summary>A table of those tags whose stamps last.</summary>
    public static FileTagTable Create(IEnumerable<FileTag> tags)
    {
        var ordered = tags.Where(tag => tag.Stamp.IsLasting).ToArray();
        Array.Sort(ordered, (left, right) => left.Stamp.Bytes.SequenceCompareTo(right.Stamp.Bytes));
        var entries = new byte[ordered.Length * EntrySize];
        for (var index = 0; index < ordered.Length; index++)
        {
            var entry = entries.AsSpan(index * EntrySize, EntrySize);
            ordered[index].Stamp.Bytes.CopyTo(entry);
            ordered[index].Tag.CopyTo(entry[FileStamp.Size..]);
            entry[^1] = (byte)ordered[index].Kind;
        }

        return new FileTagTable(entries);
    }

    public FileTag? Find(FileStamp stamp)
    {
        var (first, end) = (0, entries.Length / EntrySize);
        while (first < end)
        {
            var middle = first + ((end - first) / 2);
            var entry = entries.AsSpan(middle * EntrySize, EntrySize);
            var order = entry[..FileStamp.Size].SequenceCompareTo(stamp.Bytes);
            if (order == 0)
                return new FileTag(entry[FileStamp.Size..^1].ToArray(), (FileKind)entry[^1], stamp);
            (first, end) = order < 0 ? (middle + 1, end) : (first, middle);
        }

        return null;
    }
}

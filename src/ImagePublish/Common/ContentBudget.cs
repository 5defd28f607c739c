using System.Globalization;
using System.Text;

namespace ImagePublish.Common;

/// <summary>How much of foreign content is read and kept: all layers of an image, an archive or the packages of a layer share one. Safe for
/// many readers.</summary>
/// <remarks>
/// What a few hundred bytes can describe has no natural limit: one path may name a hundred thousand folders, one header 700 MB of
/// attributes. So every reader counts here before it keeps anything. The limits are those of Linux where it has some, and else far above
/// what real images have; together they bound the memory that reading takes to about a gigabyte.
/// </remarks>
/// <param name="exceeded">Makes the error; the argument says which limit was exceeded, as a clause with the subject "it".</param>
internal sealed class ContentBudget(Func<string, Exception> exceeded)
{
    /// <summary>PATH_MAX of Linux, without the final NUL: for paths and for the targets of links.</summary>
    public const int MaxPathBytes = 4095;

    public const int MaxPartBytes = 255;

    /// <summary>The most bytes of an extended header of a tar: PAX attributes, or a long name of GNU's.</summary>
    public const int MaxHeaderBytes = 1 << 20;

    // A whiteout names a file that may itself have the longest name.
    private const string WhiteoutPrefix = ".wh.";
    private const int MaxBytesOfCharacter = 3;

    private long entries;
    private long nameBytes;
    private long textBytes;

    /// <summary>The most entries: files, folders, links, and folders that only a path names.</summary>
    public long MaxEntries { get; init; } = 2_000_000;

    public long MaxNameBytes { get; init; } = 128L << 20;

    /// <summary>The most bytes of all content that is kept in memory: lists of packages, documents.</summary>
    public long MaxTextBytes { get; init; } = 64L << 20;

    public void CountEntry(string path)
    {
        CountEntries(1);
        CheckPath(path);
        CountName(path);
    }

    /// <summary>Counts entries without names of their own, such as the layers of a document.</summary>
    public void CountEntries(long count)
    {
        if (Interlocked.Add(ref entries, count) > MaxEntries)
            throw Exceeded($"it has more than {MaxEntries} entries");
    }

    public void CountLink(string target)
    {
        if (BytesOf(target) > MaxPathBytes)
            throw Exceeded($"it has a link with a target of more than {MaxPathBytes} bytes");
        CountName(target);
    }

    public void CountText(long bytes)
    {
        if (Interlocked.Add(ref textBytes, bytes) > MaxTextBytes)
            throw Exceeded($"it has more than {MaxTextBytes >> 20} MiB of documents and lists of packages");
    }

    public void CheckHeader(long bytes)
    {
        if (bytes is < 0 or > MaxHeaderBytes)
            throw Exceeded($"it has a header of more than {MaxHeaderBytes >> 20} MiB");
    }

    private void CountName(string name)
    {
        if (Interlocked.Add(ref nameBytes, BytesOf(name)) > MaxNameBytes)
            throw Exceeded($"the names in it have more than {MaxNameBytes >> 20} MiB");
    }

    private void CheckPath(string path)
    {
        if (path.Length * MaxBytesOfCharacter <= MaxPartBytes)
            return;
        if (BytesOf(path) > MaxPathBytes)
            throw Exceeded($"it has a path of more than {MaxPathBytes} bytes");
        foreach (var part in path.AsSpan().Split('/'))
            CheckPart(path.AsSpan(part));
    }

    private void CheckPart(ReadOnlySpan<char> part)
    {
        if (part.Length * MaxBytesOfCharacter <= MaxPartBytes)
            return;
        if (part.StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
            part = part[WhiteoutPrefix.Length..];
        if (BytesOf(part) > MaxPartBytes)
            throw Exceeded($"it has a name of more than {MaxPartBytes} bytes");
    }

    // A byte that is not UTF-8 was read as a replacement character, which has three.
    private static long BytesOf(ReadOnlySpan<char> name) => Encoding.UTF8.GetByteCount(name) - (2L * name.Count('\uFFFD'));

    private Exception Exceeded(FormattableString how) => exceeded(how.ToString(CultureInfo.InvariantCulture));
}

using System.Formats.Tar;

namespace ImagePublish.Common;

/// <summary>Reads the entries of a foreign tar within a budget. Content is read from the entry's stream, until the next entry is asked
/// for.</summary>
/// <remarks>
/// <para>Damage is an <see cref="InvalidDataException"/>, whatever the framework's reader throws.</para>
/// <para>
/// The framework reads, although SharpZipLib writes: SharpZipLib's <c>TarInputStream</c> (1.4.2) cuts link targets at 100 bytes, in PAX
/// and in GNU tars, reads user ids above 2097151 as others, takes the size of a PAX file above 8 GiB for 0 and then its content for
/// headers, skips sparse files without a word, and takes four times as long.
/// </para>
/// <para>
/// The framework's reader takes extended headers into memory whole, however large they say they are. So its stream is watched: it knows
/// where each header begins, and refuses one that announces too much before the reader allocates anything for it.
/// </para>
/// </remarks>
internal sealed class BudgetedTarReader : IAsyncDisposable, IDisposable
{
    private readonly HeaderWatch watch;
    private readonly TarReader reader;
    private readonly ContentBudget budget;

    /// <summary>A reader; the stream is left open. One that can seek is only read where there are headers.</summary>
    public BudgetedTarReader(Stream tar, ContentBudget budget)
    {
        this.budget = budget;
        watch = new HeaderWatch(tar, budget);
        reader = new TarReader(watch, leaveOpen: true);
    }

    /// <summary>The next entry, or null at the end.</summary>
    public async ValueTask<TarEntry?> NextAsync(CancellationToken cancellationToken)
    {
        TarEntry? entry;
        try
        {
            entry = await reader.GetNextEntryAsync(copyData: false, cancellationToken);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw new InvalidDataException(exception.Message, exception);
        }

        return Count(entry);
    }

    /// <summary>The next entry, or null at the end.</summary>
    public TarEntry? Next()
    {
        TarEntry? entry;
        try
        {
            entry = reader.GetNextEntry(copyData: false);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw new InvalidDataException(exception.Message, exception);
        }

        return Count(entry);
    }

    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        await watch.DisposeAsync();
    }

    public void Dispose()
    {
        reader.Dispose();
        watch.Dispose();
    }

    // Besides the documented ones, the reader lets out what its own calls throw for numbers and names that no tar should have. Only its
    // call is in the filter: such exceptions anywhere else are our own errors.
    private static bool IsDamage(Exception exception) =>
        exception
            is EndOfStreamException
                or FormatException
                or ArgumentException
                or OverflowException
                or NotSupportedException
                or OutOfMemoryException;

    private TarEntry? Count(TarEntry? entry)
    {
        if (entry is null)
            return null;
        watch.ExpectHeaderAfter(entry);
        budget.CountEntry(entry.Name);
        if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            budget.CountLink(entry.LinkName);
        return entry;
    }

    /// <summary>
    /// A tar's bytes as they are; the headers among them are looked at. Where a tar ends with its last file, as a layer of <c>umoci
    /// insert</c> does, the padding and the two empty blocks are supplied: Go's reader, which the engines use, does without.
    /// </summary>
    private sealed class HeaderWatch(Stream tar, ContentBudget budget) : Stream
    {
        private const int BlockSize = 512;
        private const int EndLength = 2 * BlockSize;
        private const int SizeOffset = 124;
        private const int SizeLength = 12;
        private const int TypeOffset = 156;
        private const byte BinarySize = 0x80;

        private readonly byte[] header = new byte[BlockSize];
        private long taken;
        private long contentEnd = long.MaxValue;
        private long? missing;
        private long headerStart = tar.CanSeek ? tar.Position : 0;
        private int headerLength;

        public override bool CanRead => true;

        public override bool CanSeek => tar.CanSeek;

        public override bool CanWrite => false;

        public override long Length => tar.Length;

        public override long Position
        {
            get => tar.CanSeek ? tar.Position : taken;
            set => tar.Position = value;
        }

        /// <summary>After an entry, a stream that can seek is behind its content, and any other before it.</summary>
        public void ExpectHeaderAfter(TarEntry entry)
        {
            var content = CanSeek || entry.DataStream is null ? 0 : entry.Length;
            var isPossible = content < long.MaxValue - Position - BlockSize;
            contentEnd = isPossible ? Position + content : long.MaxValue;
            headerStart = isPossible ? Position + Padded(content) : long.MaxValue;
            headerLength = 0;
        }

        public override int Read(Span<byte> buffer)
        {
            var start = Position;
            var count = tar.Read(buffer);
            if (count == 0)
                count = Complete(buffer);
            taken += count;
            Look(start, buffer[..count]);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var start = Position;
            var count = await tar.ReadAsync(buffer, cancellationToken);
            if (count == 0)
                count = Complete(buffer.Span);
            taken += count;
            Look(start, buffer.Span[..count]);
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => tar.Seek(offset, origin);

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static long Padded(long length) => (length + BlockSize - 1) / BlockSize * BlockSize;

        // At the end of the stream: within a header or a file nothing is supplied.
        private int Complete(Span<byte> buffer)
        {
            if (buffer.IsEmpty || (missing is null && (Position < contentEnd || Position > headerStart)))
                return 0;
            missing ??= headerStart - Position + EndLength;
            var supplied = buffer[..(int)Math.Min(buffer.Length, missing.Value)];
            supplied.Clear();
            missing -= supplied.Length;
            return supplied.Length;
        }

        private void Look(long start, ReadOnlySpan<byte> bytes)
        {
            var next = headerStart + headerLength;
            if (start > next || start + bytes.Length <= next || headerLength == BlockSize)
                return;
            var part = bytes[(int)(next - start)..];
            part = part[..Math.Min(part.Length, BlockSize - headerLength)];
            part.CopyTo(header.AsSpan(headerLength));
            headerLength += part.Length;
            if (headerLength == BlockSize && header[TypeOffset] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K')
                Check(SizeOf(header.AsSpan(SizeOffset, SizeLength)));
        }

        // The content of an extended header is followed by the next header.
        private void Check(long size)
        {
            budget.CheckHeader(size);
            headerStart += BlockSize + Padded(size);
            headerLength = 0;
            contentEnd = long.MaxValue;
        }

        // Octal digits between blanks and NULs, or a number of several bytes where the first bit is set.
        private static long SizeOf(ReadOnlySpan<byte> field)
        {
            if (field[0] >= BinarySize)
                return field[..^sizeof(int)] is [BinarySize, .. var high] && high.IndexOfAnyExcept((byte)0) < 0
                    ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(field[^sizeof(int)..])
                    : long.MaxValue;
            var size = 0L;
            foreach (var digit in field.Trim(" \0"u8))
            {
                if (digit is < (byte)'0' or > (byte)'7')
                    break;
                size = (size * 8) + (digit - (byte)'0');
            }

            return size;
        }
    }
}

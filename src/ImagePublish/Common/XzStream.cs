using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace ImagePublish.Common;

/// <summary>The content of an xz file, as Debian's packages are compressed.</summary>
/// <remarks>
/// <para>
/// Written here because no small, maintained decoder in managed code is published: SharpCompress is 2.5 MB, the others wrap a native
/// library or are abandoned.
/// </para>
/// <para>
/// The container: <see href="https://tukaani.org/xz/xz-file-format.txt">the .xz file format 1.2.1</see>. Its content is read by
/// <see cref="Lzma2Decoder"/>.
/// </para>
/// <para>
/// Everything is verified: all headers, the content by the check that the file has, and the index against the blocks. Damage is an
/// <see cref="InvalidDataException"/>, a file that ends too soon an <see cref="EndOfStreamException"/>. Filters other than LZMA2 (for
/// executables, which packages do not use) and dictionaries above 64 MiB, those of <c>xz -9</c>, are refused. Memory grows with the content
/// up to 1.25 times the dictionary, whatever the header announces.
/// </para>
/// <code>
/// Stream:  stream header → Block,  end of the file → End
/// Block:   block header → Chunk,  index and footer → Stream
/// Chunk:   chunk → Chunk,  end of the block → Block
/// </code>
/// </remarks>
internal sealed class XzStream(Stream source) : ReadOnlyStream
{
    public const int MaxDictionary = 64 << 20;

    private const int StreamHeaderSize = 12;
    private const int MaxBlockHeaderSize = 1024;
    private const int Alignment = 4;
    private const int CrcSize = 4;
    private const byte Lzma2FilterId = 0x21;

    private readonly XzInput input = new(source);
    private readonly Lzma2Decoder decoder = new();
    private readonly BlockList blocks = new();
    private readonly byte[] header = new byte[MaxBlockHeaderSize];

    private State state;
    private bool isFirstStream = true;
    private byte checkKind;
    private ContentCheck check = ContentCheck.None;
    private ReadOnlyMemory<byte> decoded;

    // Of the current block: where it and its data begin, and what its header announces.
    private long blockStart;
    private long dataStart;
    private long blockLength;
    private ulong? announcedSize;
    private ulong? announcedLength;

    private enum State
    {
        Stream,
        Block,
        Chunk,
        End,
    }

    // Decoding keeps the processor busy and the source is a file: there is nothing to wait for.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        while (decoded.IsEmpty && state != State.End)
            Advance();
        var count = Math.Min(decoded.Length, buffer.Length);
        decoded.Span[..count].CopyTo(buffer);
        decoded = decoded[count..];
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            source.Dispose();
            check.Dispose();
        }

        base.Dispose(disposing);
    }

    internal static InvalidDataException Damaged(string why) => new($"its xz data is damaged: {why}");

    private void Advance()
    {
        switch (state)
        {
            case State.Stream:
                state = ReadStreamHeader() ? State.Block : State.End;
                break;
            case State.Block when ReadBlockHeader():
                state = State.Chunk;
                break;
            case State.Block:
                ReadIndexAndFooter();
                state = State.Stream;
                break;
            case State.Chunk:
                decoded = decoder.ReadChunk(input);
                blockLength += decoded.Length;
                check.Add(decoded.Span);
                if (decoder.IsAtEnd)
                {
                    FinishBlock();
                    state = State.Block;
                }

                break;
        }
    }

    // Streams may follow each other, with zeros in between (section 2.2).
    private bool ReadStreamHeader()
    {
        var bytes = header.AsSpan(0, StreamHeaderSize);
        do
        {
            var read = input.ReadUpTo(bytes[..Alignment]);
            if (read == 0 && !isFirstStream)
                return false;
            if (read < Alignment)
                throw new EndOfStreamException("its xz data is cut short");
        } while (!isFirstStream && bytes[..Alignment].IndexOfAnyExcept((byte)0) < 0);

        input.Read(bytes[Alignment..]);
        if (!bytes.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
            throw Damaged("it does not begin with the header of xz");
        CheckCrc(bytes[6..8], bytes[8..]);
        if (bytes[6] != 0 || bytes[7] > 15)
            throw new InvalidDataException("its xz data has an unknown format");
        isFirstStream = false;
        checkKind = bytes[7];
        return true;
    }

    private bool ReadBlockHeader()
    {
        blockStart = input.Position;
        input.Read(header.AsSpan(0, 1));
        if (header[0] == 0)
            return false;
        var size = (header[0] + 1) * Alignment;
        input.Read(header.AsSpan(1, size - 1));
        CheckCrc(header.AsSpan(0, size - CrcSize), header.AsSpan(size - CrcSize, CrcSize));

        var fields = new XzInput(new MemoryStream(header, 2, size - CrcSize - 2));
        var flags = header[1];
        if ((flags & 0b0011_1111) != 0)
            throw new InvalidDataException("its xz data has more filters than LZMA2, which are not supported");
        announcedSize = (flags & 0x40) != 0 ? fields.ReadNumber() : null;
        announcedLength = (flags & 0x80) != 0 ? fields.ReadNumber() : null;
        if (fields.ReadNumber() != Lzma2FilterId || fields.ReadNumber() != 1)
            throw new InvalidDataException("its xz data has a filter other than LZMA2, which is not supported");
        decoder.Start(DictionarySize(fields.ReadByte()));
        check.Dispose();
        check = ContentCheck.Create(checkKind);
        dataStart = input.Position;
        blockLength = 0;
        return true;
    }

    // Two bits of mantissa and five of exponent (section 5.3.1).
    private static int DictionarySize(byte code)
    {
        var size = code <= 36 ? (2 | (code & 1)) << ((code / 2) + 11) : int.MaxValue;
        return size is > 0 and <= MaxDictionary
            ? size
            : throw new InvalidDataException($"its xz data needs a dictionary of more than {MaxDictionary >> 20} MiB");
    }

    private void FinishBlock()
    {
        var dataSize = input.Position - dataStart;
        if ((announcedSize ?? (ulong)dataSize) != (ulong)dataSize || (announcedLength ?? (ulong)blockLength) != (ulong)blockLength)
            throw Damaged("a block has another size than its header says");
        ReadPadding(dataSize);
        Span<byte> expected = stackalloc byte[ContentCheck.MaxSize];
        expected = expected[..ContentCheck.SizeOf(checkKind)];
        input.Read(expected);
        if (!check.Matches(expected))
            throw Damaged("its content differs from its check");
        blocks.Add((ulong)(input.Position - blockStart - Padding(dataSize)), (ulong)blockLength);
    }

    private void ReadIndexAndFooter()
    {
        input.BeginCrc();
        var count = input.ReadNumber();
        var listed = new BlockList();
        for (ulong block = 0; block < count; block++)
            listed.Add(input.ReadNumber(), input.ReadNumber());
        if (!listed.Equals(blocks))
            throw Damaged("its index differs from its blocks");
        ReadPadding(input.Position - blockStart);
        var crc = input.EndCrc();
        var footer = header.AsSpan(0, CrcSize + StreamHeaderSize);
        input.Read(footer);
        if (crc != BinaryPrimitives.ReadUInt32LittleEndian(footer))
            throw Damaged("the checksum of its index is wrong");
        var indexSize = input.Position - StreamHeaderSize - blockStart;
        footer = footer[CrcSize..];
        CheckCrc(footer[4..10], footer[..4]);
        var announced = (BinaryPrimitives.ReadUInt32LittleEndian(footer[4..]) + 1L) * Alignment;
        if (announced != indexSize || footer[8] != 0 || footer[9] != checkKind || !footer.EndsWith("YZ"u8))
            throw Damaged("its end does not fit its beginning");
        blocks.Clear();
    }

    private void ReadPadding(long size)
    {
        for (var left = Padding(size); left > 0; left--)
        {
            if (input.ReadByte() != 0)
                throw Damaged("its padding is not zero");
        }
    }

    private static int Padding(long size) => (int)(-size & (Alignment - 1));

    private static void CheckCrc(ReadOnlySpan<byte> content, ReadOnlySpan<byte> crc)
    {
        if (Crc32.HashToUInt32(content) != BinaryPrimitives.ReadUInt32LittleEndian(crc))
            throw Damaged("the checksum of a header is wrong");
    }

    /// <summary>The sizes of all blocks, as a hash: a file may have very many.</summary>
    private sealed class BlockList
    {
        private readonly XxHash128 sizes = new();
        private ulong count;

        public void Add(ulong unpaddedSize, ulong length)
        {
            Span<byte> record = stackalloc byte[2 * sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(record, unpaddedSize);
            BinaryPrimitives.WriteUInt64LittleEndian(record[sizeof(ulong)..], length);
            sizes.Append(record);
            count++;
        }

        public bool Equals(BlockList other) =>
            count == other.count && sizes.GetCurrentHashAsUInt128() == other.sizes.GetCurrentHashAsUInt128();

        public void Clear()
        {
            sizes.Reset();
            count = 0;
        }
    }

    /// <summary>What a block's content is verified with (section 2.1.1.2): nothing, CRC-32, CRC-64 or SHA-256.</summary>
    private abstract class ContentCheck : IDisposable
    {
        public const int MaxSize = 64;

        public static ContentCheck None { get; } = new NoCheck();

        public static ContentCheck Create(byte kind) =>
            kind switch
            {
                0 => None,
                1 => new CrcCheck(new Crc32()),
                4 => new CrcCheck(new XzCrc64()),
                10 => new Sha256Check(),
                _ => throw new InvalidDataException($"its xz data has a check of the unknown kind {kind}"),
            };

        public static int SizeOf(byte kind) =>
            kind switch
            {
                0 => 0,
                1 => 4,
                4 => 8,
                _ => SHA256.HashSizeInBytes,
            };

        public abstract void Add(ReadOnlySpan<byte> content);

        public abstract bool Matches(ReadOnlySpan<byte> expected);

        public virtual void Dispose() { }

        private sealed class NoCheck : ContentCheck
        {
            public override void Add(ReadOnlySpan<byte> content) { }

            public override bool Matches(ReadOnlySpan<byte> expected) => true;
        }

        private sealed class CrcCheck(NonCryptographicHashAlgorithm crc) : ContentCheck
        {
            public override void Add(ReadOnlySpan<byte> content) => crc.Append(content);

            public override bool Matches(ReadOnlySpan<byte> expected) => expected.SequenceEqual(crc.GetCurrentHash());
        }

        private sealed class Sha256Check : ContentCheck
        {
            private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

            public override void Add(ReadOnlySpan<byte> content) => hash.AppendData(content);

            public override bool Matches(ReadOnlySpan<byte> expected) => expected.SequenceEqual(hash.GetCurrentHash());

            public override void Dispose()
            {
                hash.Dispose();
                base.Dispose();
            }
        }
    }

    /// <summary>CRC-64 with the bits of ECMA-182 reversed; the framework's has them the other way round.</summary>
    private sealed class XzCrc64() : NonCryptographicHashAlgorithm(sizeof(ulong))
    {
        private const ulong Polynomial = 0xC96C5795D7870F42;

        // Eight tables, so that eight bytes take one step.
        private static readonly ulong[][] Tables = CreateTables();

        private ulong state = ulong.MaxValue;

        public override void Append(ReadOnlySpan<byte> source)
        {
            var crc = state;
            for (; source.Length >= sizeof(ulong); source = source[sizeof(ulong)..])
            {
                crc ^= BinaryPrimitives.ReadUInt64LittleEndian(source);
                ulong next = 0;
                for (var at = 0; at < sizeof(ulong); at++)
                    next ^= Tables[sizeof(ulong) - 1 - at][(byte)(crc >> (8 * at))];
                crc = next;
            }

            foreach (var value in source)
                crc = Tables[0][(byte)crc ^ value] ^ (crc >> 8);
            state = crc;
        }

        public override void Reset() => state = ulong.MaxValue;

        protected override void GetCurrentHashCore(Span<byte> destination) => BinaryPrimitives.WriteUInt64LittleEndian(destination, ~state);

        private static ulong[][] CreateTables()
        {
            var tables = new ulong[sizeof(ulong)][];
            for (var table = 0; table < tables.Length; table++)
            {
                tables[table] = new ulong[256];
                for (var value = 0; value < 256; value++)
                    tables[table][value] = table == 0 ? OfByte((ulong)value) : Shift(tables[0], tables[table - 1][value]);
            }

            return tables;
        }

        private static ulong OfByte(ulong value)
        {
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ Polynomial : value >> 1;
            return value;
        }

        private static ulong Shift(ulong[] table, ulong crc) => table[(byte)crc] ^ (crc >> 8);
    }
}

/// <summary>The compressed bytes, counted; those of the index are hashed.</summary>
internal sealed class XzInput(Stream source)
{
    private const int MaxNumberBytes = 9;

    private readonly byte[] one = new byte[1];
    private Crc32? crc;

    public long Position { get; private set; }

    public void Read(Span<byte> buffer)
    {
        if (ReadUpTo(buffer) < buffer.Length)
            throw new EndOfStreamException("its xz data is cut short");
    }

    public int ReadUpTo(Span<byte> buffer)
    {
        var read = source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        Position += read;
        crc?.Append(buffer[..read]);
        return read;
    }

    public byte ReadByte()
    {
        Read(one);
        return one[0];
    }

    /// <summary>A number of up to 63 bits, seven in each byte (section 1.2).</summary>
    public ulong ReadNumber()
    {
        ulong number = 0;
        for (var count = 0; count < MaxNumberBytes; count++)
        {
            var part = ReadByte();
            number |= (ulong)(part & 0x7F) << (7 * count);
            if (part < 0x80)
                return part == 0 && count > 0 ? throw XzStream.Damaged("a number in it has a needless byte") : number;
        }

        throw XzStream.Damaged("a number in it is too long");
    }

    // The zero that the index begins with was read already.
    public void BeginCrc()
    {
        crc = new Crc32();
        crc.Append([0]);
    }

    public uint EndCrc()
    {
        var hash = crc!.GetCurrentHashAsUInt32();
        crc = null;
        return hash;
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace ImagePublish.Common;

/// <summary>The content of an xz file, as Debian's packages are compressed.</summary>
/// <remarks>
/// <para>
/// Written here because no small, maintained decoder in managed code is published: SharpCompress is 2.5 MB, the others wrap a native
/// library or are abandoned.
/// </para>
/// <para>
/// The container: <see href="https://tukaani.org/xz/xz-file-format.txt">the .xz file format 1.2.1</see>. LZMA2, which has no specification
/// of its own, as <see href="https://github.com/torvalds/linux/blob/master/lib/xz/xz_dec_lzma2.c">the kernel's decoder</see> reads it.
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

    private readonly Input input = new(source);
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

    private static InvalidDataException Damaged(string why) => new($"its xz data is damaged: {why}");

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
            throw Damaged("it does not begin as xz does");
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

        var fields = new Input(new MemoryStream(header, 2, size - CrcSize - 2));
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

    /// <summary>The compressed bytes, counted; those of the index are hashed.</summary>
    private sealed class Input(Stream source)
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
                    return part == 0 && count > 0 ? throw Damaged("a number in it has a needless byte") : number;
            }

            throw Damaged("a number in it is too long");
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

    /// <summary>Decodes the chunks of LZMA2: up to 2 MiB of content each, stored or compressed with LZMA.</summary>
    private sealed class Lzma2Decoder
    {
        private const int MaxChunkLength = 2 << 20;
        private const int MaxChunkSize = 1 << 16;

        private readonly byte[] compressed = new byte[MaxChunkSize + RangeDecoder.Lookahead];
        private readonly byte[] chunkHeader = new byte[5];
        private readonly Window window = new();
        private readonly LzmaDecoder lzma = new();
        private bool needsDictionaryReset;
        private bool needsProperties;
        private bool needsStateReset;

        public bool IsAtEnd { get; private set; }

        public void Start(int dictionarySize)
        {
            window.SetDictionarySize(dictionarySize);
            (needsDictionaryReset, needsProperties, needsStateReset, IsAtEnd) = (true, true, true, false);
        }

        /// <summary>Decodes the next chunk. Its content is valid until the next call.</summary>
        public ReadOnlyMemory<byte> ReadChunk(Input input)
        {
            var control = input.ReadByte();
            if (control == 0)
            {
                IsAtEnd = true;
                return default;
            }

            // 1 and everything from 0xE0 on: the dictionary is reset, as it must be in the first chunk.
            if (control is 1 or >= 0xE0)
            {
                window.Clear();
                needsDictionaryReset = false;
            }
            else if (needsDictionaryReset)
            {
                throw Damaged("it does not begin with an empty dictionary");
            }

            return control switch
            {
                1 or 2 => ReadStored(input),
                >= 0x80 => ReadCompressed(input, control),
                _ => throw Damaged("a chunk is of an unknown kind"),
            };
        }

        private ReadOnlyMemory<byte> ReadStored(Input input)
        {
            input.Read(chunkHeader.AsSpan(0, 2));
            var length = BinaryPrimitives.ReadUInt16BigEndian(chunkHeader) + 1;
            var start = window.Reserve(length);
            input.Read(window.Bytes.AsSpan(start, length));
            window.Position += length;
            return window.Bytes.AsMemory(start, length);
        }

        private ReadOnlyMemory<byte> ReadCompressed(Input input, byte control)
        {
            input.Read(chunkHeader.AsSpan(0, 4));
            var length = ((control & 0x1F) << 16) + BinaryPrimitives.ReadUInt16BigEndian(chunkHeader) + 1;
            var size = BinaryPrimitives.ReadUInt16BigEndian(chunkHeader.AsSpan(2)) + 1;
            System.Diagnostics.Debug.Assert(length <= MaxChunkLength && size <= MaxChunkSize);
            ResetDecoder(input, resets: (control >> 5) & 3);
            input.Read(compressed.AsSpan(0, size));
            compressed.AsSpan(size, RangeDecoder.Lookahead).Clear();
            var start = window.Reserve(length);
            lzma.Decode(compressed.AsSpan(0, size + RangeDecoder.Lookahead), window, length);
            return window.Bytes.AsMemory(start, length);
        }

        // 0: nothing; 1: the state; 2 and 3: the state with new properties.
        private void ResetDecoder(Input input, int resets)
        {
            if (resets >= 2)
            {
                lzma.SetProperties(input.ReadByte());
                needsProperties = false;
            }

            if (needsProperties || (resets == 0 && needsStateReset))
                throw Damaged("a chunk needs a state that no chunk before it has set");
            if (resets == 0)
                return;
            lzma.ResetState();
            needsStateReset = false;
        }
    }

    /// <summary>The last content that was decoded, at least as much as the dictionary has: matches repeat it.</summary>
    private sealed class Window
    {
        // It moves by a multiple of 16, since LZMA's contexts depend on the position modulo 16.
        private const int PositionMask = 15;
        private const int FirstSize = 256 << 10;
        private const int LeastSlack = 2 << 20;

        private int maxSize;

        public byte[] Bytes { get; private set; } = [];

        public int DictionarySize { get; private set; }

        public int Position { get; set; }

        public void SetDictionarySize(int size)
        {
            DictionarySize = size;
            maxSize = size + Math.Max(LeastSlack, size / 4) + PositionMask + 1;
        }

        public void Clear() => Position = 0;

        /// <summary>Reserves space for more content, and returns where it begins.</summary>
        public int Reserve(int length)
        {
            if (Position + length <= Bytes.Length)
                return Position;
            if (Position + length > maxSize)
            {
                var moved = (Position - DictionarySize) & ~PositionMask;
                Bytes.AsSpan(moved, Position - moved).CopyTo(Bytes);
                Position -= moved;
            }

            if (Position + length > Bytes.Length)
            {
                var bytes = new byte[Math.Min(maxSize, Math.Max(Math.Max(FirstSize, Position + length), Bytes.Length * 2))];
                Bytes.AsSpan(0, Position).CopyTo(bytes);
                Bytes = bytes;
            }

            return Position;
        }
    }

    /// <summary>LZMA: literals, matches with a new distance, and matches with one of the last four, each bit by its probability in its
    /// context.</summary>
    private sealed class LzmaDecoder
    {
        private const int States = 12;
        private const int FirstNonLiteralState = 7;
        private const int MaxPositionStates = 16;
        private const int LiteralContexts = 0x300;
        private const int MinMatchLength = 2;
        private const int DistanceStates = 4;
        private const int SlotBits = 6;
        private const int AlignBits = 4;
        private const int FirstModelledSlot = 4;
        private const int FirstDirectSlot = 14;

        private readonly ushort[] isMatch = new ushort[States * MaxPositionStates];
        private readonly ushort[] isRepeated = new ushort[States];
        private readonly ushort[] isNotLast = new ushort[States];
        private readonly ushort[] isNotSecond = new ushort[States];
        private readonly ushort[] isNotThird = new ushort[States];
        private readonly ushort[] isLongLast = new ushort[States * MaxPositionStates];
        private readonly ushort[] slots = new ushort[DistanceStates << SlotBits];
        private readonly ushort[] distanceBits = new ushort[1 << (FirstDirectSlot / 2)];
        private readonly ushort[] alignBits = new ushort[1 << AlignBits];
        private readonly ushort[] literals = new ushort[LiteralContexts << 4];
        private readonly LengthDecoder matchLength = new();
        private readonly LengthDecoder repeatedLength = new();

        private int literalContextBits;
        private int literalPositionMask;
        private int positionMask;
        private int state;
        private uint distance;
        private uint second;
        private uint third;
        private uint fourth;

        public void SetProperties(byte properties)
        {
            var (literalContext, rest) = (properties % 9, properties / 9);
            var (literalPosition, position) = (rest % 5, rest / 5);
            if (position > 4 || literalContext + literalPosition > 4)
                throw Damaged("its LZMA properties are not valid");
            literalContextBits = literalContext;
            literalPositionMask = (1 << literalPosition) - 1;
            positionMask = (1 << position) - 1;
        }

        public void ResetState()
        {
            state = 0;
            distance = second = third = fourth = 0;
            ushort[][] all =
            [
                isMatch,
                isRepeated,
                isNotLast,
                isNotSecond,
                isNotThird,
                isLongLast,
                slots,
                distanceBits,
                alignBits,
                literals,
                .. matchLength.Probabilities,
                .. repeatedLength.Probabilities,
            ];
            foreach (var probabilities in all)
                probabilities.AsSpan().Fill(RangeDecoder.Even);
        }

        public void Decode(ReadOnlySpan<byte> compressed, Window window, int length)
        {
            var range = new RangeDecoder(compressed);
            var bytes = window.Bytes;
            var position = window.Position;
            var end = position + length;
            while (position < end)
            {
                range.CheckInput();
                var positionState = position & positionMask;
                if (range.Bit(ref isMatch[(state * MaxPositionStates) + positionState]) == 0)
                {
                    bytes[position] = DecodeLiteral(ref range, bytes, position);
                    position++;
                    continue;
                }

                var count = DecodeMatch(ref range, positionState);
                if (distance >= (uint)Math.Min(position, window.DictionarySize) || count > end - position)
                    throw Damaged("a match leads out of its content");
                Repeat(bytes, position, (int)distance + 1, count);
                position += count;
            }

            window.Position = end;
            range.Finish();
        }

        // A repeated match may overlap what it writes: a distance of 1 repeats one byte.
        private static void Repeat(byte[] bytes, int position, int distance, int count)
        {
            if (distance >= count)
            {
                bytes.AsSpan(position - distance, count).CopyTo(bytes.AsSpan(position));
                return;
            }

            for (var at = position; at < position + count; at++)
                bytes[at] = bytes[at - distance];
        }

        private byte DecodeLiteral(ref RangeDecoder range, byte[] bytes, int position)
        {
            var before = position > 0 ? bytes[position - 1] : 0;
            var context = ((position & literalPositionMask) << literalContextBits) + (before >> (8 - literalContextBits));
            var probabilities = literals.AsSpan(context * LiteralContexts, LiteralContexts);
            var symbol = 1u;
            if (state >= FirstNonLiteralState)
                symbol = DecodeAfterMatch(ref range, probabilities, distance < position ? bytes[position - (int)distance - 1] : 0u);
            // A copy, since only a local one is kept in registers.
            var local = range;
            while (symbol < 0x100)
                symbol = (symbol << 1) | local.Bit(ref probabilities[(int)symbol]);
            range = local;
            state =
                state < 4 ? 0
                : state < 10 ? state - 3
                : state - 6;
            return (byte)symbol;
        }

        // After a match, the byte that would have continued it is part of the context, as long as the literal agrees with it.
        private static uint DecodeAfterMatch(ref RangeDecoder range, Span<ushort> probabilities, uint matched)
        {
            var symbol = 1u;
            var local = range;
            while (symbol < 0x100)
            {
                var expected = (matched >> 7) & 1;
                matched <<= 1;
                var bit = local.Bit(ref probabilities[(int)(((1 + expected) << 8) + symbol)]);
                symbol = (symbol << 1) | bit;
                if (bit != expected)
                    break;
            }

            range = local;
            return symbol;
        }

        /// <summary>Decodes a match's length, and sets its distance, less one.</summary>
        private int DecodeMatch(ref RangeDecoder range, int positionState)
        {
            if (range.Bit(ref isRepeated[state]) == 0)
            {
                (second, third, fourth) = (distance, second, third);
                state = state < FirstNonLiteralState ? 7 : 10;
                var count = matchLength.Decode(ref range, positionState) + MinMatchLength;
                distance = DecodeDistance(ref range, count);
                return count;
            }

            if (range.Bit(ref isNotLast[state]) != 0)
            {
                ChooseEarlierDistance(ref range);
            }
            else if (range.Bit(ref isLongLast[(state * MaxPositionStates) + positionState]) == 0)
            {
                state = state < FirstNonLiteralState ? 9 : 11;
                return 1;
            }

            state = state < FirstNonLiteralState ? 8 : 11;
            return repeatedLength.Decode(ref range, positionState) + MinMatchLength;
        }

        private void ChooseEarlierDistance(ref RangeDecoder range)
        {
            if (range.Bit(ref isNotSecond[state]) == 0)
                (distance, second) = (second, distance);
            else if (range.Bit(ref isNotThird[state]) == 0)
                (distance, second, third) = (third, distance, second);
            else
                (distance, second, third, fourth) = (fourth, distance, second, third);
        }

        private uint DecodeDistance(ref RangeDecoder range, int count)
        {
            var context = Math.Min(count - MinMatchLength, DistanceStates - 1);
            var slot = (int)range.Tree(slots.AsSpan(context << SlotBits, 1 << SlotBits), SlotBits);
            if (slot < FirstModelledSlot)
                return (uint)slot;
            var bits = (slot >> 1) - 1;
            var high = (2u | ((uint)slot & 1)) << bits;
            if (slot < FirstDirectSlot)
                return high + range.ReverseTree(distanceBits.AsSpan((int)high - slot), bits);
            return high + (range.DirectBits(bits - AlignBits) << AlignBits) + range.ReverseTree(alignBits, AlignBits);
        }
    }

    /// <summary>The length of a match, less 2: 3 bits for the short ones, 3 for the next, 8 for the rest.</summary>
    private sealed class LengthDecoder
    {
        private const int ShortBits = 3;
        private const int LongBits = 8;
        private const int PositionStates = 16;

        private readonly ushort[] choices = new ushort[2];
        private readonly ushort[] low = new ushort[PositionStates << ShortBits];
        private readonly ushort[] middle = new ushort[PositionStates << ShortBits];
        private readonly ushort[] high = new ushort[1 << LongBits];

        public ushort[][] Probabilities => [choices, low, middle, high];

        public int Decode(ref RangeDecoder range, int positionState)
        {
            if (range.Bit(ref choices[0]) == 0)
                return (int)range.Tree(low.AsSpan(positionState << ShortBits, 1 << ShortBits), ShortBits);
            if (range.Bit(ref choices[1]) == 0)
                return (1 << ShortBits) + (int)range.Tree(middle.AsSpan(positionState << ShortBits, 1 << ShortBits), ShortBits);
            return (2 << ShortBits) + (int)range.Tree(high, LongBits);
        }
    }

    /// <summary>Decodes bits from one chunk by their probabilities, which adapt.</summary>
    private ref struct RangeDecoder
    {
        /// <summary>Zeros behind the chunk, more than one symbol can take: so the end is looked for once a symbol.</summary>
        public const int Lookahead = 64;

        public const ushort Even = 1 << (ProbabilityBits - 1);

        private const int ProbabilityBits = 11;
        private const int AdaptionShift = 5;
        private const uint Top = 1 << 24;
        private const int StartSize = 5;

        private readonly ReadOnlySpan<byte> input;
        private int next;
        private uint range;
        private uint code;

        public RangeDecoder(ReadOnlySpan<byte> input)
        {
            this.input = input;
            if (input[0] != 0)
                throw Damaged("a chunk does not begin with zero");
            range = uint.MaxValue;
            code = BinaryPrimitives.ReadUInt32BigEndian(input[1..]);
            next = StartSize;
        }

        public readonly void CheckInput()
        {
            if (next > input.Length - Lookahead)
                throw Damaged("a chunk is longer than it says");
        }

        public void Finish()
        {
            Normalize();
            if (next != input.Length - Lookahead || code != 0)
                throw Damaged("a chunk has another size than it says");
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public uint Bit(ref ushort probability)
        {
            Normalize();
            uint known = probability;
            var bound = (range >> ProbabilityBits) * known;
            if (code < bound)
            {
                range = bound;
                probability = (ushort)(known + (((1u << ProbabilityBits) - known) >> AdaptionShift));
                return 0;
            }

            range -= bound;
            code -= bound;
            probability = (ushort)(known - (known >> AdaptionShift));
            return 1;
        }

        /// <summary>Bits, the highest first, each in the context of those before it.</summary>
        public uint Tree(Span<ushort> probabilities, int bits)
        {
            var symbol = 1u;
            var local = this;
            for (var bit = 0; bit < bits; bit++)
                symbol = (symbol << 1) | local.Bit(ref probabilities[(int)symbol]);
            this = local;
            return symbol - (1u << bits);
        }

        /// <summary>Bits, the lowest first, each in the context of those before it.</summary>
        public uint ReverseTree(Span<ushort> probabilities, int bits)
        {
            var (symbol, value) = (1u, 0u);
            for (var bit = 0; bit < bits; bit++)
            {
                var decoded = Bit(ref probabilities[(int)symbol]);
                symbol = (symbol << 1) | decoded;
                value |= decoded << bit;
            }

            return value;
        }

        public uint DirectBits(int bits)
        {
            var value = 0u;
            var local = this;
            for (var bit = 0; bit < bits; bit++)
            {
                local.Normalize();
                local.range >>= 1;
                var isSet = local.code >= local.range ? 1u : 0u;
                local.code -= local.range & (0u - isSet);
                value = (value << 1) | isSet;
            }

            this = local;
            return value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Normalize()
        {
            if (range >= Top)
                return;
            range <<= 8;
            code = (code << 8) | input[next++];
        }
    }
}

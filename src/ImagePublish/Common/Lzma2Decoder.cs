using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace ImagePublish.Common;

/// <summary>Decodes the chunks of LZMA2: up to 2 MiB of content each, stored or compressed with LZMA.</summary>
/// <remarks>
/// LZMA2 has no specification of its own. It is read as
/// <see href="https://github.com/torvalds/linux/blob/master/lib/xz/xz_dec_lzma2.c">the kernel's decoder</see> does.
/// </remarks>
internal sealed class Lzma2Decoder
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
    public ReadOnlyMemory<byte> ReadChunk(XzInput input)
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
            throw XzStream.Damaged("it does not begin with an empty dictionary");
        }

        return control switch
        {
            1 or 2 => ReadStored(input),
            >= 0x80 => ReadCompressed(input, control),
            _ => throw XzStream.Damaged("a chunk is of an unknown kind"),
        };
    }

    private ReadOnlyMemory<byte> ReadStored(XzInput input)
    {
        input.Read(chunkHeader.AsSpan(0, 2));
        var length = BinaryPrimitives.ReadUInt16BigEndian(chunkHeader) + 1;
        var start = window.Reserve(length);
        input.Read(window.Bytes.AsSpan(start, length));
        window.Position += length;
        return window.Bytes.AsMemory(start, length);
    }

    private ReadOnlyMemory<byte> ReadCompressed(XzInput input, byte control)
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
    private void ResetDecoder(XzInput input, int resets)
    {
        if (resets >= 2)
        {
            lzma.SetProperties(input.ReadByte());
            needsProperties = false;
        }

        if (needsProperties || (resets == 0 && needsStateReset))
            throw XzStream.Damaged("a chunk needs a state that no chunk before it has set");
        if (resets == 0)
            return;
        lzma.ResetState();
        needsStateReset = false;
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
                throw XzStream.Damaged("its LZMA properties are not valid");
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
                    throw XzStream.Damaged("a match leads out of its content");
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
                throw XzStream.Damaged("a chunk does not begin with zero");
            range = uint.MaxValue;
            code = BinaryPrimitives.ReadUInt32BigEndian(input[1..]);
            next = StartSize;
        }

        public readonly void CheckInput()
        {
            if (next > input.Length - Lookahead)
                throw XzStream.Damaged("a chunk is longer than it says");
        }

        public void Finish()
        {
            Normalize();
            if (next != input.Length - Lookahead || code != 0)
                throw XzStream.Damaged("a chunk has another size than it says");
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

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImagePublish.Layers.Deflate;

/// <summary>Writes blocks of deflate (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-3.2.3">RFC 1951, 3.2.3</see>), each in the
/// form that takes the fewest bits.</summary>
internal sealed class BlockEmitter
{
    private const int MaxCodewordLength = 15;
    private const int MaxStored = ushort.MaxValue;
    private static readonly HuffmanCode FixedLiterals = HuffmanCode.Create(288, MaxCodewordLength, symbol => symbol switch
        {
            < 144 or > 279 => 8,
            < 256 => 9,
            _ => 7,
        });
    private static readonly HuffmanCode FixedDistances = HuffmanCode.Create(32, MaxCodewordLength, _ => 5);

    private readonly BlockHeader header = new();

    // What is written for each literal, length and distance symbol, packed.
    private readonly uint[] ofLiteral = new uint[256];
    private readonly uint[] ofLength = new uint[Symbols.MaxMatch + 1];
    private readonly uint[] ofDistance = new uint[Symbols.DistanceCount];

    /// <summary>The code of literals, end of block and lengths, with their frequencies in the block.</summary>
    public HuffmanCode Literals { get; } = new(Symbols.LiteralCount, MaxCodewordLength);

    /// <summary>The code of distances, with their frequencies in the block.</summary>
    public HuffmanCode Distances { get; } = new(Symbols.DistanceCount, MaxCodewordLength);

    public void Clear()
    {
        Array.Clear(Literals.Frequencies);
        Array.Clear(Distances.Frequencies);
        Literals.Frequencies[Symbols.EndOfBlock] = 1;
    }

    public void Write(ref BitWriter writer, ReadOnlySpan<byte> bytes, ReadOnlySpan<Sequence> sequences)
    {
        Literals.Build();
        Distances.Build();
        header.Prepare(Literals, Distances);
        var extraBits = ExtraBits();
        var dynamicBits = header.Bits + extraBits + Bits(Literals, Literals) + Bits(Distances, Distances);
        var fixedBits = extraBits + Bits(Literals, FixedLiterals) + Bits(Distances, FixedDistances);
        if (8L * (bytes.Length + (5 * ((bytes.Length / MaxStored) + 1))) <= Math.Min(dynamicBits, fixedBits))
        {
            WriteStored(ref writer, bytes);
        }
        else if (fixedBits <= dynamicBits)
        {
            writer.Add(0b010, 3);
            WriteSequences(ref writer, bytes, sequences, FixedLiterals, FixedDistances);
        }
        else
        {
            writer.Add(0b100, 3);
            header.Write(ref writer);
            WriteSequences(ref writer, bytes, sequences, Literals, Distances);
        }
    }

    /// <summary>Writes an empty stored block, so that what follows begins at a byte.</summary>
    public static void WriteBoundary(ref BitWriter writer) => WriteStored(ref writer, []);

    private static void WriteStored(ref BitWriter writer, ReadOnlySpan<byte> bytes)
    {
        do
        {
            var length = Math.Min(bytes.Length, MaxStored);
            writer.Add(0b000, 3);
            writer.Align();
            writer.Add((uint)(length | (~length << 16)), 32);
            writer.Flush();
            writer.Write(bytes[..length]);
            bytes = bytes[length..];
        } while (!bytes.IsEmpty);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteSequences(
        ref BitWriter output,
        ReadOnlySpan<byte> bytes,
        ReadOnlySpan<Sequence> sequences,
        HuffmanCode literals,
        HuffmanCode distances
    )
    {
        Pack(literals, distances);
        var writer = output;
        ref var next = ref MemoryMarshal.GetReference(bytes);
        foreach (ref readonly var sequence in sequences)
        {
            WriteLiterals(ref writer, ref next, sequence.Literals);
            if (sequence.Length == 0)
                break;
            next = ref Unsafe.Add(ref next, sequence.Literals + sequence.Length);
            var symbol = Symbols.OfDistance(sequence.Distance);
            var extraBits = Symbols.DistanceExtraBits(symbol);
            writer.Add(ofLength[sequence.Length]);
            writer.Add(ofDistance[symbol]);
            writer.Add((sequence.Distance - 1u) & ((1u << extraBits) - 1), extraBits);
            writer.Flush();
        }

        writer.Add(literals.Codewords[Symbols.EndOfBlock], literals.Lengths[Symbols.EndOfBlock]);
        writer.Flush();
        output = writer;
    }

    // Three literals have at most 45 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteLiterals(ref BitWriter writer, ref byte next, int count)
    {
        ref var packed = ref MemoryMarshal.GetArrayDataReference(ofLiteral);
        for (; count >= 3; count -= 3, next = ref Unsafe.Add(ref next, 3))
        {
            writer.Add(Unsafe.Add(ref packed, (int)next));
            writer.Add(Unsafe.Add(ref packed, (int)Unsafe.Add(ref next, 1)));
            writer.Add(Unsafe.Add(ref packed, (int)Unsafe.Add(ref next, 2)));
            writer.Flush();
        }

        for (; count > 0; count--, next = ref Unsafe.Add(ref next, 1))
            writer.Add(Unsafe.Add(ref packed, (int)next));
        writer.Flush();
    }

    private void Pack(HuffmanCode literals, HuffmanCode distances)
    {
        for (var literal = 0; literal < ofLiteral.Length; literal++)
            ofLiteral[literal] = BitWriter.Pack(literals.Codewords[literal], literals.Lengths[literal]);
        for (var symbol = 0; symbol < ofDistance.Length; symbol++)
            ofDistance[symbol] = BitWriter.Pack(distances.Codewords[symbol], distances.Lengths[symbol]);
        for (var length = Symbols.MinMatch; length < ofLength.Length; length++)
        {
            int symbol = Symbols.OfLength[length];
            var slot = symbol - Symbols.FirstLength;
            var extra = (length - Symbols.LengthBases[slot]) << literals.Lengths[symbol];
            ofLength[length] = BitWriter.Pack(literals.Codewords[symbol] | extra, literals.Lengths[symbol] + Symbols.LengthExtraBits[slot]);
        }
    }

    private long ExtraBits()
    {
        var bits = 0L;
        for (var slot = 0; slot < Symbols.LengthExtraBits.Length; slot++)
            bits += (long)Literals.Frequencies[Symbols.FirstLength + slot] * Symbols.LengthExtraBits[slot];
        for (var symbol = 0; symbol < Symbols.DistanceCount; symbol++)
            bits += (long)Distances.Frequencies[symbol] * Symbols.DistanceExtraBits(symbol);
        return bits;
    }

    internal static long Bits(HuffmanCode counted, HuffmanCode code)
    {
        var bits = 0L;
        for (var symbol = 0; symbol < counted.Frequencies.Length; symbol++)
            bits += (long)counted.Frequencies[symbol] * code.Lengths[symbol];
        return bits;
    }
}

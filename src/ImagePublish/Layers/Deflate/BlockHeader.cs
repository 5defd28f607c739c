namespace ImagePublish.Layers.Deflate;

/// <summary>The codes of a block, as the block begins with them (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-3.2.7">RFC 1951,
/// 3.2.7</see>): lengths of codewords, with a code of their own.</summary>
internal sealed class BlockHeader
{
    private const int Copy = 16;
    private const int Zeros = 17;
    private const int ManyZeros = 18;
    private const int FewestCodes = 4;

    private static readonly byte[] Order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly HuffmanCode code = new(Order.Length, 7);
    private readonly byte[] lengths = new byte[Symbols.LiteralCount + Symbols.DistanceCount];

    // Symbols, with what follows them above five bits.
    private readonly ushort[] items = new ushort[Symbols.LiteralCount + Symbols.DistanceCount];
    private int itemCount;
    private int literalCount;
    private int distanceCount;
    private int codeCount;

    public long Bits { get; private set; }

    public void Prepare(HuffmanCode literals, HuffmanCode distances)
    {
        literalCount = Math.Max(Symbols.FirstLength, Used(literals.Lengths));
        distanceCount = Math.Max(1, Used(distances.Lengths));
        literals.Lengths.AsSpan(0, literalCount).CopyTo(lengths);
        distances.Lengths.AsSpan(0, distanceCount).CopyTo(lengths.AsSpan(literalCount));
        Array.Clear(code.Frequencies);
        itemCount = 0;
        AddRuns(lengths.AsSpan(0, literalCount + distanceCount));
        code.Build();
        codeCount = Order.Length;
        while (codeCount > FewestCodes && code.Lengths[Order[codeCount - 1]] == 0)
            codeCount--;
        Bits =
            14
            + (3 * codeCount)
            + BlockEmitter.Bits(code, code)
            + (2 * code.Frequencies[Copy])
            + (3 * code.Frequencies[Zeros])
            + (7 * code.Frequencies[ManyZeros]);
    }

    public void Write(ref BitWriter writer)
    {
        writer.Add((uint)(literalCount - Symbols.FirstLength), 5);
        writer.Add((uint)(distanceCount - 1), 5);
        writer.Add((uint)(codeCount - FewestCodes), 4);
        foreach (var symbol in Order.AsSpan(0, codeCount))
        {
            writer.Flush();
            writer.Add(code.Lengths[symbol], 3);
        }

        foreach (var item in items.AsSpan(0, itemCount))
        {
            var symbol = item & 31;
            writer.Flush();
            writer.Add(code.Codewords[symbol], code.Lengths[symbol]);
            writer.Add(
                (uint)item >> 5,
                symbol switch
                {
                    Copy => 2,
                    Zeros => 3,
                    ManyZeros => 7,
                    _ => 0,
                }
            );
        }

        writer.Flush();
    }

    private void AddRuns(ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var length = rest[0];
            var other = rest.IndexOfAnyExcept(length);
            var run = other < 0 ? rest.Length : other;
            rest = rest[run..];
            if (length > 0)
            {
                Add(length);
                run--;
            }

            while (run > 0)
                run -=
                    length > 0 ? AddRun(length, run, Copy, 3, 6)
                    : run > 10 ? AddRun(0, run, ManyZeros, 11, 138)
                    : AddRun(0, run, Zeros, 3, 10);
        }
    }

    // How many of the run it covers.
    private int AddRun(byte length, int run, int symbol, int least, int most)
    {
        if (run < least)
        {
            Add(length);
            return 1;
        }

        var covered = Math.Min(run, most);
        Add(symbol, covered - least);
        return covered;
    }

    private void Add(int symbol, int extra = 0)
    {
        code.Frequencies[symbol]++;
        items[itemCount++] = (ushort)(symbol | (extra << 5));
    }

    private static int Used(byte[] lengths) => lengths.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
}

namespace ImagePublish.Layers.Deflate;

/// <summary>Sees when the data changes so much that a new block, with codes of its own, is worth its header. It compares what came lately
/// with what came before in ten kinds of symbols: eight of literals, told apart by their highest bits and their lowest one, short matches
/// and long ones.</summary>
internal sealed class BlockSplitter
{
    private const int LiteralKinds = 8;
    private const int Kinds = LiteralKinds + 2;
    private const int FirstLongLength = 263;
    private const int SymbolsPerCheck = 512;

    private readonly int[] before = new int[Kinds];
    private readonly int[] now = new int[Kinds];

    public void Clear() => Array.Clear(before);

    public bool IsEnd(int[] frequencies, int length)
    {
        Count(frequencies);
        var (all, seen) = (Sum(now), Sum(before));
        if (all - seen < SymbolsPerCheck)
            return false;
        var isEnd = seen > 0 && Difference(all - seen, seen) + (length / 4096 * seen) >= Threshold(all, seen, length);
        now.CopyTo(before.AsSpan());
        return isEnd;
    }

    private void Count(int[] frequencies)
    {
        Array.Clear(now);
        for (var literal = 0; literal < Symbols.EndOfBlock; literal++)
            now[((literal >> 5) & 6) | (literal & 1)] += frequencies[literal];
        for (var symbol = Symbols.FirstLength; symbol < Symbols.LiteralCount; symbol++)
            now[symbol < FirstLongLength ? LiteralKinds : LiteralKinds + 1] += frequencies[symbol];
    }

    // The shares of what came lately less those of what came before, times both counts.
    private long Difference(long lately, long seen)
    {
        var difference = 0L;
        for (var kind = 0; kind < Kinds; kind++)
            difference += Math.Abs(((now[kind] - before[kind]) * seen) - (before[kind] * lately));
        return difference;
    }

    // Four tenths, more while the block is short.
    private static long Threshold(long all, long seen, int length)
    {
        var threshold = (all - seen) * seen * 2 / 5;
        return length < 10000 && all < 8192 ? threshold + (threshold * (8192 - all) / 8192) : threshold;
    }

    private static long Sum(int[] counts)
    {
        var sum = 0L;
        foreach (var count in counts)
            sum += count;
        return sum;
    }
}

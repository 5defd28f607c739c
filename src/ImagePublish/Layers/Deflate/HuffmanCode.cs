namespace ImagePublish.Layers.Deflate;

/// <summary>A prefix code with codewords of limited length (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-3.2.2">RFC 1951,
/// 3.2.2</see>).</summary>
internal sealed class HuffmanCode(int count, int maxLength)
{
    // A symbol that occurs, its frequency above its number.
    private readonly ulong[] leaves = new ulong[count];
    private readonly ulong[] weights = new ulong[count];
    private readonly int[] parents = new int[count];
    private readonly int[] ofLength = new int[maxLength + 1];
    private readonly int[] next = new int[maxLength + 1];

    public int[] Frequencies { get; } = new int[count];

    /// <summary>The length of each symbol's codeword in bits; 0 if it does not occur.</summary>
    public byte[] Lengths { get; } = new byte[count];

    public ushort[] Codewords { get; } = new ushort[count];

    public static HuffmanCode Create(int count, int maxLength, Func<int, int> lengthOf)
    {
        var code = new HuffmanCode(count, maxLength);
        for (var symbol = 0; symbol < count; symbol++)
            code.Lengths[symbol] = (byte)lengthOf(symbol);
        code.AssignCodewords();
        return code;
    }

    public void Build()
    {
        Array.Clear(Lengths);
        var used = 0;
        for (var symbol = 0; symbol < count; symbol++)
        {
            if (Frequencies[symbol] > 0)
                leaves[used++] = ((ulong)Frequencies[symbol] << 16) | (uint)symbol;
        }

        if (used < 2)
        {
            // With two codewords of one bit, since some decoders refuse a code that is not complete.
            var only = used == 0 ? 0 : SymbolOf(leaves[0]);
            Lengths[only] = Lengths[only == 0 ? 1 : 0] = 1;
        }
        else
        {
            leaves.AsSpan(0, used).Sort();
            FindParents(used);
            CountLengths(used);
            AssignLengths();
        }

        AssignCodewords();
    }

    private static int SymbolOf(ulong leaf) => (int)(leaf & ushort.MaxValue);

    // Two queues, of leaves and of inner nodes, both in the order of their weights: the two lightest become children of a new node.
    private void FindParents(int used)
    {
        var (leaf, inner) = (0, 0);
        for (var node = 0; node < used - 1; node++)
        {
            weights[node] = 0;
            for (var child = 0; child < 2; child++)
            {
                if (inner == node || (leaf < used && leaves[leaf] >> 16 <= weights[inner]))
                {
                    weights[node] += leaves[leaf++] >> 16;
                }
                else
                {
                    weights[node] += weights[inner];
                    parents[inner++] = node;
                }
            }
        }
    }

    // From the root down, every inner node replaces one place at its depth by two below; parents become depths on the way.
    private void CountLengths(int used)
    {
        Array.Clear(ofLength);
        ofLength[1] = 2;
        parents[used - 2] = 0;
        for (var node = used - 3; node >= 0; node--)
        {
            var depth = parents[node] = parents[parents[node]] + 1;
            if (depth >= maxLength)
            {
                // Too deep: a leaf higher up is divided instead.
                depth = maxLength - 1;
                while (ofLength[depth] == 0)
                    depth--;
            }

            ofLength[depth]--;
            ofLength[depth + 1] += 2;
        }
    }

    // The rarest symbols get the longest codewords.
    private void AssignLengths()
    {
        var leaf = 0;
        for (var length = maxLength; length > 0; length--)
        {
            for (var left = ofLength[length]; left > 0; left--)
                Lengths[SymbolOf(leaves[leaf++])] = (byte)length;
        }
    }

    private void AssignCodewords()
    {
        Array.Clear(ofLength);
        foreach (var length in Lengths)
            ofLength[length]++;
        ofLength[0] = 0;
        for (var (length, code) = (1, 0); length <= maxLength; length++)
        {
            code = (code + ofLength[length - 1]) << 1;
            next[length] = code;
        }

        for (var symbol = 0; symbol < count; symbol++)
        {
            if (Lengths[symbol] > 0)
                Codewords[symbol] = Reverse(next[Lengths[symbol]]++, Lengths[symbol]);
        }
    }

    private static ushort Reverse(int code, int length)
    {
        var reversed = 0;
        for (; length > 0; length--, code >>= 1)
            reversed = (reversed << 1) | (code & 1);
        return (ushort)reversed;
    }
}

using System.Numerics;

namespace ImagePublish.Layers.Deflate;

/// <summary>The alphabets of deflate (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-3.2.5">RFC 1951, 3.2.5</see>).</summary>
internal static class Symbols
{
    public const int EndOfBlock = 256;

    public const int FirstLength = 257;

    public const int LiteralCount = 286;

    public const int DistanceCount = 30;

    public const int MinMatch = 3;

    public const int MaxMatch = 258;

    public static readonly ushort[] OfLength = new ushort[MaxMatch + 1];

    /// <summary>For each length symbol, counted from the first, the shortest length that it means.</summary>
    public static readonly ushort[] LengthBases =
    [
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        13,
        15,
        17,
        19,
        23,
        27,
        31,
        35,
        43,
        51,
        59,
        67,
        83,
        99,
        115,
        131,
        163,
        195,
        227,
        258,
    ];

    /// <summary>For each length symbol, counted from the first, how many bits follow it.</summary>
    public static readonly byte[] LengthExtraBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    static Symbols()
    {
        for (var slot = 0; slot < LengthBases.Length; slot++)
            OfLength.AsSpan(LengthBases[slot]).Fill((ushort)(FirstLength + slot));
    }

    public static int OfDistance(int distance)
    {
        var above = distance - 1;
        if (above < 2)
            return above;
        var log = BitOperations.Log2((uint)above);
        return (2 * log) + ((above >> (log - 1)) & 1);
    }

    /// <summary>How many bits follow the symbol of a distance: the lowest ones of the distance less one.</summary>
    public static int DistanceExtraBits(int symbol) => Math.Max((symbol >> 1) - 1, 0);
}

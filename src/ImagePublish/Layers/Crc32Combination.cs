namespace ImagePublish.Layers;

/// <summary>The CRC-32 of two contents in a row, from those of each: multiplication by x^(8·length) modulo the CRC's polynomial, as in
/// zlib's <c>crc32_combine</c>.</summary>
internal static class Crc32Combination
{
    private const uint Polynomial = 0xEDB88320;
    private const uint One = 0x80000000;

    private static readonly uint[] Powers = CreatePowers();

    public static uint Combine(uint first, uint second, long secondLength) => Multiply(PowerOfBytes(secondLength), first) ^ second;

    private static uint PowerOfBytes(long bytes)
    {
        var product = One;
        for (var n = 3; bytes != 0; bytes >>= 1, n++)
        {
            if ((bytes & 1) != 0)
                product = Multiply(Powers[n & 31], product);
        }

        return product;
    }

    /// <summary>Multiplies two polynomials over GF(2), bit-reversed as the CRC has them.</summary>
    private static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (var bit = One; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0)
                product ^= b;
            b = (b & 1) != 0 ? (b >> 1) ^ Polynomial : b >> 1;
        }

        return product;
    }

    private static uint[] CreatePowers()
    {
        var powers = new uint[32];
        powers[0] = One >> 1;
        for (var n = 1; n < powers.Length; n++)
            powers[n] = Multiply(powers[n - 1], powers[n - 1]);
        return powers;
    }
}

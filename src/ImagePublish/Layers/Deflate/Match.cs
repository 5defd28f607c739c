namespace ImagePublish.Layers.Deflate;

/// <summary>Bytes that stood before; the default where none did.</summary>
/// <param name="distance">How far back, from 1 to 32,767.</param>
/// <param name="length">How many, from 3 to 258.</param>
internal readonly struct Match(int distance, int length)
{
    // In one register: a match is made for every other byte.
    private readonly int packed = (distance << 16) | length;

    public bool IsNone => packed == 0;

    public int Distance => packed >> 16;

    public int Length => packed & ushort.MaxValue;
}

/// <summary>Literals, and the match after them.</summary>
/// <param name="Literals">How many literals.</param>
/// <param name="Length">The length of the match; 0 if none follows.</param>
/// <param name="Distance">How far back it lies.</param>
internal readonly record struct Sequence(int Literals, ushort Length, ushort Distance);

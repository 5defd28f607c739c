namespace ImagePublish.Layers.Deflate;

/// <summary>Bytes that stood before; the default where none did.</summary>
internal readonly struct Match(int distance, int length)
{
    // In one register: a match is made for every other byte.
    private readonly int packed = (distance << 16) | length;

    public bool IsNone => packed == 0;

    public int Distance => packed >> 16;

    public int Length => packed & ushort.MaxValue;
}

/// <summary>Literals, and the match after them.</summary>
internal readonly record struct Sequence(int Literals, ushort Length, ushort Distance);

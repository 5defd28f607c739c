using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImagePublish.Layers.Deflate;

/// <summary>Writes bits, the lowest first (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-3.1.1">RFC 1951, 3.1.1</see>), into
/// memory that the caller has made large enough.</summary>
internal ref struct BitWriter(Span<byte> output)
{
    private readonly ref byte start = ref MemoryMarshal.GetReference(output);
    private ulong bits;
    private int count;

    /// <summary>Whole bytes that were written.</summary>
    public int Length { get; private set; }

    /// <summary>A value of at most 24 bits with its length, for <see cref="Add(uint)"/>.</summary>
    public static uint Pack(int value, int length) => (uint)value | ((uint)length << 24);

    /// <summary>Adds bits; at most 56 from one <see cref="Flush"/> to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(uint value, int length)
    {
        bits |= (ulong)value << count;
        count += length;
    }

    /// <summary>Adds what <see cref="Pack"/> made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(uint packed) => Add(packed & 0xffffff, (int)(packed >> 24));

    /// <summary>Writes what makes whole bytes. Touches eight bytes of the output, whatever it writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Flush()
    {
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref start, Length), bits);
        Length += count >> 3;
        bits >>= count & ~7;
        count &= 7;
    }

    /// <summary>Fills the last byte up with zeros.</summary>
    public void Align()
    {
        count = (count + 7) & ~7;
        Flush();
    }

    /// <summary>Writes bytes where nothing is left of the last byte.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref start, Length), bytes.Length));
        Length += bytes.Length;
    }
}

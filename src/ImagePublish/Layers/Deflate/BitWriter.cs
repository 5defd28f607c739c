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

    public int Length { get; private set; }

    public static uint Pack(int value, int length) => (uint)value | ((uint)length << 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(uint value, int length)
    {
        bits |= (ulong)value << count;
        count += length;
    }

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

    public void Align()
    {
        count = (count + 7) & ~7;
        Flush();
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref start, Length), bytes.Length));
        Length += bytes.Length;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ImagePublish.Layers.Deflate;

/// <summary>Finds where bytes stood before. For every hash of four bytes it knows the last four positions, whose bytes are fetched and
/// compared together: what makes other finders slow is to follow a chain from one candidate to the next, and to guess wrong at each. For
/// every hash of three bytes it knows the last position that was looked at.</summary>
/// <remarks>
/// Positions are kept modulo 65,536. An old one may be taken for a nearer one; the bytes there are compared like any others. All positions
/// have a full window before them, and the tables are clear at the start, so that no distance leads out of the data.
/// </remarks>
internal readonly ref struct MatchFinder
{
    /// <summary>How far back a match may begin (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-2">RFC 1951, 2</see>), less
    /// one.</summary>
    public const int WindowSize = 1 << 15;

    public const int Lookahead = 8;

    /// <summary>Matches of three bytes farther back take more bits than three literals.</summary>
    private const int FarthestShortMatch = 1 << 13;

    private const int BucketBits = 15;
    private const int HeadBits = 12;

    private readonly ref byte data;
    private readonly ref ulong buckets;
    private readonly ref ushort heads;
    private readonly int end;

    public MatchFinder(Tables tables, ReadOnlySpan<byte> data)
    {
        tables.Clear();
        buckets = ref MemoryMarshal.GetArrayDataReference(tables.Buckets);
        heads = ref MemoryMarshal.GetArrayDataReference(tables.Heads);
        this.data = ref MemoryMarshal.GetReference(data);
        end = data.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int position, int to)
    {
        to = Math.Min(to, end - Lookahead);
        for (; position < to; position++)
        {
            ref var bucket = ref Unsafe.Add(ref buckets, Hash(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref data, position)), BucketBits));
            bucket = (bucket << 16) | (ushort)position;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Match Find(int position, int length, int nice)
    {
        ref var here = ref Unsafe.Add(ref data, position);
        var next = Unsafe.ReadUnaligned<uint>(ref here);
        ref var bucket = ref Unsafe.Add(ref buckets, Hash(next, BucketBits));
        ref var head = ref Unsafe.Add(ref heads, Hash(next << 8, HeadBits));
        var distances = Vector128.Create((ushort)position) - Vector128.CreateScalar(bucket).AsUInt16();
        var distance = (ushort)(position - head);
        bucket = (bucket << 16) | (ushort)position;
        head = (ushort)position;

        var near = (distances & Vector128.Create((ushort)short.MaxValue)).AsUInt64().ToScalar();
        var there = Vector128.Create(
            Before(ref here, near, 0),
            Before(ref here, near, 1),
            Before(ref here, near, 2),
            Before(ref here, near, 3)
        );
        var isNear = Vector128.WidenLower(Vector128.GreaterThan(distances.AsInt16(), Vector128<short>.Zero)).AsUInt32();
        var equal = (Vector128.Equals(there, Vector128.Create(next)) & isNear).ExtractMostSignificantBits();
        if (equal != 0)
            return Longest(ref here, near, equal, length, Math.Min(Symbols.MaxMatch, end - position), nice);
        return
            length < Symbols.MinMatch
            && distance - 1u < FarthestShortMatch
            && (Unsafe.ReadUnaligned<uint>(ref Unsafe.Subtract(ref here, (nint)distance)) ^ next) << 8 == 0
            ? new Match(distance, Symbols.MinMatch)
            : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Match Longest(ref byte here, ulong near, uint equal, int length, int limit, int nice)
    {
        var best = default(Match);
        for (; equal != 0 && length < nice; equal &= equal - 1)
        {
            var distance = (int)(near >> (16 * BitOperations.TrailingZeroCount(equal))) & ushort.MaxValue;
            var found = Extend(ref here, ref Unsafe.Subtract(ref here, distance), limit);
            if (found > length)
                (length, best) = (found, new Match(distance, found));
        }

        return best;
    }

    // The first four bytes are known to be equal.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Extend(ref byte here, ref byte there, int limit)
    {
        var length = sizeof(uint);
        for (; length + sizeof(ulong) <= limit; length += sizeof(ulong))
        {
            var difference =
                Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref here, length))
                ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref there, length));
            if (difference != 0)
                return length + (BitOperations.TrailingZeroCount(difference) >> 3);
        }

        while (length < limit && Unsafe.Add(ref here, length) == Unsafe.Add(ref there, length))
            length++;
        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Before(ref byte here, ulong distances, int lane) =>
        Unsafe.ReadUnaligned<uint>(ref Unsafe.Subtract(ref here, (nint)(distances >> (16 * lane)) & ushort.MaxValue));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Hash(uint bytes, int bits) => (nint)((bytes * 0x9E3779B1) >> (32 - bits));

    public sealed class Tables
    {
        internal ulong[] Buckets { get; } = new ulong[1 << BucketBits];

        internal ushort[] Heads { get; } = new ushort[1 << HeadBits];

        internal void Clear()
        {
            Array.Clear(Buckets);
            Array.Clear(Heads);
        }
    }
}

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

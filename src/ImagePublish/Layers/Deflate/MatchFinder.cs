using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ImagePublish.Layers.Deflate;

/// <summary>Finds where bytes occurred before. For each hash of four bytes it knows the last four positions, and for each hash of three
/// bytes the last position that was searched from.</summary>
/// <remarks>
/// What makes other match finders slow is following a chain from one candidate to the next, with a branch at each that the processor
/// mispredicts. Here the candidates of the next thousand positions are noted first, in a loop without such branches
/// (<see cref="LookAhead"/>), and the four of a position are compared at once.
/// <para>
/// Positions are kept modulo 65,536 and distances modulo 32,768, so an old position may be taken for a nearer one; the bytes there are
/// compared like any others. All positions have a full window before them, and an entry that was never written stands for a multiple of
/// the window size, so no distance leads out of the data.
/// </para>
/// </remarks>
internal ref struct MatchFinder
{
    /// <summary>How far back a match may begin (<see href="https://www.rfc-editor.org/rfc/rfc1951#section-2">RFC 1951, 2</see>), less
    /// one.</summary>
    public const int WindowSize = 1 << 15;

    /// <summary>How many bytes from a position are read to compare it.</summary>
    public const int Lookahead = 12;

    /// <summary>Matches of three bytes farther back take more bits than three literals.</summary>
    private const int FarthestShortMatch = 1 << 13;

    private const int BucketBits = 14;
    private const int HeadBits = 12;
    private const int Step = 1024;

    // A position and the one after it may be on both sides of a step.
    private const int NotedMask = (2 * Step) - 1;

    // Whole bytes are counted in bits; the bits below tell the lane.
    private const int LaneMask = 7;

    private readonly ref byte data;
    private readonly ref ulong buckets;
    private readonly ref ushort heads;
    private readonly ref ulong noted;
    private readonly nint end;

    public MatchFinder(Tables tables, ReadOnlySpan<byte> data, int start)
    {
        tables.Clear();
        buckets = ref MemoryMarshal.GetArrayDataReference(tables.Buckets);
        heads = ref MemoryMarshal.GetArrayDataReference(tables.Heads);
        noted = ref MemoryMarshal.GetArrayDataReference(tables.Noted);
        this.data = ref MemoryMarshal.GetReference(data);
        end = data.Length;
        NotedEnd = start;
    }

    /// <summary>The position after those that can be searched from.</summary>
    public nint NotedEnd { get; private set; }

    /// <summary>Notes the candidates of the next positions, up to a multiple of the step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void LookAhead()
    {
        ref var bytes = ref data;
        ref var table = ref buckets;
        ref var candidates = ref Unsafe.Add(ref noted, NotedEnd & NotedMask);
        var to = (NotedEnd + Step) & -Step;
        var last = Math.Min(to, end - Lookahead);
        for (var position = NotedEnd; position < last; position++)
        {
            ref var bucket = ref Unsafe.Add(ref table, Hash(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref bytes, position)), BucketBits));
            var before = bucket;
            candidates = before;
            candidates = ref Unsafe.Add(ref candidates, 1);
            bucket = (before << 16) | (ushort)position;
        }

        NotedEnd = to;
    }

    /// <summary>The longest match at a position that is longer than the given length.</summary>
    /// <param name="position">A position before <see cref="NotedEnd"/>, with <see cref="Lookahead"/> bytes after it.</param>
    /// <param name="length">What a match has to exceed.</param>
    /// <param name="isFirst">Whether no match is held yet, so that one of three bytes may be of use.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Match Find(nint position, int length, bool isFirst)
    {
        ref var here = ref Unsafe.Add(ref data, position);
        var next = Unsafe.ReadUnaligned<uint>(ref here);
        var candidates = Vector128.CreateScalar(Unsafe.Add(ref noted, position & NotedMask)).AsUInt16();
        var distances = (Vector128.Create((ushort)position) - candidates) & Vector128.Create((ushort)(WindowSize - 1));
        var near = distances.AsUInt64().ToScalar();
        var there = Vector128.Create(
            FirstFour(ref here, near, 0),
            FirstFour(ref here, near, 1),
            FirstFour(ref here, near, 2),
            FirstFour(ref here, near, 3)
        );
        var isEqual = Vector128.Equals(there, Vector128.Create(next));
        var equal = isEqual.ExtractMostSignificantBits();
        if (isFirst)
        {
            ref var head = ref Unsafe.Add(ref heads, Hash(next << 8, HeadBits));
            var distance = (ushort)(position - head);
            head = (ushort)position;
            if (equal == 0)
                return
                    distance - 1u < FarthestShortMatch
                    && length < Symbols.MinMatch
                    && (Unsafe.ReadUnaligned<uint>(ref Unsafe.Subtract(ref here, (nint)distance)) ^ next) << 8 == 0
                    ? new Match(distance, Symbols.MinMatch)
                    : default;
        }
        else if (equal == 0)
        {
            return default;
        }

        var best = BestRank(ref here, near, isEqual.AsInt32());
        var found = sizeof(uint) + (best >> 3);
        if (found == Lookahead)
            return Longest(ref here, near, equal, length, (int)Math.Min(Symbols.MaxMatch, end - position));
        return found > length ? new Match((int)(near >> (16 * (3 - (best & LaneMask)))) & ushort.MaxValue, found) : default;
    }

    // How many bits of the eight bytes after the first four are equal, of the candidate with the most; with the number of its lane, counted
    // from the farthest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BestRank(ref byte here, ulong near, Vector128<int> isEqual)
    {
        var following = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref here, sizeof(uint)));
        var equalBits = Vector128.Create(
            EqualBits(ref here, following, near, 0),
            EqualBits(ref here, following, near, 1),
            EqualBits(ref here, following, near, 2),
            EqualBits(ref here, following, near, 3)
        );
        var ranks = ((equalBits & Vector128.Create(~LaneMask)) | Vector128.Create(3, 2, 1, 0)) & isEqual;
        ranks = Vector128.Max(ranks, Vector128.Shuffle(ranks, Vector128.Create(2, 3, 0, 1)));
        ranks = Vector128.Max(ranks, Vector128.Shuffle(ranks, Vector128.Create(1, 0, 3, 2)));
        return ranks.ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Match Longest(ref byte here, ulong near, uint equal, int length, int limit)
    {
        var best = default(Match);
        for (; equal != 0; equal &= equal - 1)
        {
            var distance = (int)(near >> (16 * BitOperations.TrailingZeroCount(equal))) & ushort.MaxValue;
            if (distance == 0)
                continue;
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
    private static uint FirstFour(ref byte here, ulong distances, int lane) =>
        Unsafe.ReadUnaligned<uint>(ref Candidate(ref here, distances, lane));

    // Of the eight bytes after the first four: 64 if all are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int EqualBits(ref byte here, ulong following, ulong distances, int lane) =>
        BitOperations.TrailingZeroCount(
            Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref Candidate(ref here, distances, lane), sizeof(uint))) ^ following
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Candidate(ref byte here, ulong distances, int lane) =>
        ref Unsafe.Subtract(ref here, (nint)(distances >> (16 * lane)) & ushort.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Hash(uint bytes, int bits) => (nint)((bytes * 0x9E3779B1) >> (32 - bits));

    public sealed class Tables
    {
        internal ulong[] Buckets { get; } = new ulong[1 << BucketBits];

        internal ushort[] Heads { get; } = new ushort[1 << HeadBits];

        /// <summary>The buckets as they were when each of the last positions was added.</summary>
        internal ulong[] Noted { get; } = new ulong[NotedMask + 1];

        internal void Clear()
        {
            Array.Clear(Buckets);
            Array.Clear(Heads);
        }
    }
}

/// <summary>Bytes that occurred before; the default where none did.</summary>
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

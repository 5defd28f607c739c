using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImagePublish.Layers.Deflate;

/// <summary>Compresses pieces of a stream to deflate (<see href="https://www.rfc-editor.org/rfc/rfc1951">RFC 1951</see>): a little smaller
/// than level 6 of .NET's zlib in three quarters of its time, and the same bytes on every machine and with every version of .NET. Not
/// thread-safe.</summary>
internal sealed class Deflater
{
    public const int WindowSize = MatchFinder.WindowSize;

    public const int Version = 2;

    private const int Nice = 16;

    // A match of so many bytes is taken at once: to look for a better one at the next byte takes a tenth of the time and saves less than
    // half a percent.
    private const int Good = 6;

    private const int MaxSequences = 50_000;
    private const int MaxBlockLength = 300_000;
    private const int MinBlockLength = 5_000;
    private const int CheckInterval = 1_024;

    private readonly MatchFinder.Tables tables = new();
    private readonly BlockSplitter splitter = new();
    private readonly BlockEmitter emitter = new();
    private readonly Sequence[] sequences = new Sequence[MaxSequences];
    private int count;

    public static int MaxSize(int length) => length + (length / 512) + 1024;

    /// <summary>Compresses a piece. The result ends at a byte; what follows may refer to the piece.</summary>
    public int Compress(ReadOnlySpan<byte> data, int history, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(data.Length, WindowSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)history, (uint)WindowSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, MaxSize(data.Length - WindowSize));
        var writer = new BitWriter(output);
        var matches = new MatchFinder(tables, data);
        matches.Skip(WindowSize - history, WindowSize);
        for (var at = WindowSize; at < data.Length; )
        {
            var end = Parse(matches, data, at, data.Length - at < MaxBlockLength + MinBlockLength ? data.Length : at + MaxBlockLength);
            emitter.Write(ref writer, data[at..end], sequences.AsSpan(0, count));
            at = end;
        }

        BlockEmitter.WriteBoundary(ref writer);
        return writer.Length;
    }

    // The loops that take nearly all of the time are compiled for the processor at once: code that was compiled ahead is for any, and in a
    // build it would not be replaced in time. Divides a block into literals and matches. A match is held back until the next byte is seen
    // not to begin a better one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Parse(MatchFinder finder, ReadOnlySpan<byte> data, int start, int end)
    {
        var matches = finder;
        emitter.Clear();
        splitter.Clear();
        count = 0;
        ref var bytes = ref MemoryMarshal.GetReference(data);
        ref var literals = ref MemoryMarshal.GetArrayDataReference(emitter.Literals.Frequencies);
        var useful = MinMatch(data[start..Math.Min(end, start + 4096)]) - 1;
        var (at, from, check, held) = (start, start, start + MinBlockLength, default(Match));
        while (at < end && count < MaxSequences - 1)
        {
            if (at >= check && held.IsNone)
            {
                if (splitter.IsEnd(emitter.Literals.Frequencies, at - start))
                    break;
                check = data.Length - at < MinBlockLength ? int.MaxValue : at + CheckInterval;
            }

            var found = at < data.Length - MatchFinder.Lookahead ? matches.Find(at, held.IsNone ? useful : held.Length - 1, Nice) : default;
            var known = at + 1;
            if (held.IsNone || IsBetter(found, held))
            {
                if (found.IsNone || !held.IsNone)
                    Unsafe.Add(ref literals, (int)Unsafe.Add(ref bytes, held.IsNone ? at : at - 1))++;
                held = found;
                at++;
                if (found.Length < Good)
                    continue;
            }

            // It begins a byte before.
            AddMatch(at - 1 - from, held);
            matches.Skip(known, at - 1 + held.Length);
            from = at += held.Length - 1;
            held = default;
        }

        if (!held.IsNone)
            Unsafe.Add(ref literals, (int)data[at - 1])++;
        if (at > from)
            sequences[count++] = new Sequence(at - from, 0, 0);
        return at;
    }

    // A byte is worth eight bits, of which a literal before the match takes some; a bit of distance is worth one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBetter(Match later, Match held) =>
        later.Length >= held.Length
        && (4 * (later.Length - held.Length)) + BitOperations.Log2((uint)held.Distance) - BitOperations.Log2((uint)later.Distance) > 2;

    // Where few different bytes occur they have short codewords, and short matches don't pay.
    private static int MinMatch(ReadOnlySpan<byte> bytes)
    {
        Span<bool> seen = stackalloc bool[256];
        foreach (var literal in bytes)
            seen[literal] = true;
        return seen.Count(true) switch
        {
            >= 80 => 3,
            >= 32 => 4,
            >= 16 => 5,
            >= 10 => 6,
            >= 8 => 7,
            >= 6 => 8,
            _ => 9,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddMatch(int literals, Match match)
    {
        emitter.Literals.Frequencies[Symbols.OfLength[match.Length]]++;
        emitter.Distances.Frequencies[Symbols.OfDistance(match.Distance)]++;
        sequences[count++] = new Sequence(literals, (ushort)match.Length, (ushort)match.Distance);
    }
}

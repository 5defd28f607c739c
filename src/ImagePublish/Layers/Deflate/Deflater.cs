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

    public const int Version = 3;

    // A match of so many bytes is taken at once: to look for a better one at the next byte takes a tenth of the time and saves less than
    // half a percent.
    private const int Good = 6;

    private const int MaxSequences = 25_000;
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
        var matches = new MatchFinder(tables, data, WindowSize - history);
        while (matches.NotedEnd < WindowSize)
            matches.LookAhead();
        for (var at = WindowSize; at < data.Length; )
        {
            var end = Parse(ref matches, data, at, data.Length - at < MaxBlockLength + MinBlockLength ? data.Length : at + MaxBlockLength);
            emitter.Write(ref writer, data[at..end], sequences.AsSpan(0, count));
            at = end;
        }

        BlockEmitter.WriteBoundary(ref writer);
        return writer.Length;
    }

    // The loops that take nearly all of the time are compiled for the processor at once: code that was compiled ahead is for any, and in a
    // build it would not be replaced in time. Divides a block into literals and matches, and returns where it ends. A match is held back
    // until the next byte is seen not to begin a better one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Parse(ref MatchFinder finder, ReadOnlySpan<byte> data, int start, int end)
    {
        var matches = finder;
        emitter.Clear();
        splitter.Clear();
        count = 0;
        ref var bytes = ref MemoryMarshal.GetReference(data);
        ref var literals = ref MemoryMarshal.GetArrayDataReference(emitter.Literals.Frequencies);
        var useful = MinMatch(data[start..Math.Min(end, start + 4096)]) - 1;
        var (at, from, check) = ((nint)start, (nint)start, (nint)start + MinBlockLength);
        var last = Math.Min(end, data.Length - MatchFinder.Lookahead) - 1;
        while (at < last)
        {
            if (at >= check)
            {
                // Until the next check there are fewer sequences than bytes.
                if (count > MaxSequences - MinBlockLength || splitter.IsEnd(emitter.Literals.Frequencies, (int)at - start))
                    break;
                check = data.Length - at < MinBlockLength ? nint.MaxValue : at + CheckInterval;
            }

            while (matches.NotedEnd <= at + 1)
                matches.LookAhead();
            for (var stop = Math.Min(matches.NotedEnd - 1, Math.Min(last, check)); at < stop; )
            {
                var held = matches.Find(at, useful, isFirst: true);
                if (held.IsNone)
                {
                    Unsafe.Add(ref literals, (nint)Unsafe.Add(ref bytes, at++))++;
                    continue;
                }

                while (held.Length < Good && at < stop)
                {
                    var later = matches.Find(at + 1, held.Length - 1, isFirst: false);
                    if (!IsBetter(later, held))
                        break;
                    Unsafe.Add(ref literals, (nint)Unsafe.Add(ref bytes, at++))++;
                    held = later;
                }

                AddMatch((int)(at - from), held);
                from = at += held.Length;
            }
        }

        if (at >= last)
        {
            for (; at < end; at++)
                Unsafe.Add(ref literals, (nint)Unsafe.Add(ref bytes, at))++;
        }

        if (at > from)
            sequences[count++] = new Sequence((int)(at - from), 0, 0);
        finder = matches;
        return (int)at;
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

using System.Globalization;

namespace ImagePublish.Reproducing;

/// <summary>Where the bytes of two files differ.</summary>
internal static class FileEvidence
{
    private const int MaxRanges = 3;

    // What differs in between is shown as one range: 8 bytes that happen to be the same say nothing.
    private const int Gap = 8;

    /// <summary>Describes it: <c>51,200 bytes, 12 of them differ: 0x88-0x93</c>.</summary>
    public static string Describe(ReadOnlySpan<byte> named, ReadOnlySpan<byte> rebuilt)
    {
        var ranges = new List<(int Start, int End)>();
        var differing = 0;
        var common = Math.Min(named.Length, rebuilt.Length);
        for (var index = 0; index < common; index++)
        {
            var same = named[index..common].CommonPrefixLength(rebuilt[index..common]);
            index += same;
            if (index >= common)
                break;
            differing++;
            if (ranges.Count > 0 && index - ranges[^1].End <= Gap)
                ranges[^1] = (ranges[^1].Start, index);
            else
                ranges.Add((index, index));
        }

        return named.Length == rebuilt.Length
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{differing:N0} of {common:N0} bytes differ{(ranges.Count == 0 ? "" : $": {Shown(ranges)}")}"
            )
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{named.Length:N0} bytes in the image and {rebuilt.Length:N0} here, different from byte 0x{First(ranges, common):x} on"
            );
    }

    /// <summary>Whether two texts have the same lines, ended differently.</summary>
    public static bool DiffersInLineEndsOnly(ReadOnlySpan<byte> named, ReadOnlySpan<byte> rebuilt) =>
        named.Length != rebuilt.Length
        && !named.Contains((byte)0)
        && WithoutCarriageReturns(named).AsSpan().SequenceEqual(WithoutCarriageReturns(rebuilt));

    /// <summary>A text with each line ended by CR and LF, or by LF alone.</summary>
    public static byte[] WithLineEnds(ReadOnlySpan<byte> text, bool areWindows)
    {
        var plain = WithoutCarriageReturns(text);
        if (!areWindows)
            return plain;
        var lines = new List<byte>(plain.Length + 256);
        foreach (var one in plain)
        {
            if (one == (byte)'\n')
                lines.Add((byte)'\r');
            lines.Add(one);
        }

        return [.. lines];
    }

    private static int First(List<(int Start, int End)> ranges, int common) => ranges.Count == 0 ? common : ranges[0].Start;

    private static string Shown(List<(int Start, int End)> ranges)
    {
        var shown = ranges.Take(MaxRanges).Select(Shown);
        var rest = ranges.Count - MaxRanges;
        return string.Join(", ", shown) + (rest > 0 ? string.Create(CultureInfo.InvariantCulture, $" and {rest:N0} more ranges") : "");
    }

    private static string Shown((int Start, int End) range) =>
        range.Start == range.End
            ? string.Create(CultureInfo.InvariantCulture, $"0x{range.Start:x}")
            : string.Create(CultureInfo.InvariantCulture, $"0x{range.Start:x}-0x{range.End:x}");

    private static byte[] WithoutCarriageReturns(ReadOnlySpan<byte> text)
    {
        var plain = new List<byte>(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] != (byte)'\r' || index + 1 == text.Length || text[index + 1] != (byte)'\n')
                plain.Add(text[index]);
        }

        return [.. plain];
    }
}

using System.Text;

namespace ImagePublish.Tests.Foreign;

/// <summary>
/// Makes bad input of good: the same for the same seed. CsCheck makes values of types; what is wanted here are bytes that are almost right.
/// </summary>
internal static class Mutator
{
    private const int BlockSize = 512;

    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "9223372036854775807",
            "99999999999999999999",
            "-1",
            "0",
            "77777777777",
            "1e999",
            "null",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\ud800",
            ":",
            ",",
            "=",
            "/",
            "..",
            "./",
            "\n",
            "\n ",
            "\r\n",
            " ",
            "\t",
            "\0",
            "[::1]",
            "%00",
            "@",
            "sha256:",
            "\u202e",
            "\uFEFF",
            "<title>",
            ";rel=next",
            "true",
            "é",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF, 0xFF, 0xFF, 0xFF],
        [0x80, 0, 0, 0],
        [0xC3],
        [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ];

    public static byte[] Mutate(IReadOnlyList<byte[]> samples, int seed)
    {
        var random = new Random(seed);
        var bytes = samples[random.Next(samples.Count)].ToList();
        for (var changes = random.Next(1, 8); changes > 0; changes--)
            Change(bytes, samples, random);
        var mutated = bytes.ToArray();
        if (random.Next(2) == 0)
            RepairChecksums(mutated);
        return mutated;
    }

    private static void Change(List<byte> bytes, IReadOnlyList<byte[]> samples, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, random.Next(2, 2000)), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                var part = bytes.GetRange(at, length);
                for (var times = random.Next(1, random.Next(2, 50)); times > 0; times--)
                    bytes.InsertRange(at, part);
                break;
            case 5:
                var other = samples[random.Next(samples.Count)];
                var from = random.Next(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, random.Next(other.Length - from)).ToArray());
                break;
            case 6:
                bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                break;
            default:
                ReplaceNumber(bytes, at, random);
                break;
        }
    }

    private static void ReplaceNumber(List<byte> bytes, int at, Random random)
    {
        var start = bytes.FindIndex(Math.Min(at, bytes.Count), value => value is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
            return;
        var end = bytes.FindIndex(start, value => value is < (byte)'0' or > (byte)'9');
        end = end < 0 ? bytes.Count : end;
        var digit = (byte)('0' + random.Next(10));
        // In place, as a field of a tar, or longer than any number.
        if (random.Next(2) == 0)
        {
            for (var index = start; index < end; index++)
                bytes[index] = digit;
            return;
        }

        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Enumerable.Repeat(digit, random.Next(1, 25)));
    }

    // Most of what is wrong in a tar's header would otherwise be hidden by its checksum.
    private static void RepairChecksums(byte[] bytes)
    {
        for (var at = 0; at + BlockSize <= bytes.Length; at += BlockSize)
        {
            var block = bytes.AsSpan(at, BlockSize);
            if (!block.Slice(257, 5).SequenceEqual("ustar"u8))
                continue;
            block.Slice(148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var value in block)
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
        }
    }
}

namespace ImagePublish.Common;

/// <summary>Finds what a misspelled name stands for.</summary>
internal static class Spelling
{
    private const int ShortName = 10;

    /// <summary>The known name that differs from a given one by a slip or two, or has its words in another order; null where there is
    /// none.</summary>
    public static string? FindIntended(string given, IReadOnlyCollection<string> known)
    {
        if (known.FirstOrDefault(name => WordsOf(name).SequenceEqual(WordsOf(given), StringComparer.Ordinal)) is { } reordered)
            return reordered;
        var slips = given.Length < ShortName ? 1 : 2;
        return known
            .Select(name => (Name: name, Slips: CountSlips(given.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(candidate => candidate.Slips <= slips)
            .OrderBy(candidate => candidate.Slips)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();
    }

    // ImagePublish has those of PublishImage.
    private static IEnumerable<string> WordsOf(string name)
    {
        var starts = Enumerable
            .Range(0, name.Length)
            .Where(at => at == 0 || char.IsAsciiLetterUpper(name[at]))
            .Append(name.Length)
            .ToList();
        return starts.Zip(starts.Skip(1), (start, end) => name[start..end]).Order(StringComparer.Ordinal);
    }

    // Damerau and Levenshtein: characters left out, added, exchanged, or in the wrong order.
    private static int CountSlips(string given, string known)
    {
        int[][] counts = [.. Enumerable.Range(0, given.Length + 1).Select(_ => new int[known.Length + 1])];
        for (var i = 0; i <= given.Length; i++)
            counts[i][0] = i;
        for (var j = 0; j <= known.Length; j++)
            counts[0][j] = j;
        for (var i = 1; i <= given.Length; i++)
        {
            for (var j = 1; j <= known.Length; j++)
            {
                var exchanged = counts[i - 1][j - 1] + (given[i - 1] == known[j - 1] ? 0 : 1);
                counts[i][j] = Math.Min(exchanged, Math.Min(counts[i - 1][j], counts[i][j - 1]) + 1);
                if (i > 1 && j > 1 && given[i - 1] == known[j - 2] && given[i - 2] == known[j - 1])
                    counts[i][j] = Math.Min(counts[i][j], counts[i - 2][j - 2] + 1);
            }
        }

        return counts[given.Length][known.Length];
    }
}

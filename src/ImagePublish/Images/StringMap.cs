namespace ImagePublish.Images;

/// <summary>Labels and annotations: names with values, in the order that makes documents the same everywhere.</summary>
internal static class StringMap
{
    /// <summary>Inherited pairs with others added; a later one of the same name wins.</summary>
    public static IReadOnlyDictionary<string, string>? Merge(
        IReadOnlyDictionary<string, string>? inherited,
        IReadOnlyList<KeyValuePair<string, string>> own
    )
    {
        var merged = new SortedList<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in inherited ?? new Dictionary<string, string>())
            merged[name] = value;
        foreach (var (name, value) in own)
            merged[name] = value;
        return merged.Count == 0 ? null : merged;
    }
}

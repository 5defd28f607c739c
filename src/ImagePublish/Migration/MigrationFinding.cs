namespace ImagePublish.Migration;

/// <summary>What becomes of an instruction or a setting.</summary>
internal enum MigrationState
{
    /// <summary>A property or an item of this package says it.</summary>
    Set,

    /// <summary>The image is so without a word.</summary>
    Default,

    /// <summary>Nothing of the image depends on it.</summary>
    NotNeeded,

    /// <summary>It is said, or left out, and somebody has to look whether that is meant.</summary>
    Check,

    /// <summary>It can't be said.</summary>
    ByHand,
}

/// <summary>What was found, where, and what becomes of it.</summary>
/// <param name="Source">The instruction or the setting.</param>
/// <param name="Line">Its line in the Dockerfile; 0 where it has none.</param>
internal sealed record MigrationFinding(string Source, int Line, MigrationState State, string Note)
{
    public IReadOnlyList<MigrationEntry> Entries { get; init; } = [];
}

/// <summary>A property or an item for the project file.</summary>
/// <param name="Value">The property's value or the item's <c>Include</c>; what only a build knows is marked.</param>
/// <param name="Metadata">Null for a property.</param>
internal sealed record MigrationEntry(string Name, string Value, IReadOnlyList<KeyValuePair<string, string>>? Metadata)
{
    private static readonly string[] SaidOnce = ["ImageEntrypoint", "ImageCommand", "ImageHealthcheck"];

    /// <summary>Whether wildcards of an item are meant.</summary>
    public bool IsPattern { get; init; }

    /// <summary>A list of words, of which each is one item; null where the value is one.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>By which two entries that contradict each other are found.</summary>
    public string Key => Metadata is null || SaidOnce.Contains(Name) ? Name : $"{Name} {Value}";

    public static MigrationEntry Property(string name, string value) => new(name, value, null);

    public static MigrationEntry Item(string name, string include, params IReadOnlyList<(string Name, string? Value)> metadata) =>
        new(name, include, [.. metadata.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value!))]);

    public static MigrationEntry List(string name, IReadOnlyList<string> words) => new(name, string.Join(';', words), []) { Words = words };
}

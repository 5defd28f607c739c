using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>What one layer contains, in the one order and shape that decide its digest.</summary>
internal sealed record LayerInput
{
    private LayerInput(string name, IReadOnlyList<LayerEntry> entries) => (Name, Entries) = (name, entries);

    public string Name { get; }

    /// <summary>Whether it is what a variant adds to the image.</summary>
    public bool IsOnTop { get; init; }

    /// <summary>Its entries: checked, unique, in ordinal order of their paths, parents before children.</summary>
    public IReadOnlyList<LayerEntry> Entries { get; }

    public long ContentLength => Entries.Sum(entry => entry.Content?.Length ?? 0);

    /// <summary>Reads what its tar needs of other images' layers.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task FetchFilesAsync(CancellationToken cancellationToken)
    {
        foreach (var files in Entries.Select(entry => entry.Content).OfType<FileInLayer>().GroupBy(file => file.Files))
            await files.Key.FetchAsync([.. files], cancellationToken);
    }

    /// <summary>Makes the canonical content of some entries.</summary>
    /// <remarks>
    /// Directories that are missing above an entry are added, but never those that a base image owns: a directory entry would replace their
    /// attributes. Entries given explicitly are kept as they are.
    /// </remarks>
    /// <exception cref="ImagePublishException"><c>IMG3001</c>, <c>IMG3004</c>: a path or name that can't be in a layer, or two entries for
    /// one path.</exception>
    public static LayerInput Create(
        string name,
        IEnumerable<LayerEntry> entries,
        LayerEntryDefaults? defaults = null,
        IReadOnlySet<string>? ownedByBase = null
    )
    {
        var known = new Dictionary<string, LayerEntry>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            LayerPath.Check(entry.Path);
            CheckShape(entry);
            if (!known.TryAdd(entry.Path, entry))
                CheckSame(known[entry.Path], entry);
        }

        foreach (var parent in LayerPath.ParentsOf(known.Keys))
            AddParent(known, parent, defaults ?? new LayerEntryDefaults(), ownedByBase);
        List<LayerEntry> ordered = [.. known.Values];
        ordered.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return new LayerInput(name, ordered);
    }

    private static void AddParent(
        Dictionary<string, LayerEntry> known,
        string parent,
        LayerEntryDefaults defaults,
        IReadOnlySet<string>? ownedByBase
    )
    {
        if (known.TryGetValue(parent, out var existing))
        {
            if (existing.Kind == LayerEntryKind.Directory)
                return;
            var below = known.Keys.First(path => path.StartsWith(parent + "/", StringComparison.Ordinal));
            throw new ImagePublishException(
                DiagnosticCodes.InvalidEntry,
                $"'{Text.Sanitize(parent)}' is a file or link and also the folder of '{Text.Sanitize(below)}'. Rename one of them."
            );
        }

        if (LayerPath.IsOwnedByBase(parent) || ownedByBase?.Contains(parent) == true)
            return;
        known.Add(
            parent,
            new LayerEntry(parent, LayerEntryKind.Directory)
            {
                Uid = defaults.Uid,
                Gid = defaults.Gid,
                Modified = defaults.Modified,
            }
        );
    }

    private static void CheckShape(LayerEntry entry)
    {
        if (
            (entry.Content is not null) != (entry.Kind == LayerEntryKind.File)
            || (entry.LinkTarget is not null) != (entry.Kind is LayerEntryKind.SymbolicLink or LayerEntryKind.HardLink)
        )
            throw new ArgumentException($"'{entry.Path}' is a {entry.Kind} without what makes one.");
        if (entry.Modified < DateTimeOffset.UnixEpoch || entry.Uid < 0 || entry.Gid < 0)
            throw LayerPath.Invalid(entry.Path, "has an owner below 0 or a time before 1970");
        if (entry.LinkTarget is { } target && (target.Length == 0 || target.Contains('\0', StringComparison.Ordinal)))
            throw LayerPath.Invalid(entry.Path, "links to nothing");
    }

    /// <summary>The same directory may be named twice; nothing else may.</summary>
    private static void CheckSame(LayerEntry first, LayerEntry second)
    {
        if (first.Kind == LayerEntryKind.Directory && first with { PublishPath = second.PublishPath } == second)
            return;
        throw new ImagePublishException(
            DiagnosticCodes.InvalidEntry,
            $"'{Text.Sanitize(first.Path)}' is added to the layer twice: by '{Text.Sanitize(SourceOf(first))}' and by "
                + $"'{Text.Sanitize(SourceOf(second))}'. Remove one of them."
        );
    }

    private static string SourceOf(LayerEntry entry) => entry.Content?.Source ?? entry.LinkTarget ?? entry.PublishPath ?? entry.Path;
}

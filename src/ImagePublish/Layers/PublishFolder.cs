using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>What <c>dotnet publish</c> wrote: it is what ships.</summary>
internal sealed class PublishFolder
{
    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        ReturnSpecialDirectories = false,
    };

    private readonly DirectoryInfo root;
    private readonly LayerEntryDefaults defaults;
    private readonly List<LayerEntry> entries = [];
    private readonly HashSet<string> executables = new(StringComparer.Ordinal);
    private bool keepsModes;

    private PublishFolder(DirectoryInfo root, LayerEntryDefaults defaults) => (this.root, this.defaults) = (root, defaults);

    /// <summary>Its directories, files and links, in ordinal order of their paths; no file is executable yet.</summary>
    public IReadOnlyList<LayerEntry> Entries => entries;

    /// <summary>Lists a folder's directories, files and links; contents are only opened where the rules ask for it.</summary>
    /// <remarks>
    /// Nothing of the build machine gets in but names, contents and whether a file is executable. A link stays a link when it points into
    /// the folder. The target folder itself and the directories above it are entries too, but none that a base image owns.
    /// </remarks>
    /// <exception cref="ImagePublishException"><c>IMG1008</c>: there is no such folder. <c>IMG3001</c>: a link leaves it or loops.
    /// <c>IMG3002</c>: a file can't be read. <c>IMG3004</c>: something that can't be in a layer. </exception>
    public static PublishFolder List(string folder, LayerEntryDefaults defaults, CancellationToken cancellationToken)
    {
        var root = new DirectoryInfo(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (!root.Exists)
            throw new ImagePublishException(
                DiagnosticCodes.PublishFolderEmpty,
                $"The publish folder '{Text.Sanitize(folder)}' does not exist. Publish the project first."
            );

        var listed = new PublishFolder(root, defaults);
        listed.ListAll(cancellationToken);
        return listed;
    }

    /// <summary>Finds which of some entries are executable.</summary>
    /// <param name="fingerprints">Those of the entries, for which each file was read already; null reads the beginning of each.</param>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read.</exception>
    public IReadOnlyList<LayerEntry> WithModes(
        IReadOnlyList<LayerEntry> chosen,
        IReadOnlyCollection<PublishItem> items,
        FileFingerprints? fingerprints
    )
    {
        var executableByMode = ReadExecuteBits(items);
        var read = new LayerEntry[chosen.Count];
        for (var index = 0; index < read.Length; index++)
        {
            var entry = chosen[index];
            if (entry.Content is { } content)
            {
                var kind = content is FileOnDisk file ? fingerprints?.KindOf(file) ?? Modes.KindOf(file.Path) : FileKind.Other;
                var mode = Modes.GetMode(kind, executableByMode.Contains(entry.PublishPath!));
                entry = mode == entry.Mode ? entry : entry with { Mode = mode };
            }

            read[index] = entry;
        }

        return read;
    }

    private void ListAll(CancellationToken cancellationToken)
    {
        ListFolder(root, "", cancellationToken);
        FolderLinks.Check(entries);
        if (defaults.TargetFolder.Length > 0)
            entries.AddRange(
                LayerPath
                    .ParentsOf(defaults.TargetFolder)
                    .Prepend(defaults.TargetFolder)
                    .Select(path => Owned(path, LayerEntryKind.Directory, null))
            );
        entries.RemoveAll(entry => entry.Kind == LayerEntryKind.Directory && LayerPath.IsOwnedByBase(entry.Path));
        entries.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
    }

    private void ListFolder(DirectoryInfo directory, string publishPath, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var info in DiskFiles.Guarded(directory.FullName, () => directory.GetFileSystemInfos("*", Everything)))
        {
            var path = LayerPath.Join(publishPath, info.Name);
            var entry = DiskFiles.Guarded(info.FullName, () => CreateEntry(info, path));
            LayerPath.Check(entry.Path);
            entries.Add(entry);
            if (entry.Kind == LayerEntryKind.Directory)
                ListFolder((DirectoryInfo)info, path, cancellationToken);
        }
    }

    private LayerEntry CreateEntry(FileSystemInfo info, string publishPath)
    {
        // Only what has this attribute can be a link: others need no look at their target.
        if (info.Attributes.HasFlag(FileAttributes.ReparsePoint) && info.LinkTarget is { } target)
            return Owned(LayerPath.Join(defaults.TargetFolder, publishPath), LayerEntryKind.SymbolicLink, publishPath) with
            {
                LinkTarget = FolderLinks.TargetInImage(root, publishPath, target),
            };
        return info is FileInfo file
            ? CreateFile(file, publishPath)
            : Owned(LayerPath.Join(defaults.TargetFolder, publishPath), LayerEntryKind.Directory, publishPath);
    }

    private LayerEntry CreateFile(FileInfo file, string publishPath)
    {
        if (file.Length == 0)
            SpecialFiles.Refuse(file, publishPath);
        if (Modes.HasExecuteBit(file))
            executables.Add(publishPath);
        else
            keepsModes = true;
        FileContent content = new FileOnDisk(file.FullName, file.Length);
        if (StaticWebAssets.IsAt(publishPath))
            content = StaticWebAssets.Canonical(content);
        return new(LayerPath.Join(defaults.TargetFolder, publishPath), LayerEntryKind.File)
        {
            Uid = defaults.Uid,
            Gid = defaults.Gid,
            Modified = StaticContent.IsAt(publishPath) ? StaticContent.TimeOf(content) : defaults.Modified,
            Content = content,
            PublishPath = publishPath,
        };
    }

    // Those that somebody wanted. A Windows drive in WSL, and some shares, give every file an execute bit: there, configuration and symbols
    // have one too, which nobody sets on purpose.
    private HashSet<string> ReadExecuteBits(IReadOnlyCollection<PublishItem> items)
    {
        if (executables.Count == 0 || defaults.Executables != ExecutableRule.ContentOrFileMode)
            return [];
        var known = LayerLayout.ByPath(items);
        var wanted = executables
            .Where(path => !StaticContent.IsAt(path) && known.GetValueOrDefault(path)?.HasMeaningfulMode != false)
            .ToHashSet(StringComparer.Ordinal);
        var areMeaningless =
            !keepsModes
            && wanted.Any(path =>
                Path.GetExtension(path) is ".json" or ".pdb" && Modes.KindOf(Path.Join(root.FullName, path)) == FileKind.Other
            );
        return areMeaningless ? [] : wanted;
    }

    private LayerEntry Owned(string path, LayerEntryKind kind, string? publishPath) =>
        new(path, kind)
        {
            Uid = defaults.Uid,
            Gid = defaults.Gid,
            Modified = defaults.Modified,
            PublishPath = publishPath,
        };
}

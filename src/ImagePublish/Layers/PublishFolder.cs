using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>Reads what <c>dotnet publish</c> wrote: it is what ships.</summary>
internal static class PublishFolder
{
    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        ReturnSpecialDirectories = false,
    };

    /// <summary>Reads a folder's directories, files and links; contents are only opened where the rules ask for it.</summary>
    /// <remarks>
    /// Nothing of the build machine gets in but names, contents and whether a file is executable. A link stays a link when it points into
    /// the folder. The target folder itself and the directories above it are entries too, but none that a base image owns.
    /// </remarks>
    /// <exception cref="ImagePublishException"><c>IMG1008</c>: there is no such folder. <c>IMG3001</c>: a link leaves it or loops.
    /// <c>IMG3002</c>: a file can't be read. <c>IMG3004</c>: something that can't be in a layer. </exception>
    public static IReadOnlyList<LayerEntry> Read(
        string folder,
        LayerEntryDefaults defaults,
        IReadOnlyCollection<PublishItem> items,
        CancellationToken cancellationToken
    )
    {
        var root = new DirectoryInfo(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (!root.Exists)
            throw new ImagePublishException(
                DiagnosticCodes.PublishFolderEmpty,
                $"The publish folder '{Text.Sanitize(folder)}' does not exist. Publish the project first."
            );

        return new Reader(root, defaults, items, cancellationToken).Read();
    }

    private sealed class Reader(
        DirectoryInfo root,
        LayerEntryDefaults defaults,
        IReadOnlyCollection<PublishItem> items,
        CancellationToken cancellationToken
    )
    {
        private readonly List<LayerEntry> entries = [];
        private readonly IReadOnlyDictionary<string, PublishItem> known = LayerLayout.ByPath(items);
        private readonly HashSet<string> executableByMode = new(StringComparer.Ordinal);
        private bool keepsModes;

        public List<LayerEntry> Read()
        {
            ReadFolder(root, "");
            if (!keepsModes)
                ForgetModes();
            FolderLinks.Check(entries);
            if (defaults.TargetFolder.Length > 0)
                entries.AddRange(
                    LayerPath.ParentsOf(defaults.TargetFolder).Prepend(defaults.TargetFolder).Select(path => Directory(path, null))
                );
            entries.RemoveAll(entry => entry.Kind == LayerEntryKind.Directory && LayerPath.IsOwnedByBase(entry.Path));
            entries.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
            return entries;
        }

        private void ReadFolder(DirectoryInfo directory, string publishPath)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var info in DiskFiles.Guarded(directory.FullName, () => directory.GetFileSystemInfos("*", Everything)))
            {
                var path = LayerPath.Join(publishPath, info.Name);
                var entry = ReadEntry(info, path);
                LayerPath.Check(entry.Path);
                entries.Add(entry);
                if (entry.Kind == LayerEntryKind.Directory)
                    ReadFolder((DirectoryInfo)info, path);
            }
        }

        private LayerEntry ReadEntry(FileSystemInfo info, string publishPath)
        {
            if (DiskFiles.Guarded(info.FullName, () => info.LinkTarget) is { } target)
                return Owned(publishPath, LayerEntryKind.SymbolicLink) with
                {
                    LinkTarget = FolderLinks.TargetInImage(root, publishPath, target),
                };
            return info is FileInfo file
                ? File(file, publishPath)
                : Directory(LayerPath.Join(defaults.TargetFolder, publishPath), publishPath);
        }

        private LayerEntry File(FileInfo file, string publishPath)
        {
            var length = DiskFiles.Guarded(file.FullName, () => file.Length);
            if (length == 0)
                SpecialFiles.Refuse(file, publishPath);
            FileContent content = new FileOnDisk(file.FullName, length);
            if (StaticWebAssets.IsAt(publishPath))
                content = StaticWebAssets.Canonical(content);
            return Owned(publishPath, LayerEntryKind.File) with
            {
                Mode = DiskFiles.Guarded(file.FullName, () => ModeOf(file, publishPath)),
                Content = content,
                Modified = StaticContent.IsAt(publishPath) ? StaticContent.TimeOf(content) : defaults.Modified,
            };
        }

        private UnixFileMode ModeOf(FileInfo file, string publishPath)
        {
            keepsModes |= !Modes.HasExecuteBit(file);
            var isMeaningful = !StaticContent.IsAt(publishPath) && known.GetValueOrDefault(publishPath)?.HasMeaningfulMode != false;
            var mode = Modes.GetMode(file, isMeaningful ? defaults.Executables : ExecutableRule.Content, out var isByFileMode);
            if (isByFileMode)
                executableByMode.Add(publishPath);
            return mode;
        }

        // A Windows drive in WSL, and some shares, give every file an execute bit: there, configuration and symbols have one too, which
        // nobody sets on purpose.
        private void ForgetModes()
        {
            if (
                !entries.Any(entry =>
                    entry.PublishPath is { } path && executableByMode.Contains(path) && Path.GetExtension(path) is ".json" or ".pdb"
                )
            )
                return;
            for (var index = 0; index < entries.Count; index++)
            {
                if (entries[index].PublishPath is { } path && executableByMode.Contains(path))
                    entries[index] = entries[index] with { Mode = Modes.Plain };
            }
        }

        private LayerEntry Directory(string path, string? publishPath) =>
            new(path, LayerEntryKind.Directory)
            {
                Uid = defaults.Uid,
                Gid = defaults.Gid,
                Modified = defaults.Modified,
                PublishPath = publishPath,
            };

        private LayerEntry Owned(string publishPath, LayerEntryKind kind) =>
            new(LayerPath.Join(defaults.TargetFolder, publishPath), kind)
            {
                Uid = defaults.Uid,
                Gid = defaults.Gid,
                Modified = defaults.Modified,
                PublishPath = publishPath,
            };
    }
}

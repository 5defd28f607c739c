using System.Formats.Tar;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Deb;

/// <summary>Reads a package's files as entries of a layer.</summary>
/// <remarks>
/// A hard link becomes a file with the same content. Set-user-id and set-group-id bits are dropped: nothing in an image of an app should
/// gain rights.
/// Devices and pipes are refused.
/// </remarks>
internal static class PackageFiles
{
    private const UnixFileMode Kept = (UnixFileMode)0x1FF | UnixFileMode.StickyBit;

    /// <summary>Reads a package's files.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6008</c>: it is damaged, or has what an image may not have.</exception>
    public static async Task<IReadOnlyList<LayerEntry>> ReadAsync(
        UnpackedPackage package,
        Func<string, string?> place,
        ContentBudget budget,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // A tar that lies about its lengths is found out by the reader, which seeks in the file.
            await using var file = new FileStream(package.DataTar, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
            await using var tar = new BudgetedTarReader(file, budget);
            var entries = new List<LayerEntry>();
            var files = new Dictionary<string, FileContent>(StringComparer.Ordinal);
            while (await tar.NextAsync(cancellationToken) is { } entry)
            {
                if (entry.EntryType == TarEntryType.GlobalExtendedAttributes || PathOf(entry.Name) is not { Length: > 0 } path)
                    continue;
                var content = ContentOf(package, entry, files);
                if (content is not null)
                    files[path] = content;
                if (place(path) is { } target)
                    entries.Add(EntryOf(entry, target, content));
            }

            return entries;
        }
        catch (Exception exception) when (UnpackedPackage.IsDamage(exception))
        {
            throw PackageErrors.Invalid(package.Package.ToString(), exception.Message, exception);
        }
    }

    private static LayerEntry EntryOf(TarEntry entry, string path, FileContent? content)
    {
        var kind = entry.EntryType switch
        {
            TarEntryType.Directory => LayerEntryKind.Directory,
            TarEntryType.SymbolicLink => LayerEntryKind.SymbolicLink,
            _ => LayerEntryKind.File,
        };
        var made = new LayerEntry(path, kind)
        {
            Uid = entry.Uid,
            Gid = entry.Gid,
            Content = content,
        };
        return kind == LayerEntryKind.SymbolicLink ? made with { LinkTarget = entry.LinkName } : made with { Mode = entry.Mode & Kept };
    }

    private static FileContent? ContentOf(UnpackedPackage package, TarEntry entry, Dictionary<string, FileContent> files) =>
        entry.EntryType switch
        {
            TarEntryType.Directory or TarEntryType.SymbolicLink => null,
            TarEntryType.RegularFile or TarEntryType.V7RegularFile => entry.Length == 0
                ? new FileInMemory(ReadOnlyMemory<byte>.Empty)
                : new FileInTar(package.DataTar, entry.DataOffset, entry.Length),
            TarEntryType.HardLink => files.GetValueOrDefault(PathOf(entry.LinkName))
                ?? throw new InvalidDataException($"'{entry.Name}' is a hard link to '{entry.LinkName}', which it does not have"),
            TarEntryType.CharacterDevice or TarEntryType.BlockDevice or TarEntryType.Fifo => throw new InvalidDataException(
                $"'{entry.Name}' is a device or pipe"
            ),
            _ => throw new InvalidDataException($"'{entry.Name}' is of the unknown kind {entry.EntryType}"),
        };

    private static string PathOf(string name)
    {
        var path =
            name.StartsWith("./", StringComparison.Ordinal) ? name[2..]
            : name == "." ? ""
            : name;
        path = path.TrimEnd('/');
        return path.StartsWith('/') || path.Split('/').Contains("..") ? throw new InvalidDataException($"'{name}' leaves the image") : path;
    }
}

/// <summary>A file of a package, read out of the package's tar: nothing of a package is ever put on disk under a name of its own
/// choice.</summary>
internal sealed record FileInTar(string Tar, long Offset, long Length) : FileContent(Length)
{
    public override string Source => Tar;

    public override Stream Open() =>
        new SliceStream(
            new FileStream(Tar, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete) { Position = Offset },
            Length
        );
}

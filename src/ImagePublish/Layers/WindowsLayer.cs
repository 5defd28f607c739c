using System.Buffers;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>Lays a layer out as Windows containers expect it.</summary>
/// <remarks>
/// Files are under <c>Files/</c>, registry hives under <c>Hives/</c>, and each entry carries its attributes and security descriptor as PAX
/// records. <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#distributable-format">image-spec, layers</see> and
/// hcsshim's <c>ociwclayer</c>.
/// </remarks>
internal static class WindowsLayer
{
    public const string FilesFolder = "Files";

    public const string HivesFolder = "Hives";

    private const string DirectoryAttribute = "16";
    private const string ArchiveAttribute = "32";

    /// <summary>A self-relative security descriptor with owner and group <c>S-1-5-32-545</c>, the built-in users, and neither access nor
    /// audit list.</summary>
    private const string UsersSecurityDescriptor = "AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA==";

    private static readonly SearchValues<char> Forbidden = SearchValues.Create("<>:\"|?*");

    /// <summary>Lays a layer out for Windows.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3004</c>: a link, a name that Windows does not have, or names that differ only in
    /// case, which would be one file there.</exception>
    public static LayerInput Create(LayerInput content)
    {
        var names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in content.Entries)
            Check(entry, names);

        LayerEntry[] roots = [new(FilesFolder, LayerEntryKind.Directory), new(HivesFolder, LayerEntryKind.Directory)];
        var entries = roots.Concat(content.Entries.Select(InFilesFolder)).Select(WithAttributes);
        return LayerInput.Create(content.Name, entries) with { IsOnTop = content.IsOnTop };
    }

    private static LayerEntry InFilesFolder(LayerEntry entry) =>
        entry with
        {
            Path = $"{FilesFolder}/{entry.Path}",
            LinkTarget = entry.Kind == LayerEntryKind.HardLink ? $"{FilesFolder}/{entry.LinkTarget}" : entry.LinkTarget,
        };

    private static LayerEntry WithAttributes(LayerEntry entry) =>
        entry with
        {
            PaxAttributes = new Dictionary<string, string>(entry.PaxAttributes ?? new Dictionary<string, string>(), StringComparer.Ordinal)
            {
                ["MSWINDOWS.fileattr"] = entry.Kind == LayerEntryKind.Directory ? DirectoryAttribute : ArchiveAttribute,
                ["MSWINDOWS.rawsd"] = UsersSecurityDescriptor,
            },
        };

    private static void Check(LayerEntry entry, Dictionary<string, string> names)
    {
        if (entry.Kind == LayerEntryKind.SymbolicLink)
            throw LayerPath.Invalid(entry.Path, "is a symbolic link, and the image is for Windows");
        if (entry.Path.AsSpan().ContainsAny(Forbidden) || entry.Path.Split('/').Any(name => name[^1] is '.' or ' '))
            throw LayerPath.Invalid(entry.Path, "has a name that Windows does not allow");
        if (!names.TryAdd(entry.Path, entry.Path))
            throw LayerPath.Invalid(
                entry.Path,
                $"differs from '{Text.Sanitize(names[entry.Path])}' only in case, and the image is for Windows"
            );
    }
}

using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Reads what a project adds to its image besides the publish output: <c>ImageFile</c>, <c>ImageDirectory</c> and <c>ImageSymlink</c>.
/// </summary>
internal sealed class AddedEntryReader(string folder, SourceFolders sources)
{
    /// <summary>Reads all of it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>, <c>IMG1016</c>: something can't be understood.</exception>
    public IReadOnlyList<AddedEntry> Read(PublishImageInputs inputs) =>
        [
            .. inputs.Directories.Select(item => Entry(item, ItemLocations.Directory, LayerEntryKind.Directory, item.ItemSpec)),
            .. inputs.Files.Select(item => File(item, inputs)),
            .. inputs.Symlinks.Select(Symlink),
        ];

    private AddedEntry File(ITaskItem item, PublishTask inputs)
    {
        var path = inputs.ResolvePath(item.ItemSpec);
        if (Directory.Exists(path))
            throw Refused(
                ItemLocations.Locate(item, ItemLocations.File),
                $"'{path}' is a folder. Name its files, for example {item.ItemSpec.TrimEnd('/', '\\')}/**"
            );
        if (!System.IO.File.Exists(path))
            throw Refused(ItemLocations.Locate(item, ItemLocations.File), $"there is no file '{path}'");
        return Entry(item, ItemLocations.File, LayerEntryKind.File, TargetOf(item, Path.GetFileName(path))) with
        {
            SourceFile = path,
            IsFromPackage = sources.PackageOf(path) is not null,
        };
    }

    private AddedEntry Symlink(ITaskItem item)
    {
        var target = InputParser.Optional(item.GetMetadata("LinkTarget"))
            ?? throw InputParser.Invalid(
                ItemLocations.Locate(item, ItemLocations.Symlink),
                "it needs the metadata LinkTarget: what the link points at"
            );
        return Entry(item, ItemLocations.Symlink, LayerEntryKind.SymbolicLink, item.ItemSpec) with { LinkTarget = target };
    }

    // A folder keeps what a pattern found below its fixed part.
    private static string TargetOf(ITaskItem item, string name)
    {
        var target = InputParser.Optional(item.GetMetadata("TargetPath")) ?? "./";
        return target.EndsWith('/') || target.EndsWith('\\') ? target + item.GetMetadata("RecursiveDir") + name : target;
    }

    private AddedEntry Entry(ITaskItem item, string kind, LayerEntryKind entryKind, string path)
    {
        var source = ItemLocations.Locate(item, kind);
        return new AddedEntry(source, entryKind, PathInImage(source, path))
        {
            Mode = ReadMode(item, source),
            Owner = ReadOwner(item, source),
            Layer = InputParser.Optional(item.GetMetadata("Layer")),
        };
    }

    // Relative paths begin at the app's folder; either separator will do, since project files are written on Windows too.
    private string PathInImage(ItemSource item, string path)
    {
        var parts = path.Replace('\\', '/').Split('/').ToList();
        if (parts[0] is [>= 'A' and <= 'z', ':'])
            parts[0] = "";
        if (parts.Contains(".."))
            throw Refused(item, $"'{path}' has a '..', which could leave the image's root. Write the path from the root");
        var names = parts.Where(part => part is not ("" or "."));
        var joined = string.Join(
            '/',
            parts[0].Length == 0 ? names : folder.Split('/', StringSplitOptions.RemoveEmptyEntries).Concat(names)
        );
        return joined.Length > 0 ? joined : throw Refused(item, "the root itself belongs to the base image");
    }

    private static UnixFileMode? ReadMode(ITaskItem item, ItemSource source)
    {
        if (InputParser.Optional(item.GetMetadata("Mode")) is not { } text)
            return null;
        return text.Length is 3 or 4 && text.All(digit => digit is >= '0' and <= '7')
            ? (UnixFileMode)Convert.ToInt32(text, 8)
            : throw InputParser.Invalid(
                source,
                string.Create(CultureInfo.InvariantCulture, $"its Mode '{text}' is not three or four octal digits, such as 0644")
            );
    }

    private static FileOwner? ReadOwner(ITaskItem item, ItemSource source)
    {
        if (InputParser.Optional(item.GetMetadata("Owner")) is not { } text)
            return null;
        return FileOwner.TryParse(text, out var owner)
            ? owner
            : throw InputParser.Invalid(source, $"its Owner '{text}' is not user or user:group, by name or number");
    }

    private static ImagePublishException Refused(ItemSource item, string why) =>
        new(DiagnosticCodes.InvalidTarget, $"{item} can't be put into the image: {why}.") { Item = item };
}

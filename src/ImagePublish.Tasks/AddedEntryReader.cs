using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Reads what a project adds to its image besides the publish output: <c>ImageFile</c>, <c>ImageDirectory</c> and <c>ImageSymlink</c>.
/// </summary>
internal sealed class AddedEntryReader(string folder, SourceFolders sources)
{
    /// <summary>The variant whose items go on top, to a layer of its name; null for the project's own image.</summary>
    public string? Variant { get; init; }

    /// <summary>Reads all of it that is on this machine.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>, <c>IMG1016</c>: something can't be understood.</exception>
    public IReadOnlyList<AddedEntry> Read(PublishImageInputs inputs) =>
        [
            .. inputs.Directories.Select(item => Entry(item, ItemLocations.Directory, LayerEntryKind.Directory, item.ItemSpec)),
            .. inputs.Files.Where(item => !IsOfImage(item)).Select(item => File(item, inputs)),
            .. inputs.Symlinks.Select(Symlink),
        ];

    /// <summary>Reads what is taken from other images.</summary>
    /// <param name="read">Reads the name of an image.</param>
    /// <param name="readTrust">Reads whose signatures it must have.</param>
    /// <exception cref="ImagePublishException"><c>IMG1001</c>, <c>IMG1007</c>, <c>IMG1016</c>: something can't be understood.</exception>
    public IReadOnlyList<FilesOfImage> ReadOfImages(
        ITaskItem[] files,
        Func<ItemSource, string, ImageSource> read,
        Func<ItemSource, string, TrustPolicy?> readTrust
    ) =>
        [
            .. files
                .Where(IsOfImage)
                .Select(item =>
                    OfImage(item, read) with
                    {
                        Trust = readTrust(ItemLocations.Locate(item, ItemLocations.File), item.GetMetadata("Trust")),
                    }
                ),
        ];

    private const string From = "From";

    private static bool IsOfImage(ITaskItem item) => InputParser.Optional(item.GetMetadata(From)) is not null;

    // MSBuild looks for what has a '*' on this machine, so the path may also be said in a metadata.
    private FilesOfImage OfImage(ITaskItem item, Func<ItemSource, string, ImageSource> read)
    {
        var source = ItemLocations.Locate(item, ItemLocations.File);
        var image = read(source, item.GetMetadata(From));
        var path = InputParser.Optional(item.GetMetadata("Path")) ?? item.ItemSpec;
        var target = InputParser.Optional(item.GetMetadata("TargetPath"));
        return new FilesOfImage(source, image, Joined(source, path, relativeTo: ""))
        {
            Target = target is null ? null : Joined(source, target, folder),
            IsIntoTarget = target is not null && (target.EndsWith('/') || target.EndsWith('\\')),
            Mode = ReadMode(item, source),
            Owner = ReadOwner(item, source),
            Layer = LayerOf(item),
            IsOnTop = IsOnTop(item),
        };
    }

    private bool IsOnTop(ITaskItem item) => Variant is not null && ImageVariant.NamesOf(item).Length > 0;

    private string? LayerOf(ITaskItem item) => InputParser.Optional(item.GetMetadata("Layer")) ?? (IsOnTop(item) ? Variant : null);

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
            Layer = LayerOf(item),
            IsOnTop = IsOnTop(item),
        };
    }

    // Relative paths begin at the app's folder; either separator will do, since project files are written on Windows too.
    private string PathInImage(ItemSource item, string path) =>
        Joined(item, path, folder) is { Length: > 0 } joined ? joined : throw Refused(item, "the root itself belongs to the base image");

    private static string Joined(ItemSource item, string path, string relativeTo)
    {
        var parts = path.Replace('\\', '/').Split('/').ToList();
        if (parts[0] is [>= 'A' and <= 'z', ':'])
            parts[0] = "";
        if (parts.Contains(".."))
            throw Refused(item, $"'{path}' has a '..', which could leave the image's root. Write the path from the root");
        var names = parts.Where(part => part is not ("" or "."));
        return string.Join('/', parts[0].Length == 0 ? names : relativeTo.Split('/', StringSplitOptions.RemoveEmptyEntries).Concat(names));
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

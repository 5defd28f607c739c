using System.Text;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What an image has of what apps need.</summary>
internal sealed class ImageInventory
{
    private static readonly string[] LibraryFolders = ["usr/lib", "lib", "lib64", "usr/lib64", "usr/local/lib"];
    private static readonly string[] FontFolders = ["usr/share/fonts", "usr/local/share/fonts"];

    private readonly HashSet<string> libraries = new(StringComparer.Ordinal);

    // The files that links of the loader's names lead to, by those names.
    private readonly Dictionary<string, string> links = new(StringComparer.Ordinal);

    /// <summary>What the layers of an image have.</summary>
    public ImageInventory(BaseFileSystem below)
    {
        foreach (var folder in LibraryFolders)
            AddLibraries(below, folder);
        HasTimeZones = below.FilesBelow("usr/share/zoneinfo").Any();
        HasAuthorities = below.FilesBelow("etc/ssl/certs").Any();
        HasFonts = FontFolders.Any(folder => below.FilesBelow(folder).Any(IsFont));
        HasDpkg = below.FilesBelow("var/lib/dpkg").Any();
        OsRelease = below.TextOf("etc/os-release");
    }

    private ImageInventory(BinaryReader record)
    {
        HasTimeZones = record.ReadBoolean();
        HasAuthorities = record.ReadBoolean();
        HasFonts = record.ReadBoolean();
        HasDpkg = record.ReadBoolean();
        OsRelease = record.ReadString();
        for (var left = record.ReadInt32(); left > 0; left--)
            libraries.Add(record.ReadString());
        for (var left = record.ReadInt32(); left > 0; left--)
            links[record.ReadString()] = record.ReadString();
    }

    public bool HasTimeZones { get; private set; }

    public bool HasAuthorities { get; private set; }

    public bool HasFonts { get; private set; }

    public bool HasDpkg { get; }

    public string OsRelease { get; }

    public bool IsMusl => libraries.Any(name => name.StartsWith("ld-musl-", StringComparison.Ordinal)) && !Has("libc.so.6");

    public bool Has(string library) => libraries.Contains(library);

    public bool HasAny(string prefix) => libraries.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>What an app could find here and not there. The name of a file with a version counts only where no link of the loader's name
    /// leads to it, as <c>libz.so.1</c> does to <c>libz.so.1.3.1</c>: programs ask for the link.</summary>
    public IReadOnlyList<string> LostIn(ImageInventory other)
    {
        var linked = links.Where(link => other.Has(link.Key)).Select(link => link.Value).ToHashSet(StringComparer.Ordinal);
        (bool IsLost, string Name)[] others =
        [
            (HasTimeZones && !other.HasTimeZones, "time zones"),
            (HasAuthorities && !other.HasAuthorities, "certificate authorities"),
            (HasFonts && !other.HasFonts, "fonts"),
        ];
        return
        [
            .. libraries.Where(name => !other.Has(name) && !linked.Contains(name)).Order(StringComparer.Ordinal),
            .. others.Where(one => one.IsLost).Select(one => one.Name),
        ];
    }

    /// <summary>Adds what is put on those layers.</summary>
    public void Add(IEnumerable<LayerEntry> files)
    {
        foreach (var path in files.Where(entry => entry.Kind != LayerEntryKind.Directory).Select(entry => entry.Path))
            Add(path);
    }

    /// <summary>Writes it for <see cref="Read"/>.</summary>
    public byte[] Write()
    {
        var bytes = new MemoryStream();
        using var record = new BinaryWriter(bytes, Encoding.UTF8);
        record.Write(HasTimeZones);
        record.Write(HasAuthorities);
        record.Write(HasFonts);
        record.Write(HasDpkg);
        record.Write(OsRelease);
        record.Write(libraries.Count);
        foreach (var name in libraries)
            record.Write(name);
        record.Write(links.Count);
        foreach (var (name, file) in links)
        {
            record.Write(name);
            record.Write(file);
        }

        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static ImageInventory Read(byte[] bytes)
    {
        using var record = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        return new ImageInventory(record);
    }

    private void AddLibraries(BaseFileSystem below, string folder)
    {
        foreach (var path in below.FilesBelow(folder).Where(path => IsLibrary(NameOf(path))))
        {
            libraries.Add(NameOf(path));
            if (below.Find(path) is { Kind: LayerEntryInfoKind.SymbolicLink, LinkTarget: { } target } && NameOf(target) != NameOf(path))
                links[NameOf(path)] = NameOf(target);
        }
    }

    private void Add(string path)
    {
        if (IsLibrary(NameOf(path)))
            libraries.Add(NameOf(path));
        HasTimeZones |= path.StartsWith("usr/share/zoneinfo/", StringComparison.Ordinal);
        HasAuthorities |= path.StartsWith("etc/ssl/certs/", StringComparison.Ordinal);
        HasFonts |= IsFont(path);
    }

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static bool IsLibrary(string name) => name.Contains(".so", StringComparison.Ordinal);

    private static bool IsFont(string path) => Path.GetExtension(path) is ".ttf" or ".otf" or ".ttc" or ".pfb" or ".woff2";
}

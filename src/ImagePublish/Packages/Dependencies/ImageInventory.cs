using ImagePublish.Layers;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What an image has of what apps need.</summary>
internal sealed class ImageInventory
{
    private static readonly string[] LibraryFolders = ["usr/lib", "lib", "lib64", "usr/lib64", "usr/local/lib"];
    private static readonly string[] FontFolders = ["usr/share/fonts", "usr/local/share/fonts"];

    private readonly HashSet<string> libraries = new(StringComparer.Ordinal);

    public ImageInventory(BaseFileSystem below, IEnumerable<LayerEntry> added)
    {
        foreach (var folder in LibraryFolders)
            libraries.UnionWith(below.FilesBelow(folder).Select(NameOf).Where(IsLibrary));
        HasTimeZones = below.FilesBelow("usr/share/zoneinfo").Any();
        HasAuthorities = below.FilesBelow("etc/ssl/certs").Any();
        HasFonts = FontFolders.Any(folder => below.FilesBelow(folder).Any(IsFont));
        HasDpkg = below.FilesBelow("var/lib/dpkg").Any();
        OsRelease = below.TextOf("etc/os-release");
        foreach (var path in added.Where(entry => entry.Kind != LayerEntryKind.Directory).Select(entry => entry.Path))
            Add(path);
    }

    public bool HasTimeZones { get; private set; }

    public bool HasAuthorities { get; private set; }

    public bool HasFonts { get; private set; }

    public bool HasDpkg { get; }

    public string OsRelease { get; }

    public bool IsMusl => libraries.Any(name => name.StartsWith("ld-musl-", StringComparison.Ordinal)) && !Has("libc.so.6");

    public bool Has(string library) => libraries.Contains(library);

    public bool HasAny(string prefix) => libraries.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));

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

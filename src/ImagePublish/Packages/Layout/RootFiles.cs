using System.Text;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Layout;

/// <summary>What maintainer scripts would make in an image that begins empty: users, folders, name lookup.</summary>
internal static class RootFiles
{
    /// <summary>The user without rights that the app runs as: the number that Microsoft's images use.</summary>
    public const int AppId = 1654;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Shared = (UnixFileMode)0x1FF | UnixFileMode.StickyBit;

    private static readonly string[] Folders =
    [
        "dev",
        "etc",
        "home",
        "proc",
        "run",
        "sys",
        "usr",
        "usr/bin",
        "usr/lib",
        "usr/sbin",
        "usr/share",
        "var",
        "var/lib",
        "var/log",
        "var/cache",
    ];

    public static IEnumerable<LayerEntry> All()
    {
        foreach (var folder in Folders)
            yield return new LayerEntry(folder, LayerEntryKind.Directory);
        yield return new LayerEntry("root", LayerEntryKind.Directory) { Mode = Private };
        yield return new LayerEntry("tmp", LayerEntryKind.Directory) { Mode = Shared };
        yield return new LayerEntry("var/tmp", LayerEntryKind.Directory) { Mode = Shared };
        yield return new LayerEntry("home/app", LayerEntryKind.Directory)
        {
            Mode = Private,
            Uid = AppId,
            Gid = AppId,
        };
        yield return File(
            "etc/passwd",
            "root:x:0:0:root:/root:/sbin/nologin\n"
                + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
                + $"app:x:{AppId}:{AppId}:app:/home/app:/sbin/nologin\n"
        );
        yield return File("etc/group", $"root:x:0:\nnogroup:x:65534:\ntty:x:5:\nstaff:x:50:\napp:x:{AppId}:\n");
        yield return File(
            "etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n"
        );
    }

    public static LayerEntry File(string path, string text) =>
        new(path, LayerEntryKind.File) { Content = new FileInMemory(Encoding.UTF8.GetBytes(text)) };

    public static LayerEntry Link(string path, string target) => new(path, LayerEntryKind.SymbolicLink) { LinkTarget = target };
}

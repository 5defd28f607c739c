using System.Collections.Frozen;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

internal static class LayerPath
{
    private const int MaxNameBytes = 255;
    private const int MaxPathBytes = 4095;

    /// <summary>Directories that a base image owns. A directory entry replaces the attributes of the one below it (a sticky <c>/tmp</c>, a
    /// private <c>/root</c>), so layers don't bring them along as parents of their files.</summary>
    private static readonly FrozenSet<string> OwnedByBase = FrozenSet.Create(
        StringComparer.Ordinal,
        "",
        "bin",
        "boot",
        "dev",
        "etc",
        "etc/opt",
        "etc/ssl",
        "etc/ssl/certs",
        "home",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "media",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "usr/bin",
        "usr/include",
        "usr/lib",
        "usr/lib32",
        "usr/lib64",
        "usr/libexec",
        "usr/local",
        "usr/local/bin",
        "usr/local/etc",
        "usr/local/include",
        "usr/local/lib",
        "usr/local/sbin",
        "usr/local/share",
        "usr/sbin",
        "usr/share",
        "usr/share/ca-certificates",
        "usr/share/doc",
        "usr/share/dotnet",
        "usr/share/fonts",
        "usr/share/zoneinfo",
        "usr/src",
        "var",
        "var/cache",
        "var/lib",
        "var/local",
        "var/lock",
        "var/log",
        "var/mail",
        "var/opt",
        "var/run",
        "var/spool",
        "var/tmp",
        "Files",
        "Files/Program Files",
        "Files/ProgramData",
        "Files/Users",
        "Files/Windows",
        "Hives"
    );

    public static bool IsOwnedByBase(string path) => OwnedByBase.Contains(path);

    /// <summary>The permissions that such a directory has in every usual base.</summary>
    public static UnixFileMode UsualModeOf(string ownedByBase) =>
        (UnixFileMode)(
            ownedByBase switch
            {
                "tmp" or "var/tmp" => 0b1_111_111_111,
                "root" => 0b111_000_000,
                _ => 0b111_101_101,
            }
        );

    /// <summary>Those of the app's folder and the ones above it that the base's files have to be read for: homes, and what only root may
    /// read or everybody may write to. Others are root's and open to be read in every usual base.</summary>
    public static IEnumerable<string> BaseFoldersOf(string appFolder) =>
        ParentsOf(appFolder)
            .Prepend(appFolder)
            .Where(parent => parent.Split('/') is ["tmp" or "root", ..] or ["var", "tmp", ..] || IsHome(parent));

    // Not that of Azure Functions: it is root's, in bases of a gigabyte.
    private static bool IsHome(string path) => path.Split('/') is ["home", not "site", ..];

    public static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    public static string ParentOf(string path) => path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : "";

    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>The directories above a path, the nearest first, without the root.</summary>
    public static IEnumerable<string> ParentsOf(string path)
    {
        for (var parent = ParentOf(path); parent.Length > 0; parent = ParentOf(parent))
            yield return parent;
    }

    /// <summary>The directories above many paths, each of them once, without the root.</summary>
    public static HashSet<string> ParentsOf(IEnumerable<string> paths)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var last = "";
        foreach (var path in paths)
        {
            // Most paths are in the same directory as the one before.
            if (IsDirectlyIn(path, last))
                continue;
            last = ParentOf(path);
            for (var parent = last; parent.Length > 0 && found.Add(parent); )
                parent = ParentOf(parent);
        }

        return found;
    }

    private static bool IsDirectlyIn(string path, string folder) =>
        path.LastIndexOf('/') == folder.Length && path.StartsWith(folder, StringComparison.Ordinal);

    /// <summary>Refuses a path that would not be the same thing to every reader of the layer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3001</c>: it leaves the image. <c>IMG3004</c>: a name that can't be in a
    /// layer.</exception>
    public static void Check(string path)
    {
        if (path.StartsWith('/') || (path.Contains("..", StringComparison.Ordinal) && path.Split('/').Contains("..")))
            throw new ImagePublishException(
                DiagnosticCodes.UnsafePath,
                $"'{Text.Sanitize(path)}' leaves the image: a path in a layer is relative to the root and has no '..'."
            );
        if (Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            throw Invalid(path, $"is longer than {MaxPathBytes} bytes");

        foreach (var name in path.AsSpan().Split('/'))
            CheckName(path, path.AsSpan(name));
    }

    private static void CheckName(string path, ReadOnlySpan<char> name)
    {
        if (name is "" or ".")
            throw Invalid(path, "has an empty part");
        if (HasForbidden(name))
            throw Invalid(path, "has a control character or a backslash in its name");
        if (!IsUnicode(name))
            throw Invalid(path, "has a name that is not valid Unicode");
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
            throw Invalid(path, $"has a name longer than {MaxNameBytes} bytes");
        if (name.StartsWith(".wh.", StringComparison.Ordinal))
            throw Invalid(path, "has a name that begins with '.wh.', which deletes files in an image");
    }

    // Control characters (NUL among them) break tar headers and terminals. A backslash is legal on Linux, but is a separator on Windows and
    // in several tools that read images, so that it could lead anywhere.
    private static bool HasForbidden(ReadOnlySpan<char> name)
    {
        foreach (var one in name)
        {
            if (one is < ' ' or '\\' or (>= '\u007f' and <= '\u009f'))
                return true;
        }

        return false;
    }

    /// <summary>On Unix a name that is not UTF-8 is read with replacement characters, and no file has that name.</summary>
    private static bool IsUnicode(ReadOnlySpan<char> name)
    {
        if (Ascii.IsValid(name))
            return true;
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
                return false;
        }

        return true;
    }

    public static ImagePublishException Invalid(string path, string why) =>
        new(
            DiagnosticCodes.InvalidEntry,
            $"'{Text.Sanitize(path)}' {why}: it can't be put into a layer. Rename it, or leave it out of the publish output."
        );
}

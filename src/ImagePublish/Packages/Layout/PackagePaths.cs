namespace ImagePublish.Packages.Layout;

/// <summary>Where a package's files are put in an image, and which are left out.</summary>
internal static class PackagePaths
{
    /// <summary>Not read in a container. Copyright files are kept, as licences ask.</summary>
    private static readonly string[] LeftOut =
    [
        "usr/share/man",
        "usr/share/info",
        "usr/share/locale",
        "usr/share/lintian",
        "usr/share/linda",
        "usr/share/bug",
        "usr/share/doc-base",
        "usr/share/gnome/help",
        "usr/share/groff",
        "usr/share/help",
        "usr/share/bash-completion",
        "usr/share/zsh",
        "usr/share/fish",
    ];

    /// <summary>The folders that are links into <c>/usr</c> on every Debian since 12 and Ubuntu since 20.04.</summary>
    private static readonly string[] Merged = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"];

    public static string? Map(string path)
    {
        var first = path.Split('/', 2)[0];
        if (Merged.Contains(first))
            path = "usr/" + path;
        return IsKept(path) ? path : null;
    }

    public static bool IsKept(string path)
    {
        if (LeftOut.Any(folder => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal)))
            return false;
        return !path.StartsWith("usr/share/doc/", StringComparison.Ordinal) || IsCopyright(path);
    }

    /// <summary>Whether a path is one of the folders that are links into <c>/usr</c>.</summary>
    public static string? MergedName(string path) =>
        path.StartsWith("usr/", StringComparison.Ordinal) && Merged.Contains(path[4..]) ? path[4..] : null;

    // A package's folder may itself be a link to that of another one, whose copyright it shares.
    private static bool IsCopyright(string path) => path.Split('/') is { Length: 4 } or [_, _, _, _, "copyright"];
}

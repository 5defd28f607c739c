using System.Text;

namespace ImagePublish.Layers;

/// <summary>The files of an image whose content something depends on: who is who, which packages there are, and where more of them come
/// from.</summary>
internal static class KeptFiles
{
    private static readonly string[] Files =
    [
        BaseFileSystem.PasswdPath,
        BaseFileSystem.GroupPath,
        "etc/os-release",
        "usr/lib/os-release",
        "var/lib/dpkg/status",
        "etc/apt/sources.list",
    ];

    /// <summary>What Ubuntu's chisel lists, compressed.</summary>
    public const string ChiselManifest = "var/lib/chisel/manifest.wall";

    private static readonly string[] FileLists = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];
    private static readonly string[] TextFolders = ["var/lib/dpkg/status.d/", "etc/apt/sources.list.d/"];
    private static readonly string[] BinaryFolders = ["usr/share/keyrings/", "etc/apt/keyrings/", "etc/apt/trusted.gpg.d/"];

    /// <summary>How a kept file's bytes are text: keyrings are binary, and Latin 1 gives every byte back.</summary>
    public static Encoding? EncodingOf(string path)
    {
        if (Files.Contains(path) || path.EndsWith(".deps.json", StringComparison.Ordinal) || TextFolders.Any(folder => IsIn(path, folder)))
            return Encoding.UTF8;
        return BinaryFolders.Any(folder => IsIn(path, folder)) ? Encoding.Latin1 : null;
    }

    /// <summary>The same for a file that says which package each file of the system is from.</summary>
    public static Encoding? EncodingOfFileList(string path)
    {
        if (path == ChiselManifest)
            return Encoding.Latin1;
        var isList = IsIn(path, "var/lib/dpkg/info/") && path.EndsWith(".list", StringComparison.Ordinal);
        return isList || FileLists.Contains(path) ? Encoding.UTF8 : null;
    }

    private static bool IsIn(string path, string folder) =>
        path.StartsWith(folder, StringComparison.Ordinal) && !path.AsSpan(folder.Length).Contains('/');
}

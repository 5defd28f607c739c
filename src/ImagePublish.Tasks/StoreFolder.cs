using ImagePublish.Diagnostics;
using ImagePublish.Storage;

namespace ImagePublish.Tasks;

/// <summary>Where the local store is, and what lies beside it.</summary>
internal static class StoreFolder
{
    /// <summary>Where operating system packages are kept, for all projects of a user.</summary>
    public static string Packages => Path.Combine(UserData(), "packages");

    /// <summary>Where those wait for each other who change the same file.</summary>
    public static string Turns => Path.Combine(UserData(), "turns");

    /// <summary>Opens the local store.</summary>
    /// <param name="folder">Its full path, or null for the user's own.</param>
    /// <param name="log">Where waiting for other processes is logged; null for nowhere.</param>
    /// <returns>The store.</returns>
    public static ImageStore Open(string? folder, IEngineLog? log) => ImageStore.Open(folder ?? Path.Combine(UserData(), "store"), new StoreOptions { Log = log });

    // In lower case, since podman makes an image's name of it. A service account without a home still has somewhere to put its layers.
    private static string UserData()
    {
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "imagepublish");
    }
}

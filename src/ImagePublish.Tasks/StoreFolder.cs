using System.Formats.Tar;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Where the local store is, and what lies beside it.</summary>
internal static class StoreFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where operating system packages are kept, for all projects of a user.</summary>
    public static string Packages => Path.Combine(UserData().Folder, "packages");

    /// <summary>Where those wait for each other who change the same file.</summary>
    public static string Turns => Path.Combine(UserData().Folder, "turns");

    /// <summary>Where the processes of a build see which names the others publish under.</summary>
    public static string Claims => Path.Combine(UserData().Folder, "claims");

    /// <summary>Opens the local store.</summary>
    /// <param name="folder">Its full path, or null for the user's own.</param>
    /// <param name="log">Where waiting for other processes, and a temporary store, are logged; null for nowhere.</param>
    /// <param name="engine">The build, in which a temporary store is logged once.</param>
    /// <returns>The store.</returns>
    public static ImageStore Open(string? folder, IEngineLog? log, IBuildEngine4 engine)
    {
        if (folder is not null)
            return ImageStore.Open(folder, new StoreOptions { Log = log });
        var data = UserData();
        var store = Path.Combine(data.Folder, "store");
        if (data.Unusable is { } unusable && log is not null && BuildObjects.GetOrAdd(engine, store, () => new Notice()).IsFirst())
        {
            log.Information(
                $"The local store is in the temporary folder '{store}', since '{unusable}' can't be created. Set DOTNET_CLI_HOME or ImageStore to a folder that is kept, so that later builds find its layers.");
        }

        return ImageStore.Open(store, new StoreOptions { Log = log });
    }

    /// <summary>The folder that is kept for a user: the one of the user's data, or of DOTNET_CLI_HOME, else a temporary one that is the user's alone.</summary>
    /// <param name="machine">What the machine says.</param>
    /// <returns>The folder, which exists; and the usual one where that can't be created.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: there is none that is safe.</exception>
    internal static (string Folder, string? Unusable) UserData(UserFolders machine)
    {
        // In lower case, since podman makes an image's name of it.
        var usual = Path.Combine(Usual(machine), "imagepublish");
        try
        {
            Directory.CreateDirectory(usual);
            return (usual, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && !OperatingSystem.IsWindows())
        {
            return (Temporary(machine.Temporary, usual, exception), usual);
        }
    }

    private static (string Folder, string? Unusable) UserData() => UserData(UserFolders.Read());

    private static string Usual(UserFolders machine)
    {
        if (machine.DataHome is null && machine.CliHome is { } home && Path.IsPathFullyQualified(home))
            return Path.Combine(home, machine.Data.Length > 0 && machine.Profile.Length > 0 ? Path.GetRelativePath(machine.Profile, machine.Data) : "data");
        return machine.Data.Length > 0 ? machine.Data : machine.Temporary;
    }

    // In a folder that all users share, a name can have been taken by another user before.
    private static string Temporary(string temporary, string usual, Exception cause)
    {
        var probe = Directory.CreateTempSubdirectory("imagepublish-");
        try
        {
            var self = OwnerOf(probe.FullName);
            var folder = Path.Combine(temporary, FormattableString.Invariant($"imagepublish-{self}"));
            if (!OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder, OwnerOnly);
            if (OwnerOf(folder) == self && !OperatingSystem.IsWindows() && File.GetUnixFileMode(folder) == OwnerOnly)
                return folder;
            throw new ImagePublishException(
                DiagnosticCodes.StoreFailed,
                $"The local store can not be kept in '{usual}' ({Text.Shown(cause.Message)}), nor in '{folder}', which belongs to another user or is open to others. Set ImageStore or DOTNET_CLI_HOME to a folder of your own.",
                cause);
        }
        finally
        {
            probe.Delete();
        }
    }

    // The owner as tar records it, since .NET does not tell it otherwise; -1 for what is no directory, such as a link to one.
    private static int OwnerOf(string folder)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
            writer.WriteEntry(folder, "folder");
        stream.Position = 0;
        using var reader = new TarReader(stream);
        return reader.GetNextEntry() is { EntryType: TarEntryType.Directory } entry ? entry.Uid : -1;
    }

    private sealed class Notice
    {
        private int given;

        public bool IsFirst() => Interlocked.Exchange(ref given, 1) == 0;
    }
}

/// <summary>What a machine says of a user's folders.</summary>
/// <param name="DataHome">XDG_DATA_HOME, which says exactly where data goes; null where it is not set.</param>
/// <param name="CliHome">DOTNET_CLI_HOME, which stands for the user's home in jobs whose user has none; null where it is not set.</param>
/// <param name="Profile">The user's home.</param>
/// <param name="Data">Where programs keep a user's data; empty where that is not known.</param>
/// <param name="Temporary">The folder for temporary files.</param>
internal sealed record UserFolders(string? DataHome, string? CliHome, string Profile, string Data, string Temporary)
{
    public static UserFolders Read() => new(
        Lists.Optional(Environment.GetEnvironmentVariable("XDG_DATA_HOME")),
        Lists.Optional(Environment.GetEnvironmentVariable("DOTNET_CLI_HOME")),
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        Path.GetTempPath());
}

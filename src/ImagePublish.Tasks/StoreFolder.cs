using System.Collections.Concurrent;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Where the local store is, and what lies beside it.</summary>
internal static class StoreFolder
{
    private const string KeyName = "store.key";

    private static readonly ConcurrentDictionary<string, Lazy<StoreKey>> Keys = new(StringComparer.Ordinal);

    /// <summary>The cache of operating system packages, for all projects of a user.</summary>
    public static string Packages => Path.Combine(UserData().Folder, "packages");

    /// <summary>Where those wait for each other who change the same file.</summary>
    public static string Locks => Path.Combine(UserData().Folder, "turns");

    /// <summary>Where the processes of a build see which names the others publish under.</summary>
    public static string Claims => Path.Combine(UserData().Folder, "claims");

    /// <summary>Opens the local store.</summary>
    /// <param name="log">Where waiting for other processes, and a temporary store, are logged; null for nowhere.</param>
    /// <exception cref="ImagePublishException"><c>IMG3112</c>: others could change it, and it is not declared as shared;
    /// <c>IMG3101</c>.</exception>
    public static ImageStore Open(string? folder, bool isShared, IPublishLog? log, IBuildEngine4 engine)
    {
        var options = new StoreOptions
        {
            Log = log,
            IsShared = isShared,
            Key = () => ReadKey(UserFolders.Read(), log),
        };
        if (folder is not null)
            return ImageStore.Open(folder, options);
        var data = UserData();
        var store = Path.Combine(data.Folder, "store");
        if (data.Unusable is { } unusable && log is not null && BuildObjects.GetOrAdd(engine, store, () => new Notice()).IsFirst())
        {
            log.Information(
                $"The local store is in the temporary folder '{store}', since '{unusable}' can't be created. Set DOTNET_CLI_HOME or "
                    + $"ImageStore to a folder that is kept, so that later builds find its layers."
            );
        }

        return ImageStore.Open(store, options);
    }

    /// <summary>Makes sure that the package cache is the user's alone, unless it is shared.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3112</c>: others could change it; <c>IMG3101</c>: it can't be created.</exception>
    public static string ClaimPackages(string folder, bool isShared)
    {
        try
        {
            return isShared || PrivateFiles.Claim(folder, mayChange: true) is not { } problem
                ? folder
                : throw new ImagePublishException(
                    DiagnosticCodes.StoreForeign,
                    $"The package cache in '{folder}' {problem}, who could change what is installed. Nothing was read from it or "
                        + $"written to it. "
                        + "Make the folder yours alone, name another one with ImagePackageCache, or set ImageStoreShared=true if "
                        + "everyone who can write there may decide what your images contain."
                );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.StoreFailed,
                $"The package cache in '{folder}' can't be used: {Text.Sanitize(exception.Message)} Name another folder with "
                    + $"ImagePackageCache.",
                exception
            );
        }
    }

    /// <summary>
    /// The key of a user's records: of IMAGE_CACHE_KEY where it is set, so that a store that another machine filled is believed, else of a
    /// file in the user's home.
    /// </summary>
    internal static StoreKey ReadKey(UserFolders machine, IPublishLog? log)
    {
        if (CacheTrustReader.ReadKey() is { } shared)
            return StoreKey.Derive(shared.Derive("store"));
        var file = KeyFile(machine);
        return Keys.GetOrAdd(file ?? "", _ => new(() => LoadKey(machine, file, log))).Value;
    }

    /// <summary>The key's file, or null where nothing of the user's is stored.</summary>
    internal static string? KeyFile(UserFolders machine)
    {
        if (machine.ConfigHome is null && machine.CliHome is { } home && Path.IsPathFullyQualified(home))
            return Path.Combine(Below(home, machine.Profile, machine.Config, "config"), "imagepublish", KeyName);
        return machine.Config.Length > 0 ? Path.Combine(machine.Config, "imagepublish", KeyName) : null;
    }

    private static StoreKey LoadKey(UserFolders machine, string? file, IPublishLog? log)
    {
        var problem = "the user has no home";
        if (file is not null && StoreKey.TryLoad(file, out problem) is { } key)
            return key;
        if (TemporaryKeyFile(machine) is { } temporary && StoreKey.TryLoad(temporary, out _) is { } beside)
            return beside;
        log?.Detail(
            $"The key of the local store's records can't "
                + $"be kept{(file is null ? "" : $" in '{file}'")} ({Text.Sanitize(problem!).TrimEnd('.')}): later "
                + $"builds can't use what this one records. Set IMAGE_CACHE_KEY, or XDG_CONFIG_HOME to a folder that is kept."
        );
        return StoreKey.OfProcess;
    }

    /// <summary>
    /// A user's data folder: the one of the user's data, or of DOTNET_CLI_HOME, else a temporary one that is the user's alone.
    /// </summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: there is none that is safe.</exception>
    internal static (string Folder, string? Unusable) UserData(UserFolders machine)
    {
        // In lower case, since podman makes an image's name of it.
        var usual = Path.Combine(Usual(machine), "imagepublish");
        string? problem;
        try
        {
            problem = PrivateFiles.Claim(usual, mayChange: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && !OperatingSystem.IsWindows())
        {
            return (Temporary(machine.Temporary, usual, exception), usual);
        }

        return problem is null
            ? (usual, null)
            : throw new ImagePublishException(
                DiagnosticCodes.StoreForeign,
                $"The folder of the local store, '{usual}', {problem}, who could change what images are made of. Nothing was read "
                    + $"from it or written to it. "
                    + "Make the folder yours alone, or set DOTNET_CLI_HOME to a folder of your own."
            );
    }

    // A temporary folder for the user's data was checked, and is not a part of the store.
    private static string? TemporaryKeyFile(UserFolders machine)
    {
        try
        {
            var (data, unusable) = UserData(machine);
            return unusable is null ? null : Path.Combine(data, KeyName);
        }
        catch (ImagePublishException)
        {
            // It counts only where the store is there too, and is reported then.
            return null;
        }
    }

    private static (string Folder, string? Unusable) UserData() => UserData(UserFolders.Read());

    private static string Usual(UserFolders machine)
    {
        if (machine.DataHome is null && machine.CliHome is { } home && Path.IsPathFullyQualified(home))
            return Below(home, machine.Profile, machine.Data, "data");
        return machine.Data.Length > 0 ? machine.Data : machine.Temporary;
    }

    // Where a folder of the user's home is in another home.
    private static string Below(string home, string profile, string folder, string otherwise) =>
        Path.Combine(home, folder.Length > 0 && profile.Length > 0 ? Path.GetRelativePath(profile, folder) : otherwise);

    // In a folder that all users share, a name can have been taken by another user before.
    private static string Temporary(string temporary, string usual, Exception cause)
    {
        var folder = Path.Combine(temporary, FormattableString.Invariant($"imagepublish-{PrivateFiles.UserId}"));
        if (PrivateFiles.Claim(folder, mayChange: false) is null && PrivateFiles.IsPrivateFolder(folder))
            return folder;
        throw new ImagePublishException(
            DiagnosticCodes.StoreFailed,
            $"The local store can't be kept in '{usual}' ({Text.Sanitize(cause.Message)}), nor in '{folder}', which belongs to "
                + $"another user or is open to others. Set ImageStore or DOTNET_CLI_HOME to a folder of your own.",
            cause
        );
    }

    private sealed class Notice
    {
        private int given;

        public bool IsFirst() => Interlocked.Exchange(ref given, 1) == 0;
    }
}

/// <summary>A machine's settings of a user's folders.</summary>
/// <param name="CliHome">DOTNET_CLI_HOME, which stands for the user's home in jobs whose user has none; null where it is not set.</param>
internal sealed record UserFolders(
    string? DataHome,
    string? CliHome,
    string Profile,
    string Data,
    string Temporary,
    string? ConfigHome,
    string Config
)
{
    // On Windows what is in the roaming folder is copied to other machines.
    private static readonly Environment.SpecialFolder Settings = OperatingSystem.IsWindows()
        ? Environment.SpecialFolder.LocalApplicationData
        : Environment.SpecialFolder.ApplicationData;

    public static UserFolders Read() =>
        new(
            InputParser.Optional(TaskEnvironment.Variable("XDG_DATA_HOME")),
            InputParser.Optional(TaskEnvironment.Variable("DOTNET_CLI_HOME")),
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            Path.GetTempPath(),
            InputParser.Optional(TaskEnvironment.Variable("XDG_CONFIG_HOME")),
            Environment.GetFolderPath(Settings, Environment.SpecialFolderOption.DoNotVerify)
        );
}

using ImagePublish.Diagnostics;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Where the local store goes by default, on machines whose user has no home too.</summary>
public sealed class StoreFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // A file in the place of a folder: root may create everything else.
    private UserFolders Machine =>
        new(null, null, folder.Write("home", ""), folder["home/.local/share"], folder.Path, null, folder["home/.config"]);

    private static int Self => Environment.IsPrivilegedProcess ? 0 : throw new InvalidOperationException("These tests run as root.");

    private string TemporaryStore => folder[$"imagepublish-{Self}"];

    [Fact]
    public void TheUsersDataFolderIsTheUsualPlace() =>
        Assert.Equal(
            (folder["data/imagepublish"], null),
            StoreFolder.UserData(Machine with { DataHome = folder["data"], Data = folder["data"], CliHome = folder["cli"] })
        );

    [Fact]
    [ReliabilityCase("Store", "the user has no home, and DOTNET_CLI_HOME names a folder", "the local store is in that folder")]
    public void TheCliHomeStandsForTheUsersHome() =>
        Assert.Equal((folder["cli/.local/share/imagepublish"], null), StoreFolder.UserData(Machine with { CliHome = folder["cli"] }));

    [Fact]
    [ReliabilityCase(
        "Store",
        "the user has no home, and nothing names a folder",
        "the local store is in a temporary folder that no other user can read or write; a line says so"
    )]
    public void WithoutAHomeATemporaryFolderIsTheUsersAlone()
    {
        var data = StoreFolder.UserData(Machine);

        Assert.Equal((TemporaryStore, folder["home/.local/share/imagepublish"]), data);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data.Folder));
        Assert.Equal(data, StoreFolder.UserData(Machine));
    }

    [Theory]
    [InlineData("other user")]
    [InlineData("open")]
    [InlineData("link")]
    [ReliabilityCase(
        "Store",
        "the user has no home, and another user has already created the temporary folder",
        "IMG3101; nothing is read from it or written to it"
    )]
    public async Task ATemporaryFolderThatOthersMadeIsRefused(string how)
    {
        var taken =
            how == "link"
                ? File.CreateSymbolicLink(TemporaryStore, Directory.CreateDirectory(folder["elsewhere"]).FullName).FullName
                : Directory.CreateDirectory(TemporaryStore).FullName;
        if (how != "link")
            File.SetUnixFileMode(
                taken,
                UnixFileMode.UserRead
                    | UnixFileMode.UserWrite
                    | UnixFileMode.UserExecute
                    | (how == "open" ? UnixFileMode.OtherWrite : UnixFileMode.None)
            );
        if (how == "other user")
            await new CommandLine("chown", "4242", taken).SucceedAsync(TestContext.Current.CancellationToken);

        var failure = Assert.Throws<ImagePublishException>(() => StoreFolder.UserData(Machine));

        Assert.Equal(DiagnosticCodes.StoreFailed, failure.Code);
        Assert.Contains(
            $"nor in '{TemporaryStore}', which belongs to another user or is open to others",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(StoreKey.OfProcess.Id, StoreFolder.ReadKey(Machine, log: null).Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(taken));
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "the folder of a user's data belongs to another user",
        "IMG3112; nothing is read from it or written to it"
    )]
    public async Task AFolderOfAnotherUserIsRefused()
    {
        var taken = Directory.CreateDirectory(folder["data/imagepublish"]).FullName;
        await new CommandLine("chown", "4242", taken).SucceedAsync(TestContext.Current.CancellationToken);

        var failure = Assert.Throws<ImagePublishException>(() => StoreFolder.UserData(Machine with { Data = folder["data"] }));

        Assert.Equal(DiagnosticCodes.StoreForeign, failure.Code);
        Assert.Contains($"'{taken}', belongs to another user (4242)", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(taken));
    }

    [Fact]
    public void TheUsersDataFolderIsClosedToOthers()
    {
        var data = Directory.CreateDirectory(folder["data/imagepublish"]).FullName;
        File.SetUnixFileMode(data, File.GetUnixFileMode(data) | UnixFileMode.OtherRead | UnixFileMode.GroupWrite);

        StoreFolder.UserData(Machine with { Data = folder["data"] });

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data));
    }

    [Fact]
    public void TheKeyIsInTheUsersSettings()
    {
        var machine = Machine with { Profile = folder["me"], Config = folder["me/.config"], Data = folder["me/.local/share"] };

        Assert.Equal(folder["me/.config/imagepublish/store.key"], StoreFolder.KeyFile(machine));
        Assert.Equal(folder["cli/.config/imagepublish/store.key"], StoreFolder.KeyFile(machine with { CliHome = folder["cli"] }));
        Assert.Equal(
            folder["xdg/imagepublish/store.key"],
            StoreFolder.KeyFile(machine with { CliHome = folder["cli"], ConfigHome = folder["xdg"], Config = folder["xdg"] })
        );
        Assert.Null(StoreFolder.KeyFile(machine with { Config = "" }));
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "the key of the store's records can't be saved in the user's settings",
        "it is saved next to a temporary store, or discarded after the build, and a detailed log says so"
    )]
    public void WithoutAHomeTheKeyIsBesideTheTemporaryStore()
    {
        var key = StoreFolder.ReadKey(Machine, log: null);

        Assert.Equal(key.Id, StoreKey.TryLoad(Path.Combine(TemporaryStore, "store.key"), out _)!.Id);
        Assert.Equal(
            StoreKey.OfProcess.Id,
            StoreFolder.ReadKey(Machine with { Config = folder["home/other"], Data = folder["data"] }, log: null).Id
        );
    }

    [Theory]
    [InlineData("another user's")]
    [InlineData("open")]
    public async Task APackageCacheThatOthersMadeIsTheUsersAloneOrRefused(string how)
    {
        var cache = Directory.CreateDirectory(folder["packages"]).FullName;
        File.SetUnixFileMode(cache, File.GetUnixFileMode(cache) | UnixFileMode.OtherWrite);
        if (how == "another user's")
        {
            await new CommandLine("chown", "4242", cache).SucceedAsync(TestContext.Current.CancellationToken);
            var failure = Assert.Throws<ImagePublishException>(() => StoreFolder.ClaimPackages(cache, isShared: false));
            Assert.Equal(DiagnosticCodes.StoreForeign, failure.Code);
            Assert.Contains("ImagePackageCache", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(cache, StoreFolder.ClaimPackages(cache, isShared: how == "another user's"));
        Assert.Equal(how == "another user's", (File.GetUnixFileMode(cache) & UnixFileMode.OtherWrite) != 0);
    }
}

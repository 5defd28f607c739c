using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Where the local store goes by default, on machines whose user has no home too.</summary>
public sealed class StoreFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // A file in the place of a folder: root may create everything else.
    private UserFolders Machine => new(null, null, folder.Write("home", ""), folder["home/.local/share"], folder.Path);

    private static int Self => Environment.IsPrivilegedProcess ? 0 : throw new InvalidOperationException("These tests run as root.");

    private string TemporaryStore => folder[$"imagepublish-{Self}"];

    [Fact]
    public void TheUsersDataFolderIsTheUsualPlace() =>
        Assert.Equal((folder["data/imagepublish"], null), StoreFolder.UserData(Machine with { DataHome = folder["data"], Data = folder["data"], CliHome = folder["cli"] }));

    [Fact]
    [ReliabilityCase("Store", "the user has no home, and DOTNET_CLI_HOME names a folder", "the local store is in that folder")]
    public void TheCliHomeStandsForTheUsersHome() =>
        Assert.Equal((folder["cli/.local/share/imagepublish"], null), StoreFolder.UserData(Machine with { CliHome = folder["cli"] }));

    [Fact]
    [ReliabilityCase("Store", "the user has no home, and nothing names a folder", "the local store is in a temporary folder that no other user can read or write; a line says so")]
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
    [ReliabilityCase("Store", "the user has no home, and another user has made the temporary folder before", "IMG3101; nothing is read from it or written to it")]
    public async Task ATemporaryFolderThatOthersMadeIsRefused(string how)
    {
        var taken = how == "link" ? File.CreateSymbolicLink(TemporaryStore, Directory.CreateDirectory(folder["elsewhere"]).FullName).FullName : Directory.CreateDirectory(TemporaryStore).FullName;
        if (how != "link")
            File.SetUnixFileMode(taken, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | (how == "open" ? UnixFileMode.OtherWrite : UnixFileMode.None));
        if (how == "other user")
            await new CommandLine("chown", "4242", taken).SucceedAsync(TestContext.Current.CancellationToken);

        var failure = Assert.Throws<ImagePublishException>(() => StoreFolder.UserData(Machine));

        Assert.Equal(DiagnosticCodes.StoreFailed, failure.Code);
        Assert.Contains($"nor in '{TemporaryStore}', which belongs to another user or is open to others", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(taken));
    }
}

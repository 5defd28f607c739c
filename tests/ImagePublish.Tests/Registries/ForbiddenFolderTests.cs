using System.Diagnostics;
using System.Runtime.Versioning;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Folders that the user who builds may not read: told in one line, and nothing is asked again because of them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ForbiddenFolderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase("Connection", "the registry's certs.d folder belongs to another user", "IMG4008 names the folder; no request is sent")]
    public async Task AFolderOfCertificatesThatMayNotBeReadIsNamed()
    {
        await using var server = await TestRegistry.StartAsync(cancellationToken: Cancel);
        var certificates = Directory.CreateTempSubdirectory("imagepublish-certs-");
        var own = Directory.CreateDirectory(Path.Combine(certificates.FullName, server.Host)).FullName;

        var said = await ForbiddenAsync(own, "pull", server.Host, certificates.FullName);

        Assert.StartsWith("IMG4008 ", said, StringComparison.Ordinal);
        Assert.Contains(own, said, StringComparison.Ordinal);
        Assert.Contains("Let the user who builds read it, or remove it.", said, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        certificates.Delete(recursive: true);
    }

    [Theory]
    [InlineData("repair", "blobs")]
    [InlineData("prune", "blobs")]
    [InlineData("prune", "sessions")]
    [ReliabilityCase("Store", "a folder of the store belongs to another user", "IMG3101 names the folder")]
    public async Task AFolderOfTheStoreThatMayNotBeReadIsNamed(string verb, string folder)
    {
        using var test = new TestStore();
        await test.Store.SetReferenceAsync("acme/shop:1", await test.PutImageAsync("amd64", "a"), Cancel);
        using (await test.Store.BeginSessionAsync(Cancel)) { }

        var forbidden = Directory.EnumerateDirectories(test.Folder, folder, SearchOption.AllDirectories).First();

        var said = await ForbiddenAsync(forbidden, verb, test.Folder);

        Assert.StartsWith("IMG3101 ", said, StringComparison.Ordinal);
        Assert.Contains(forbidden, said, StringComparison.Ordinal);
    }

    // Root may read everything, but for one that has lost just that right.
    private static async Task<string> ForbiddenAsync(string folder, params string[] arguments)
    {
        const string Rights = "-dac_override,-dac_read_search";
        var mode = File.GetUnixFileMode(folder);
        File.SetUnixFileMode(folder, UnixFileMode.None);
        try
        {
            string[] command = [Environment.ProcessPath!, TestingProcess.Assembly, .. arguments];
            if (Environment.IsPrivilegedProcess)
                command = ["setpriv", $"--bounding-set={Rights}", $"--inh-caps={Rights}", .. command];
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
            var said = await process.StandardOutput.ReadToEndAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            return Assert.Single(said.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            File.SetUnixFileMode(folder, mode);
        }
    }
}

using System.Diagnostics;

namespace ImagePublish.Tests.Support;

/// <summary>A key of gpg's, made for one test, which signs package sources.</summary>
public sealed class ArchiveKey : IDisposable
{
    private static readonly Lazy<ArchiveKey> SharedKey = new(() =>
    {
        var key = new ArchiveKey();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => key.Dispose();
        return key;
    });

    // The agent's socket must have a short path.
    private readonly string home = Directory.CreateTempSubdirectory("gpg-").FullName;

    public ArchiveKey()
    {
        Run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "Tests <tests@example.com>", "ed25519", "sign", "never");
        Run("gpg", "--batch", "--quiet", "--export", "--output", PublicKey);
        Run("gpg", "--batch", "--quiet", "--armor", "--export", "--output", PublicKey + ".asc");
        ArmoredKey = File.ReadAllText(PublicKey + ".asc");
    }

    /// <summary>The file that <c>Signed-By</c> names.</summary>
    public string PublicKey => Path.Combine(home, "public.gpg");

    /// <summary>The public key as text.</summary>
    public string ArmoredKey { get; }

    /// <summary>One for all tests to which it does not matter whose key it is.</summary>
    public static ArchiveKey Shared => SharedKey.Value;

    /// <summary>Signs a release, in the file that apt reads.</summary>
    public void Sign(string release, string target) =>
        Run("gpg", "--batch", "--quiet", "--yes", "--clearsign", "--output", target, release);

    public void Dispose()
    {
        Run("gpgconf", "--kill", "all");
        Directory.Delete(home, recursive: true);
    }

    private void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { Environment = { ["GNUPGHOME"] = home }, RedirectStandardError = true }
        )!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }
}

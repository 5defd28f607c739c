using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Apt;

namespace ImagePublish.Tests.Packages;

/// <summary>What apt's complaints mean: recorded ones of apt 2.6, and those of this machine's apt.</summary>
public sealed class AptErrorsTests : IDisposable
{
    private const string Area = "Packages";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("image-apt-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("not there", "IMG6005", "404  Not Found")]
    [InlineData("not on the disk", "IMG6005", "File not found")]
    [InlineData("nobody listens", "IMG6009", "Connection refused")]
    [InlineData("asks to wait", "IMG6009", "429  Too Many Requests")]
    [InlineData("another content", "IMG6004", "Hash Sum mismatch")]
    [ReliabilityCase(
        Area,
        "apt can't download a package",
        "gone, unreachable, busy or tampered: distinguished by apt's own messages, whatever digits the address has"
    )]
    public async Task ADownloadThatFailsIsToldByItsReason(string kind, string code, string said)
    {
        await using var server = new FileServer(folder.FullName);
        var path = "by-hash/SHA256/404404/shop.deb";
        if (kind == "another content")
            Write(path, "evil");
        if (kind == "asks to wait")
            server.Refusals.Enqueue((429, null));
        var address = server.Address;
        if (kind == "nobody listens")
            await server.DisposeAsync();
        var location = kind == "not on the disk" ? $"file:{folder.FullName}/{path}" : $"{address}/{path}";

        var answer = await Apt()
            .DownloadAsync([(location, Path.Combine(folder.FullName, "out.deb"), new string('a', 64))], LocalRepository.Unguarded, Cancel);

        Assert.False(answer.Succeeded);
        var failure = AptErrors.Explain(answer);
        Assert.True(code == failure.Code.Id, failure.Message);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData(
        "IMG6009",
        "connection timed out",
        """
            Err:1 http://192.0.2.77/dists/by-hash/SHA256/404aa/a.deb
              Could not connect to 192.0.2.77:80 (192.0.2.77), connection timed out
            E: Failed to fetch http://192.0.2.77/dists/by-hash/SHA256/404aa/a.deb  Could not connect to 192.0.2.77:80 (192.0.2.77), connection timed out
            E: Download Failed
            """
    )]
    [InlineData(
        "IMG6009",
        "503  Service Unavailable",
        """
            Err:1 http://127.0.0.1:14041/404/a.deb
              503  Service Unavailable [IP: 127.0.0.1 14041]
            E: Failed to fetch http://127.0.0.1:14041/404/a.deb  503  Service Unavailable [IP: 127.0.0.1 14041]
            E: Download Failed
            """
    )]
    [InlineData(
        "IMG6009",
        "Could not handshake",
        """
            Err:1 https://127.0.0.1:14041/a.deb
              Could not handshake: An unexpected TLS packet was received. [IP: 127.0.0.1 14041]
            E: Failed to fetch https://127.0.0.1:14041/a.deb  Could not handshake: An unexpected TLS packet was received. [IP: 127.0.0.1 14041]
            E: Download Failed
            """
    )]
    [InlineData(
        "IMG6009",
        "wants you to sign in",
        """
            Get:1 http://127.0.0.1:14041/200 ./ InRelease [10 B]
            Err:1 http://127.0.0.1:14041/200 ./ InRelease
              Clearsigned file isn't valid, got 'NOSPLIT' (does the network require authentication?)
            Reading package lists...
            E: Failed to fetch http://127.0.0.1:14041/200/./InRelease  Clearsigned file isn't valid, got 'NOSPLIT' (does the network require authentication?)
            E: The repository 'http://127.0.0.1:14041/200 ./ InRelease' is not signed.
            """
    )]
    [InlineData(
        "IMG6009",
        "has no index",
        """
            Ign:1 http://127.0.0.1:14041/404 ./ InRelease
            Err:2 http://127.0.0.1:14041/404 ./ Release
              404  Not Found [IP: 127.0.0.1 14041]
            Reading package lists...
            E: The repository 'http://127.0.0.1:14041/404 ./ Release' does not have a Release file.
            """
    )]
    [InlineData(
        "IMG6003",
        "key that is not trusted",
        """
            W: GPG error: file:/repository ./ InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 64194F4E6FD6DCF6
            E: The repository 'file:/repository ./ InRelease' is not signed.
            """
    )]
    [InlineData(
        "IMG6003",
        "signature of a package source is not valid",
        """
            W: GPG error: file:/repository ./ InRelease: The following signatures were invalid: BADSIG 64194F4E6FD6DCF6 Tests <tests@example.com>
            E: The repository 'file:/repository ./ InRelease' is not signed.
            """
    )]
    [InlineData(
        "IMG6003",
        "key that has expired",
        """
            W: GPG error: file:/repository ./ InRelease: The following signatures were invalid: EXPKEYSIG 64194F4E6FD6DCF6 Tests <tests@example.com>
            E: The repository 'file:/repository ./ InRelease' is not signed.
            """
    )]
    [InlineData("IMG6003", "not signed by a key", "E: The repository 'file:/repository ./ Release' is not signed.")]
    [InlineData(
        "IMG6005",
        "404  Not Found",
        """
            Err:1 http://127.0.0.1:14041/302/a.deb
              404  Not Found [IP: 127.0.0.1 14041]
            E: Failed to fetch http://127.0.0.1:14041/404/x  404  Not Found [IP: 127.0.0.1 14041]
            E: Download Failed
            """
    )]
    public void WhatAptSaidIsUnderstood(string code, string said, string output)
    {
        var failure = AptErrors.Explain(new AptAnswer(Succeeded: false, "", output));

        Assert.True(code == failure.Code.Id, failure.Message);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "a source is unreachable, and a package is unknown without it",
        "IMG6009 names the source, instead of an unknown package"
    )]
    public async Task APackageThatAnUnreachableSourceMayHaveIsNotCalledUnknown()
    {
        await using var gone = new FileServer(folder.FullName);
        using var repository = new LocalRepository { Address = gone.Address }.AddRoot();
        await gone.DisposeAsync();

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => repository.MakeAsync("shop"));

        Assert.True("IMG6009" == failure.Code.Id, failure.Message);
        Assert.Contains(gone.Address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("left out", Assert.Single(repository.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "LANGUAGE=de", "apt is run in English anyway, so its answers are understood")]
    public void AptSpeaksEnglishWhateverLanguageIsSet()
    {
        const string Variable = "LANGUAGE";
        var before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, "de");
        try
        {
            var environment = Programs.EnvironmentOf(Apt().StartOf("apt-get", ["update"]));

            Assert.Equal("C.UTF-8", environment["LC_ALL"]);
            // Where it is set, it wins over the locale.
            Assert.DoesNotContain(Variable, environment.Keys);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }

    [Theory]
    [InlineData(
        "E: The method driver /usr/lib/apt/methods/machine git.example.com login ci password canary/./InRelease could not be found."
    )]
    [InlineData("E: Malformed entry 1 in list file canary (URI)\nE: The list of sources could not be read.")]
    [InlineData("W: GPG error: file:/canary ./ InRelease: The following signatures were invalid: BADSIG 64194F4E6FD6DCF6 Tests")]
    [ReliabilityCase(
        "Security",
        "a base image's sources make apt quote a local file",
        "only apt's lines about the sources' addresses and packages are shown"
    )]
    public void WhatAptSaysOfOtherThingsThanTheBasesSourcesIsNotShown(string output)
    {
        var shown = AptErrors.Explain(new AptAnswer(Succeeded: false, "", output));
        var hidden = AptErrors.Explain(new AptAnswer(Succeeded: false, "", output) { Shown = ["http://deb.example.com/debian"] });
        var named = AptErrors.Explain(
            new AptAnswer(Succeeded: false, "", output + "\nE: Failed to fetch http://deb.example.com/debian/x  503  Busy")
            {
                Shown = ["http://deb.example.com/debian"],
            }
        );

        Assert.Contains("canary", shown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", hidden.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", named.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase("Security", "a package address that starts with a hyphen", "apt treats it as an address, not as an option")]
    public async Task AnAddressIsNeverAnOption()
    {
        var answer = await Apt()
            .DownloadAsync(
                [("-oFoo::Bar=canary", Path.Combine(folder.FullName, "out.deb"), new string('a', 64))],
                LocalRepository.Unguarded,
                Cancel
            );

        Assert.False(answer.Succeeded);
        Assert.Contains("-oFoo", answer.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);

    // apt asks again after pauses of its own; that is not what is shown here.
    private AptTool Apt()
    {
        Write("apt.conf", "Acquire::Retries \"0\"; APT::Sandbox::User \"root\";");
        return new AptTool(Path.Combine(folder.FullName, "apt.conf"));
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}

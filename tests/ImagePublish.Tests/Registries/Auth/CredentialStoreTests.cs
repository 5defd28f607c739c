using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Registries.Auth.TestMachine;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class CredentialStoreTests
{
    private static readonly Registry Ghcr = Registry.Parse("ghcr.io");

    [Theory]
    [InlineData("ghcr.io", "ghcr.io")]
    [InlineData("docker.io", "https://index.docker.io/v1/")]
    [InlineData("localhost:5000", "localhost:5000")]
    public async Task WithoutAHelperTheConfigFileKeepsItAsDockerWritesIt(string registry, string key)
    {
        using var machine = new TestMachine();

        var place = await machine.Store.StoreAsync(Registry.Parse(registry), Credential.Create("ada", "pässword"), Stop);

        Assert.Equal(new CredentialPlace(machine.DockerConfig, IsHelper: false, Changed: true), place);
        Assert.Equal(
            $"{{\n\t\"auths\": {{\n\t\t\"{key}\": {{\n\t\t\t\"auth\": \"{TestMachine.Auth("ada:pässword")}\"\n\t\t}}\n\t}}\n}}",
            await File.ReadAllTextAsync(machine.DockerConfig, Stop)
        );
        Assert.Equal(Credential.Create("ada", "pässword"), await machine.FindAsync(registry));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task OnlyTheUserMayReadTheFile()
    {
        using var machine = new TestMachine();

        await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "pw"), Stop);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(machine.DockerConfig));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(machine.DockerConfig)!)
        );
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(machine.DockerConfig)!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [UnsupportedOSPlatform("windows")]
    [ReliabilityCase("Credentials", "config.json of another user, changed by root (sudo -E)", "owner, group and mode are kept")]
    public async Task OwnerAndModeOfTheFileStay(bool byLink)
    {
        using var machine = new TestMachine();
        var file = byLink ? Path.Combine(machine.Home, "elsewhere.json") : machine.DockerConfig;
        machine.Write(machine.DockerConfig, "").Write(file, "{}");
        if (byLink)
        {
            File.Delete(machine.DockerConfig);
            File.CreateSymbolicLink(machine.DockerConfig, file);
        }

        // Only root can give a file away; for anybody else the owner stays the same anyway.
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", "1234:5678", file);
        await RunAsync("chmod", "0640", file);
        var before = await RunAsync("stat", "--format=%u:%g %a", file);

        await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "pw"), Stop);

        Assert.Equal(before, await RunAsync("stat", "--format=%u:%g %a", file));
        Assert.Contains("640", before, StringComparison.Ordinal);
        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync("ghcr.io"));
    }

    private static async Task<string> RunAsync(params string[] command)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true }
        )!;
        var said = await process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        Assert.Equal(0, process.ExitCode);
        return said;
    }

    [Fact]
    public async Task WhatIsUnknownStays()
    {
        using var machine = new TestMachine();
        machine.Write(
            machine.DockerConfig,
            """{"HttpHeaders":{"X":"<&>ü"},"number":1.50,"auths":{"other.io":{"auth":"x","email":"a@b"},"http://ghcr.io/v2":{"auth":"old"}},"z":null}"""
        );

        await machine.Store.StoreAsync(Ghcr, new Credential { IdentityToken = "id" }, Stop);

        var text = await File.ReadAllTextAsync(machine.DockerConfig, Stop);
        Assert.Equal(
            """{"HttpHeaders":{"X":"<&>ü"},"number":1.50,"auths":{"other.io":{"auth":"x","email":"a@b"},"ghcr.io":{"identitytoken":"id"}},"z":null}""",
            text.ReplaceLineEndings("").Replace("\t", "", StringComparison.Ordinal).Replace(": ", ":", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task AnOlderEntryOfPodmansIsBroughtUpToDateAndForgottenToo()
    {
        using var machine = new TestMachine();
        machine.Write(machine.AuthFile, Auths(("https://ghcr.io", "ada:old"), ("other.io", "eve:pw")));

        await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "new"), Stop);
        var auths = JsonNode.Parse(await File.ReadAllTextAsync(machine.AuthFile, Stop))!["auths"]!.AsObject();
        Assert.Equal(["https://ghcr.io", "other.io"], auths.Select(entry => entry.Key).Order(StringComparer.Ordinal));
        Assert.Equal(TestMachine.Auth("ada:new"), auths["https://ghcr.io"]!["auth"]!.GetValue<string>());

        Assert.True((await machine.Store.EraseAsync(Ghcr, Stop)).Changed);
        Assert.Null(await machine.FindAsync("ghcr.io"));
        Assert.NotNull(await machine.FindAsync("other.io"));
    }

    [Fact]
    public async Task PodmansFileIsNotMadeWhereThereIsNone()
    {
        using var machine = new TestMachine();

        await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "new"), Stop);

        Assert.False(File.Exists(machine.AuthFile));
    }

    [Fact]
    public async Task ALinkedFileIsFollowed()
    {
        using var machine = new TestMachine();
        var real = Path.Combine(machine.Home, "dotfiles", "docker.json");
        machine.Write(real, "{}");
        Directory.CreateDirectory(Path.GetDirectoryName(machine.DockerConfig)!);
        File.CreateSymbolicLink(machine.DockerConfig, "../dotfiles/docker.json");

        await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "pw"), Stop);

        Assert.NotNull(new FileInfo(machine.DockerConfig).LinkTarget);
        Assert.Contains("ghcr.io", await File.ReadAllTextAsync(real, Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ManyMaySignInAtOnce()
    {
        using var machine = new TestMachine();
        var registries = Enumerable.Range(0, 24).Select(number => Registry.Parse($"r{number}.example.com")).ToList();

        await Task.WhenAll(
            registries.Select(registry =>
                Task.Run(() => machine.Store.StoreAsync(registry, Credential.Create("ada", registry.Host), Stop), Stop)
            )
        );

        foreach (var registry in registries)
            Assert.Equal(registry.Host, (await machine.FindAsync(registry.Host))?.Password);
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(machine.DockerConfig)!));
    }

    [Fact]
    public async Task AHelperKeepsItWhereOneIsConfigured()
    {
        using var machine = new TestMachine();
        var vault = Path.Combine(machine.Home, "vault");
        machine
            .Helper(
                "test",
                $$"""
                case "$1" in
                store) echo "$input" > {{vault}};;
                get) if [ -f {{vault}} ]; then /bin/cat {{vault}}; else echo 'credentials not found in native keychain'; exit 1; fi;;
                erase) /bin/rm {{vault}};;
                esac
                """
            )
            .Write(machine.DockerConfig, """{"credsStore":"test"}""");

        var kept = await machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "p\"w"), Stop);
        Assert.Equal(new CredentialPlace("test", IsHelper: true, Changed: true), kept);
        Assert.Equal(Credential.Create("ada", "p\"w"), await machine.FindAsync("ghcr.io"));
        Assert.Equal(
            """{"ghcr.io":{}}""",
            JsonNode.Parse(await File.ReadAllTextAsync(machine.DockerConfig, Stop))!["auths"]!.ToJsonString()
        );

        Assert.True((await machine.Store.EraseAsync(Ghcr, Stop)).Changed);
        Assert.False(File.Exists(vault));
        Assert.False((await machine.Store.EraseAsync(Ghcr, Stop)).Changed);
    }

    [Fact]
    public async Task ForgettingFindsEverySpelling()
    {
        using var machine = new TestMachine();
        machine.Write(
            machine.DockerConfig,
            """{"auths":{"docker.io":{"auth":"x"},"https://index.docker.io/v1/":{"auth":"x"},"docker.io/acme":{"auth":"x"},"ghcr.io":{"auth":"x"}}}"""
        );

        Assert.True((await machine.Store.EraseAsync(Registry.DockerHub, Stop)).Changed);

        var auths = JsonNode.Parse(await File.ReadAllTextAsync(machine.DockerConfig, Stop))!["auths"]!.AsObject();
        Assert.Equal(["docker.io/acme", "ghcr.io"], auths.Select(entry => entry.Key));
    }

    [Fact]
    public async Task ForgettingWhatIsNotKeptWritesNothing()
    {
        using var machine = new TestMachine();

        Assert.False((await machine.Store.EraseAsync(Ghcr, Stop)).Changed);
        Assert.False(Directory.Exists(Path.GetDirectoryName(machine.DockerConfig)));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"auths":[]}""")]
    [InlineData("""{"auths":{},"auths":{}}""")]
    public async Task AFileThatIsNotUnderstoodIsNotTouched(string text)
    {
        using var machine = new TestMachine();
        machine.Write(machine.DockerConfig, text);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "sup3rsecret"), Stop)
        );

        Assert.DoesNotContain("sup3rsecret", exception.ToString(), StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(machine.DockerConfig, Stop));
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(machine.DockerConfig)!));
    }

    [Fact]
    public async Task AFailingHelperIsShownWithoutTheSecret()
    {
        using var machine = new TestMachine();
        machine.Helper("test", "echo \"can't keep sup3rsecret\"; exit 1").Write(machine.DockerConfig, """{"credsStore":"test"}""");

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            machine.Store.StoreAsync(Ghcr, Credential.Create("ada", "sup3rsecret"), Stop)
        );

        Assert.Contains("can't keep ***", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sup3rsecret", exception.ToString(), StringComparison.Ordinal);
    }
}

using System.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;
using static ImagePublish.Tests.Registries.Auth.TestMachine;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>What we keep, skopeo (and with the same library podman) finds, and the other way round.</summary>
public sealed class PeerTests
{
    [Theory]
    [InlineData("localhost:5000")]
    [InlineData("docker.io")]
    [InlineData("ghcr.io")]
    public async Task SkopeoFindsWhatWeKeep(string registry)
    {
        using var machine = new TestMachine();
        await machine.Store.StoreAsync(Registry.Parse(registry), Credential.Create("ada", "pw"), Stop);

        Assert.Equal((0, "ada"), await SkopeoAsync(machine, "", "login", "--get-login", "--authfile", machine.DockerConfig, registry));
        await machine.Store.EraseAsync(Registry.Parse(registry), Stop);
        Assert.NotEqual(0, (await SkopeoAsync(machine, "", "login", "--get-login", "--authfile", machine.DockerConfig, registry)).ExitCode);
    }

    [Fact]
    public async Task WeFindWhatSkopeoKeepsAndSkopeoSignsInWithWhatWeKeep()
    {
        using var machine = new TestMachine();
        await using var server = await TestRegistry.StartAsync(
            options =>
            {
                options.Auth.Schemes = AuthSchemes.Basic;
                options.Auth.Users["ada"] = "pä:ss";
                options.Auth.Users["bob"] = "pw";
            },
            Stop
        );
        Directory.CreateDirectory(Path.GetDirectoryName(machine.AuthFile)!);

        Assert.Equal(
            0,
            (
                await SkopeoAsync(
                    machine,
                    "pä:ss",
                    "login",
                    "--tls-verify=false",
                    "--authfile",
                    machine.AuthFile,
                    "-u",
                    "ada",
                    "--password-stdin",
                    server.Host
                )
            ).ExitCode
        );
        Assert.Equal(Credential.Create("ada", "pä:ss"), await machine.FindAsync(server.Host));

        await machine.Store.StoreAsync(Registry.Parse(server.Host), Credential.Create("bob", "pw"), Stop);
        server.Requests.Clear();
        await SkopeoAsync(
            machine,
            "",
            "list-tags",
            "--tls-verify=false",
            "--authfile",
            machine.DockerConfig,
            $"docker://{server.Host}/acme/shop"
        );
        Assert.Contains(server.Requests, request => request.Authorization == SignInBench.BasicOf("bob", "pw"));
    }

    private static async Task<(int ExitCode, string Output)> SkopeoAsync(TestMachine machine, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo("skopeo", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = machine.Home;
        foreach (var name in new[] { "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG" })
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Stop), process.StandardError.ReadToEndAsync(Stop));
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Stop);
        await errors;
        return (process.ExitCode, (await output).Trim());
    }
}

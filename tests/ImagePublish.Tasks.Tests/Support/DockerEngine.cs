using System.Text.Json;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A Docker daemon of the tests' own, with a containerd of its own: everything it keeps is in one folder, no network of the machine is
/// touched, containers use the host's network. Needs root, or sudo that asks nothing.
/// </summary>
public sealed class DockerEngine : IAsyncDisposable
{
    // Another client of the same name may come first on PATH.
    private const string Client = "/usr/bin/docker";

    private readonly TemporaryFolder folder = new();
    private readonly string storageDriver;
    private Server? server;

    private DockerEngine(string storageDriver) => this.storageDriver = storageDriver;

    /// <summary>The value of <c>DOCKER_HOST</c> that leads to this daemon.</summary>
    public string Host => $"unix://{folder["docker.sock"]}";

    public static async Task<DockerEngine> StartAsync(CancellationToken cancellationToken) =>
        await StartWithAsync(await CanOverlayAsync() ? "overlay2" : "vfs", cancellationToken);

    /// <summary>Starts one.</summary>
    /// <param name="storageDriver"><c>vfs</c> works everywhere and copies every layer, <c>overlay2</c> is what users have.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<DockerEngine> StartWithAsync(string storageDriver, CancellationToken cancellationToken)
    {
        var engine = new DockerEngine(storageDriver);
        try
        {
            engine.server = await Server.StartAsync(
                engine.Daemon(),
                async _ => (await engine.Command("version").RunAsync(cancellationToken)).ExitCode == 0,
                cancellationToken
            );
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>A command of the Docker client, aimed at this daemon.</summary>
    public CommandLine Command(params string[] arguments) =>
        new(Client, arguments)
        {
            Environment = new Dictionary<string, string?>
            {
                ["DOCKER_HOST"] = Host,
                ["DOCKER_CONFIG"] = folder["config"],
                ["DOCKER_CONTEXT"] = null,
                ["DOCKER_TLS_VERIFY"] = null,
            },
        };

    /// <summary>A command of containerd's client, aimed at this daemon's containerd.</summary>
    public CommandLine Containerd(params string[] arguments) =>
        CommandLine.AsRoot(["ctr", "--address", folder["exec/containerd/containerd.sock"], "--namespace", "tests", .. arguments]);

    public Task<CommandOutput> PullAsync(string reference, CancellationToken cancellationToken) =>
        Command("pull", "--quiet", reference).SucceedAsync(cancellationToken);

    /// <summary>Loads an archive and returns what Docker said it was.</summary>
    public async Task<string> LoadAsync(string archive, CancellationToken cancellationToken) =>
        (await Command("load", "--input", archive).SucceedAsync(cancellationToken)).Output;

    /// <summary>What <c>docker image inspect</c> says of one image.</summary>
    public async Task<JsonElement> InspectAsync(string reference, CancellationToken cancellationToken)
    {
        var output = await Command("image", "inspect", reference).SucceedAsync(cancellationToken);
        using var images = JsonDocument.Parse(output.Output);
        return images.RootElement[0].Clone();
    }

    /// <summary>Runs a container to its end. <paramref name="arguments"/> follow <c>docker run</c>: options, image, command.</summary>
    public Task<CommandOutput> RunAsync(CancellationToken cancellationToken, params string[] arguments) =>
        Command(["run", "--rm", "--network=host", .. arguments]).RunAsync(cancellationToken);

    /// <summary>Starts a web app's container on a free port of localhost, with a command in place of its own if one is given.</summary>
    public async Task<DockerContainer> StartAsync(string reference, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var port = Ports.Free();
        var run = Command(["run", "--detach", "--network=host", $"--env=ASPNETCORE_HTTP_PORTS={port}", reference, .. command]);
        var output = await run.SucceedAsync(cancellationToken);
        return new DockerContainer(this, output.Output.Trim(), port);
    }

    public Task<DockerContainer> StartAsync(string reference, CancellationToken cancellationToken) =>
        StartAsync(reference, [], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await RemoveContainersAsync();
            await server.DisposeAsync();
        }

        // Docker leaves the mount of the host's network behind, and its files belong to root.
        await CommandLine.AsRoot("umount", folder["exec/netns/default"]).RunAsync(CancellationToken.None);
        await CommandLine.AsRoot("rm", "-rf", folder.Path).RunAsync(CancellationToken.None);
        folder.Dispose();
    }

    // Not where the temporary folder is an overlay itself, as in many containers.
    private static async Task<bool> CanOverlayAsync()
    {
        using var folder = new TemporaryFolder();
        foreach (var part in new[] { "lower", "upper", "work", "merged" })
            Directory.CreateDirectory(folder[part]);
        var layers = $"lowerdir={folder["lower"]},upperdir={folder["upper"]},workdir={folder["work"]}";
        var mount = CommandLine.AsRoot("mount", "--types", "overlay", "--options", layers, "overlay", folder["merged"]);
        var mounted = await mount.RunAsync(CancellationToken.None);
        if (mounted.ExitCode == 0)
            await CommandLine.AsRoot("umount", folder["merged"]).SucceedAsync(CancellationToken.None);
        await CommandLine.AsRoot("rm", "-rf", folder.Path).SucceedAsync(CancellationToken.None);
        return mounted.ExitCode == 0;
    }

    private async Task RemoveContainersAsync()
    {
        var containers = await Command("ps", "--all", "--quiet").RunAsync(CancellationToken.None);
        if (containers.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } ids)
            await Command(["rm", "--force", .. ids]).RunAsync(CancellationToken.None);
    }

    private CommandLine Daemon() =>
        CommandLine.AsRoot(
            "dockerd",
            "--host",
            Host,
            "--data-root",
            folder["data"],
            "--exec-root",
            folder["exec"],
            "--pidfile",
            folder["docker.pid"],
            "--group",
            Environment.UserName,
            $"--storage-driver={storageDriver}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false"
        );
}

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A containerd of the tests' own, with Kubernetes's part of it: everything that it keeps is in one folder. Needs root, or sudo that asks
/// nothing.
/// </summary>
public sealed class Containerd : IAsyncDisposable
{
    // Works on any file system, also inside a container.
    private const string Snapshotter = "native";

    private readonly TemporaryFolder folder = new();
    private Server? server;

    private Containerd() { }

    /// <summary>The value of <c>CONTAINERD_ADDRESS</c> that leads to it.</summary>
    public string Address => folder["containerd.sock"];

    /// <summary>What its clients read, and nothing of this process's own.</summary>
    public IReadOnlyDictionary<string, string?> Environment =>
        new Dictionary<string, string?>
        {
            ["CONTAINERD_ADDRESS"] = Address,
            ["CONTAINERD_NAMESPACE"] = null,
            ["CONTAINERD_SNAPSHOTTER"] = Snapshotter,
        };

    public static async Task<Containerd> StartAsync(CancellationToken cancellationToken)
    {
        var containerd = new Containerd();
        try
        {
            containerd.folder.Write("config.toml", await containerd.ConfigAsync(cancellationToken));
            containerd.server = await Server.StartAsync(
                CommandLine.AsRoot("containerd", "--config", containerd.folder["config.toml"]),
                async _ => (await containerd.Command("default", "version").RunAsync(cancellationToken)).ExitCode == 0,
                cancellationToken
            );
            return containerd;
        }
        catch
        {
            await containerd.DisposeAsync();
            throw;
        }
    }

    /// <summary>A command of containerd's client in a namespace.</summary>
    public CommandLine Command(string scope, params string[] arguments) =>
        new("ctr", ["--namespace", scope, .. arguments]) { Environment = Environment };

    /// <summary>The names of a namespace's images that are whole and unpacked; those for other machines can't be.</summary>
    public async Task<IReadOnlyList<string>> ReadyAsync(string scope, CancellationToken cancellationToken) =>
        Lines(await Command(scope, "images", "check", "--quiet").RunAsync(cancellationToken));

    public async Task<IReadOnlyList<string>> ContentAsync(string scope, CancellationToken cancellationToken) =>
        Lines(await Command(scope, "content", "ls", "--quiet").SucceedAsync(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        await CommandLine.AsRoot("rm", "-rf", folder["root"], folder["state"]).RunAsync(CancellationToken.None);
        folder.Dispose();
    }

    // The socket belongs to whoever runs the tests.
    private async Task<string> ConfigAsync(CancellationToken cancellationToken)
    {
        var user = (await new CommandLine("id", "-u").SucceedAsync(cancellationToken)).Output.Trim();
        return $"""
            version = 2
            root = "{folder["root"]}"
            state = "{folder["state"]}"
            [grpc]
              address = "{Address}"
              uid = {user}
            [plugins."io.containerd.internal.v1.opt"]
              path = "{folder["root"]}/opt"
            [plugins."io.containerd.grpc.v1.cri"]
              disable_tcp_service = true
              stream_server_address = "127.0.0.1"
              stream_server_port = "0"
            [plugins."io.containerd.grpc.v1.cri".containerd]
              snapshotter = "{Snapshotter}"
            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = "{folder["root"]}"
              conf_dir = "{folder["root"]}"
            """;
    }

    private static IReadOnlyList<string> Lines(CommandOutput output) =>
        output.Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}

using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Keyless;

/// <summary>An instance of sigstore on this machine, and sigstore's own signer and verifier (npm).</summary>
internal sealed class SigstorePeers : IAsyncDisposable
{
    public const string Identity = "https://git.example.com/acme/shop/.ci/publish.yml@refs/heads/main";
    public const string Issuer = "https://issuer.example.com";

    private const string Listening = "listening on ";

    private readonly Server server;
    private readonly string folder;

    private SigstorePeers(Server server, string folder) => (this.server, this.folder) = (server, folder);

    public string Address => $"http://127.0.0.1:{PortOf(server)}";

    public string Root => Path.Combine(folder, "trusted_root.json");

    public string SigningConfig => Path.Combine(folder, "signing_config.json");

    /// <summary>What the services were asked, with their answers' status.</summary>
    public IReadOnlyList<string> Asked => [.. server.Lines.Where(line => !line.StartsWith(Listening, StringComparison.Ordinal))];

    /// <summary>As a job of GitHub has it.</summary>
    public IReadOnlyDictionary<string, string?> Job =>
        new Dictionary<string, string?>
        {
            ["ACTIONS_ID_TOKEN_REQUEST_URL"] = $"{Address}/token?api-version=1",
            ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "request-token",
        };

    public static async Task<SigstorePeers> StartAsync(TestWorkspace workspace, CancellationToken cancellationToken)
    {
        var folder = await NodePackages.InstallAsync("Keyless/peers", workspace["peers"], cancellationToken);
        var command = new CommandLine("node", "server.mjs", folder) { WorkingDirectory = folder };
        return new(await Server.StartAsync(command, one => Task.FromResult(PortOf(one) is not null), cancellationToken), folder);
    }

    /// <summary>Verifies a bundle with sigstore's verifier.</summary>
    /// <returns>What it says; it begins with <c>verified</c> or <c>refused</c>.</returns>
    public async Task<string> VerifyAsync(byte[] bundle, CancellationToken cancellationToken, string identity = Identity)
    {
        var file = Path.Combine(folder, $"{Guid.NewGuid():N}.json");
        await File.WriteAllBytesAsync(file, bundle, cancellationToken);
        var command = new CommandLine("node", "verify.mjs", Root, file, identity, Issuer) { WorkingDirectory = folder };
        return (await command.RunAsync(cancellationToken)).All;
    }

    /// <summary>Signs a statement with sigstore's signer.</summary>
    /// <param name="kind">The kind of the log's entry.</param>
    public async Task<string> SignAsync(string statement, string kind, CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder, $"{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, statement, cancellationToken);
        var command = new CommandLine("node", "sign.mjs", Address, file, kind) { WorkingDirectory = folder };
        return (await command.SucceedAsync(cancellationToken)).Output;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static string? PortOf(Server server) =>
        server.Lines.FirstOrDefault(line => line.StartsWith(Listening, StringComparison.Ordinal))?[Listening.Length..];
}

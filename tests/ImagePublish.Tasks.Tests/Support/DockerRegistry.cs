using System.Text.Json;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>How a <see cref="DockerRegistry"/> is set up.</summary>
public sealed record DockerRegistryOptions
{
    /// <summary>With a password: everyone signs in with it (Basic).</summary>
    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>Speaks https, with a certificate for localhost by a CA of its own.</summary>
    public bool Tls { get; init; }

    public bool AllowsDelete { get; init; } = true;

    /// <summary>Further lines of its configuration, such as an <c>auth:</c> section for tokens.</summary>
    public string Configuration { get; init; } = "";
}

/// <summary>One request as the registry's own log tells it.</summary>
public sealed record RegistryRequest(string Method, string Path, int Status)
{
    public override string ToString() => $"{Method} {Path} {Status}";
}

/// <summary>Debian's <c>docker-registry</c> (CNCF distribution) on a free port of localhost, its storage in a folder of its own.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private const string ListeningOn = "listening on 127.0.0.1:";

    private readonly TemporaryFolder folder = new();
    private readonly DockerRegistryOptions options;
    private readonly string secret = Guid.NewGuid().ToString();
    private Server? server;
    private int forgotten;

    private DockerRegistry(DockerRegistryOptions options) => this.options = options;

    public int Port { get; private set; }

    /// <summary><c>localhost:port</c>, as references and <c>ImageRegistry</c> take it.</summary>
    public string Host => $"localhost:{Port}";

    public Uri Uri => new($"{(options.Tls ? "https" : "http")}://{Host}/");

    /// <summary>The CA that signed the certificate, as PEM, alone in its folder; only with TLS.</summary>
    public string CertificateAuthority => folder["ca/ca.crt"];

    /// <summary>
    /// The requests since the start or since <see cref="ForgetRequests"/>. The last one may come a moment after its answer.
    /// </summary>
    public IReadOnlyList<RegistryRequest> Requests => [.. AllRequests().Skip(forgotten)];

    /// <summary>The sum of the sizes of all blobs (manifests are blobs too) that it keeps, in bytes.</summary>
    public long StoredBytes =>
        Directory.Exists(folder["storage"])
            ? new DirectoryInfo(folder["storage"]).EnumerateFiles("data", SearchOption.AllDirectories).Sum(file => file.Length)
            : 0;

    public static Task<DockerRegistry> StartAsync(CancellationToken cancellationToken) =>
        StartAsync(new DockerRegistryOptions(), cancellationToken);

    public static async Task<DockerRegistry> StartAsync(DockerRegistryOptions options, CancellationToken cancellationToken)
    {
        var registry = new DockerRegistry(options);
        try
        {
            if (options.Tls)
                LocalCertificate.Write(registry.folder.Path);
            if (options.UserName is not null)
                await registry.WritePasswordAsync(cancellationToken);
            await registry.StartServerAsync(cancellationToken);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public void ForgetRequests() => forgotten = AllRequests().Count();

    /// <summary>Stops it, gently or as a power cut would. The port and the storage stay.</summary>
    public async Task StopAsync(bool kill = false)
    {
        if (server is null)
            return;
        if (kill)
            await server.KillAsync();
        await server.DisposeAsync();
        server = null;
        forgotten = 0;
    }

    /// <summary>Comes back after <see cref="StopAsync"/>, on the same port with the same storage.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken) => StartServerAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        folder.Dispose();
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        // It may have to come back on the same one.
        Port = Port == 0 ? Ports.Free() : Port;
        var configuration = folder.Write("config.yml", Configuration());
        server = await Server.StartAsync(
            new CommandLine("docker-registry", "serve", configuration) { WorkingDirectory = folder.Path },
            running => Task.FromResult(Array.Exists([.. running.Lines], line => line.Contains(ListeningOn, StringComparison.Ordinal))),
            cancellationToken
        );
    }

    private string Configuration() =>
        $$"""
            version: 0.1
            log:
              level: info
              formatter: json
              accesslog:
                disabled: true
            storage:
              filesystem:
                rootdirectory: {{folder["storage"]}}
              delete:
                enabled: {{(options.AllowsDelete ? "true" : "false")}}
              maintenance:
                uploadpurging:
                  enabled: false
            http:
              addr: 127.0.0.1:{{Port}}
              secret: {{secret}}
            {{(options.Tls ? $"  tls:\n    certificate: {folder["server.crt"]}\n    key: {folder["server.key"]}" : "")}}
            {{(options.UserName is null ? "" : $"auth:\n  htpasswd:\n    realm: tests\n    path: {folder["htpasswd"]}")}}
            {{options.Configuration}}
            """;

    private async Task WritePasswordAsync(CancellationToken cancellationToken)
    {
        var command = new CommandLine("htpasswd", "-n", "-i", "-B", options.UserName!) { Input = options.Password ?? "" };
        folder.Write("htpasswd", (await command.SucceedAsync(cancellationToken)).Output);
    }

    private IEnumerable<RegistryRequest> AllRequests()
    {
        foreach (var line in server?.Lines ?? [])
        {
            if (!line.Contains("\"msg\":\"response completed", StringComparison.Ordinal))
                continue;
            using var entry = JsonDocument.Parse(line);
            var root = entry.RootElement;
            yield return new RegistryRequest(
                root.GetProperty("http.request.method").GetString()!,
                root.GetProperty("http.request.uri").GetString()!,
                root.GetProperty("http.response.status").GetInt32()
            );
        }
    }
}

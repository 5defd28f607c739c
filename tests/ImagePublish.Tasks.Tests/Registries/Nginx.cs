using System.Net;
using System.Net.Sockets;
using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Registries;

/// <summary>nginx in front of a registry, as many organisations have it.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private Server? server;

    public string Host { get; private set; } = "";

    public static async Task<Nginx> StartAsync(string registry, string settings, CancellationToken cancellationToken)
    {
        var nginx = new Nginx();
        try
        {
            await nginx.StartServerAsync(registry, settings, cancellationToken);
            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        folder.Dispose();
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task StartServerAsync(string registry, string settings, CancellationToken cancellationToken)
    {
        var port = Ports.Free();
        Host = $"127.0.0.1:{port}";
        var temporary = string.Join("\n  ", new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {folder[kind]};"));
        var configuration = folder.Write("nginx.conf", $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            pid {{folder["nginx.pid"]}};
            error_log stderr warn;
            events {}
            http {
              access_log off;
              {{temporary}}
              server {
                listen 127.0.0.1:{{port}};
                {{settings}}
                location / {
                  proxy_pass http://{{registry}};
                  proxy_set_header Host $http_host;
                }
              }
            }
            """);
        server = await Server.StartAsync(new CommandLine("nginx", "-p", folder.Path, "-c", configuration), _ => AnswersAsync(port), cancellationToken);
    }
}

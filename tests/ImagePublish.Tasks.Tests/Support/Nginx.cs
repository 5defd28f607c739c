using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>How an <see cref="Nginx"/> is set up.</summary>
public sealed record NginxOptions
{
    /// <summary>Speaks https, with a certificate for localhost by a CA of its own.</summary>
    public bool Tls { get; init; }

    /// <summary>Offers HTTP/2 beside HTTP/1.1; needs <see cref="Tls"/>.</summary>
    public bool Http2 { get; init; }

    /// <summary>Further settings of the server.</summary>
    public string Settings { get; init; } = "client_max_body_size 0;";
}

/// <summary>One request as nginx logs it.</summary>
/// <param name="Protocol">Such as <c>HTTP/2.0</c>.</param>
/// <param name="Method">The method.</param>
/// <param name="Status">The answer's status.</param>
/// <param name="Expect">The header; <c>-</c> where there was none.</param>
/// <param name="Path">The path without its query.</param>
public sealed record NginxRequest(string Protocol, string Method, string Status, string Expect, string Path)
{
    /// <summary>When its first byte arrived, in seconds since 1970.</summary>
    public double Start { get; init; }

    /// <summary>When its answer was sent.</summary>
    public double End { get; init; }
}

/// <summary>nginx in front of a registry, as many organisations have it.</summary>
public sealed class Nginx : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly NginxOptions options;
    private Server? server;

    private Nginx(NginxOptions options) => this.options = options;

    /// <summary><c>localhost:port</c>.</summary>
    public string Host { get; private set; } = "";

    public Uri Uri => new($"{(options.Tls ? "https" : "http")}://{Host}/");

    /// <summary>The CA that signed the certificate, as PEM, alone in its folder; only with TLS.</summary>
    public string CertificateAuthority => folder["ca/ca.crt"];

    public static Task<Nginx> StartAsync(string registry, string settings, CancellationToken cancellationToken) =>
        StartAsync(registry, new NginxOptions { Settings = settings }, cancellationToken);

    public static async Task<Nginx> StartAsync(string registry, NginxOptions options, CancellationToken cancellationToken)
    {
        var nginx = new Nginx(options);
        try
        {
            await nginx.StartServerAsync(registry, cancellationToken);
            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops it, so that its log is complete, and reads that.</summary>
    public async Task<IReadOnlyList<NginxRequest>> StopAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        server = null;
        return Requests;
    }

    /// <summary>What is logged so far: each request once it is answered.</summary>
    public IReadOnlyList<NginxRequest> Requests =>
        [
            .. File.ReadLines(folder["access.log"])
                .Select(line => line.Split(' '))
                .Select(fields =>
                {
                    var end = double.Parse(fields[5], CultureInfo.InvariantCulture);
                    var seconds = double.Parse(fields[6], CultureInfo.InvariantCulture);
                    return new NginxRequest(fields[0], fields[1], fields[2], fields[3], fields[4]) { Start = end - seconds, End = end };
                }),
        ];

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

    private async Task StartServerAsync(string registry, CancellationToken cancellationToken)
    {
        var port = Ports.Free();
        Host = $"localhost:{port}";
        if (options.Tls)
            LocalCertificate.Write(folder.Path);
        var temporary = string.Join(
            "\n  ",
            new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {folder[kind]};")
        );
        var configuration = folder.Write(
            "nginx.conf",
            $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            pid {{folder["nginx.pid"]}};
            error_log stderr warn;
            events {}
            http {
              log_format requests '$server_protocol $request_method $status $http_expect $uri $msec $request_time';
              access_log {{folder["access.log"]}} requests;
              {{temporary}}
              server {
                listen 127.0.0.1:{{port}}{{(options.Tls ? " ssl" : "")}}{{(options.Http2 ? " http2" : "")}};
                {{(options.Tls ? $"ssl_certificate {folder["server.crt"]}; ssl_certificate_key {folder["server.key"]};" : "")}}
                {{options.Settings}}
                location / {
                  proxy_pass http://{{registry}};
                  proxy_set_header Host $http_host;
                  proxy_set_header X-Forwarded-Proto $scheme;
                }
              }
            }
            """
        );
        server = await Server.StartAsync(
            new CommandLine("nginx", "-p", folder.Path, "-c", configuration),
            _ => AnswersAsync(port),
            cancellationToken
        );
    }
}

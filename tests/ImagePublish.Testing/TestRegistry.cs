using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.Testing;

/// <summary>
/// A real registry on loopback: correct by the OCI distribution spec, wrong on request (<see cref="Faults"/>, <see cref="Line"/>,
/// dialects), and a witness of everything that was asked of it (<see cref="Requests"/>).
/// </summary>
public sealed class TestRegistry : IAsyncDisposable
{
    private readonly CancellationTokenSource closing = new();
    private WebApplication? app;

    private TestRegistry(TestRegistryOptions options)
    {
        Options = options;
        Tokens = new(options);
        CertificateAuthority = options.Tls ? new(TimeProvider.System, options.CertificateNames) : null;
        foreach (var fault in options.Faults)
            Faults.Add(fault);
    }

    /// <summary><c>127.0.0.1:port</c> or <c>localhost:port</c>.</summary>
    public string Host { get; private set; } = "";

    /// <summary>The second port's host, when <see cref="TestRegistryOptions.SecondHost"/> asked for one.</summary>
    public string OtherHost { get; private set; } = "";

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme => Options.Tls ? "https" : "http";

    public Uri BaseAddress => new($"{Scheme}://{Host}/");

    /// <summary>May be changed while it runs, except for what concerns ports and TLS.</summary>
    public TestRegistryOptions Options { get; }

    public FaultSet Faults { get; } = new();

    public LineOptions Line { get; } = new();

    public RequestLog Requests { get; } = new();

    public RegistryContent Content { get; } = new();

    public TokenBook Tokens { get; }

    /// <summary>Null without TLS.</summary>
    public TestCertificateAuthority? CertificateAuthority { get; }

    /// <summary>Starts on a free port of loopback.</summary>
    public static async Task<TestRegistry> StartAsync(
        Action<TestRegistryOptions>? configure = null,
        CancellationToken cancellationToken = default
    )
    {
        var options = new TestRegistryOptions();
        configure?.Invoke(options);
        var registry = new TestRegistry(options);
        await registry.ListenAsync(cancellationToken);
        return registry;
    }

    /// <summary>Starts one that behaves like a product or service.</summary>
    public static Task<TestRegistry> StartAsync(
        RegistryDialect dialect,
        Action<TestRegistryOptions>? configure = null,
        CancellationToken cancellationToken = default
    ) => StartAsync(dialect.Configure + configure, cancellationToken);

    /// <summary>A client that trusts the authority and does nothing by itself: no redirects, no cookies, no sign-in.</summary>
    public HttpClient CreateClient() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate) },
            }
        )
        {
            BaseAddress = BaseAddress,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        if (app is not null)
        {
            await app.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
        }

        Content.Dispose();
        CertificateAuthority?.Dispose();
        closing.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(new Closing(closing.Token));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        app = builder.Build();
        app.Run(new Pipeline(this).InvokeAsync);
        await app.StartAsync(cancellationToken);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var hosts = addresses.Select(a => $"{Options.HostName}:{new Uri(a).Port}").ToArray();
        Host = hosts[0];
        OtherHost = hosts.Length > 1 ? hosts[1] : "";
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Listen(IPAddress.Loopback, Options.Port, Configure);
        if (Options.SecondHost)
            kestrel.Listen(IPAddress.Loopback, 0, Configure);
    }

    private void Configure(ListenOptions listen)
    {
        listen.Protocols = Options is { Tls: true, Http2: true } ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
        if (CertificateAuthority is { } authority)
            listen.UseHttps(authority.Server, Configure);
    }

    private void Configure(HttpsConnectionAdapterOptions https)
    {
        if (Options.ClientAuthority is not { } root)
            return;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        if (Options.NamesClientAuthority)
            https.OnAuthenticate = (_, tls) =>
                tls.ServerCertificateContext = SslStreamCertificateContext.Create(
                    CertificateAuthority!.Server,
                    null,
                    offline: true,
                    SslCertificateTrust.CreateForX509Collection([root], sendTrustInHandshake: true)
                );
        https.ClientCertificateValidation = (client, sent, _) =>
        {
            using var chain = new X509Chain
            {
                ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
            };
            chain.ChainPolicy.CustomTrustStore.Add(root);
            chain.ChainPolicy.ExtraStore.AddRange(sent!.ChainPolicy.ExtraStore);
            return chain.Build(client);
        };
    }

    private bool IsTrusted(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 server || CertificateAuthority is not { } authority)
            return false;
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority.Certificate);
        return chain.Build(server);
    }

    /// <summary>Cancelled when the registry goes away: ends what stalls.</summary>
    internal sealed record Closing(CancellationToken Token);
}

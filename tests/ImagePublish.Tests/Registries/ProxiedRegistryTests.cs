using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Registries;

/// <summary>Registries that are reached through a proxy, which answers in place of a registry that it can't reach.</summary>
public sealed class ProxiedRegistryTests
{
    private const string Area = "Registry";
    private const string Portless = "registry.example.test";
    private const string Named = "registry.example.test:5000";

    [Theory]
    [InlineData(Portless, "503 Service Unavailable")]
    [InlineData(Portless, "403 Forbidden")]
    [InlineData(Named, "403 Forbidden")]
    [ReliabilityCase(
        Area,
        "insecure registry that uses only http, behind a proxy that opens no tunnel to it",
        "found: the proxy forwards plain http"
    )]
    public async Task PlainHttpIsTriedWhereTheProxyOpensNoTunnel(string name, string status)
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var proxy = new TestProxy(bench.Server.Host, null) { Refuse = line => IsTunnel(line) ? status : null };
        Configure(bench, name, new ProxySettings(proxy.Host, proxy.Host));

        await new RandomImage(layers: 1).PushAsync(bench.Client, At(name), RegistryBench.Cancel);

        Assert.Single(bench.Server.Content.AllTags);
        var host = name.Contains(':', StringComparison.Ordinal) ? name : $"{name}:443";
        Assert.StartsWith($"CONNECT {host} ", proxy.Heads.First(), StringComparison.Ordinal);
        Assert.Contains(proxy.Heads, head => head.StartsWith($"GET http://{name}/v2/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Portless, SocketError.HostNotFound)]
    [InlineData(Portless, SocketError.ConnectionRefused)]
    [InlineData(Named, SocketError.HostNotFound)]
    [ReliabilityCase(Area, "insecure registry whose name only the http proxy knows", "found")]
    public async Task PlainHttpIsTriedWhereOnlyItHasAProxy(string name, SocketError direct)
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var proxy = new TestProxy(bench.Server.Host, null);
        var proxyPort = IPEndPoint.Parse(proxy.Host).Port;
        Configure(bench, name, new ProxySettings(proxy.Host, null));
        bench.Options = bench.Options with { Connect = ConnectAsync };

        await new RandomImage(layers: 1).PushAsync(bench.Client, At(name), RegistryBench.Cancel);

        Assert.Single(bench.Server.Content.AllTags);

        async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
        {
            if (target.Port != proxyPort)
                throw new SocketException((int)direct);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPEndPoint.Parse(proxy.Host), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
    }

    [Fact]
    [ReliabilityCase(Area, "insecure registry on 443 only, behind a proxy", "found by TLS through the proxy's tunnel")]
    public async Task ATunnelIsUsedWhereTheRegistrySpeaksTls()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        await using var proxy = new TestProxy(bench.Server.Host, null) { Refuse = line => IsTunnel(line) ? null : "502 Bad Gateway" };
        Configure(bench, Portless, new ProxySettings(proxy.Host, proxy.Host));

        await new RandomImage(layers: 1).PushAsync(bench.Client, At(Portless), RegistryBench.Cancel);

        Assert.Single(bench.Server.Content.AllTags);
    }

    [Theory]
    [InlineData(Portless, "by https at port 443: the proxy refuses to connect; by http at port 80: the proxy answers 503")]
    [InlineData(Named, "by https: the proxy refuses to connect; by http: the proxy answers 503")]
    [ReliabilityCase(Area, "insecure registry that the proxy can reach in neither way", "IMG4001 has the proxy's answer to both")]
    public async Task WhereTheProxyReachesNobodyBothWaysAreNamed(string name, string expected)
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var proxy = new TestProxy(bench.Server.Host, null) { Refuse = _ => "503 Service Unavailable" };
        Configure(bench, name, new ProxySettings(proxy.Host, proxy.Host));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.FindManifestAsync(At(name), RegistryBench.Cancel)
        );

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task PlainHttpIsNotTriedWithoutLeave()
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var proxy = new TestProxy(bench.Server.Host, null) { Refuse = line => IsTunnel(line) ? "403 Forbidden" : null };
        bench.Options = bench.Options with { Proxies = new ProxySettings(proxy.Host, proxy.Host) };

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.FindManifestAsync(At(Portless), RegistryBench.Cancel)
        );

        Assert.All(proxy.Heads, head => Assert.StartsWith("CONNECT ", head, StringComparison.Ordinal));
        Assert.Empty(bench.Server.Requests);
    }

    private static bool IsTunnel(string line) => line.StartsWith("CONNECT ", StringComparison.Ordinal);

    private static void Configure(RegistryBench bench, string name, ProxySettings proxies) =>
        bench.Options = bench.Options with
        {
            InsecureRegistries = new HashSet<Registry> { Registry.Parse(name) },
            Proxies = proxies,
        };

    private static Reference At(string name) => Repository.Create(Registry.Parse(name), "acme/shop").ReferenceTo(Tag.Parse("1"));
}

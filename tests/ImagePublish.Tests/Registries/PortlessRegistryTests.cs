using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Registries;

/// <summary>Registries without a port in their name: https is at 443, http at 80.</summary>
public sealed class PortlessRegistryTests
{
    private const string Area = "Registry";
    private const string Remote = "registry.example.test";

    private readonly ConcurrentQueue<int> dialled = new();

    [Theory]
    [InlineData(Remote, 80, new[] { 443, 80 })]
    [InlineData(Remote, 443, new[] { 443 })]
    [InlineData("localhost", 80, new[] { 80 })]
    [InlineData("localhost", 443, new[] { 80, 443 })]
    [InlineData("[::1]", 443, new[] { 80, 443 })]
    [ReliabilityCase(Area, "insecure registry without a port, on 80 or on 443 only", "found where it listens")]
    public async Task AnInsecureRegistryIsFoundAtEitherPort(string name, int port, int[] expected)
    {
        await using var bench = await StartAsync(name, port);

        await new RandomImage(layers: 1).PushAsync(bench.Client, At(name), RegistryBench.Cancel);

        Assert.Single(bench.Server.Content.AllTags);
        Assert.Equal(expected, dialled.Distinct());
    }

    [Theory]
    [InlineData(Remote)]
    [InlineData("localhost")]
    [ReliabilityCase(Area, "insecure registry without a port that listens on neither 443 nor 80", "IMG4001 names both ports")]
    public async Task WhereNobodyListensBothPortsAreNamed(string name)
    {
        await using var bench = await StartAsync(name, port: null);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.FindManifestAsync(At(name), RegistryBench.Cancel)
        );

        Assert.Contains(
            "by https at port 443: the connection was refused; by http at port 80: the connection was refused",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("would fail too", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PlainHttpIsNotTriedWithoutLeave()
    {
        await using var bench = await StartAsync(Remote, 80);
        bench.Options = bench.Options with { InsecureRegistries = new HashSet<Registry>() };

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.FindManifestAsync(At(Remote), RegistryBench.Cancel)
        );

        Assert.DoesNotContain(80, dialled);
        Assert.Empty(bench.Server.Requests);
    }

    private static Reference At(string name) => Repository.Create(Registry.Parse(name), "acme/shop").ReferenceTo(Tag.Parse("1"));

    // Connections to the one port lead to the server; at all others nobody listens.
    private async Task<RegistryBench> StartAsync(string name, int? port)
    {
        var bench = await RegistryBench.StartAsync(options => options.Tls = port == 443);
        var server = IPEndPoint.Parse(bench.Server.Host);
        bench.Options = bench.Options with
        {
            InsecureRegistries = new HashSet<Registry> { Registry.Parse(name) },
            Connect = ConnectAsync,
        };
        return bench;

        async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
        {
            dialled.Enqueue(target.Port);
            if (target.Port != port)
                throw new SocketException((int)SocketError.ConnectionRefused);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(server, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
    }
}

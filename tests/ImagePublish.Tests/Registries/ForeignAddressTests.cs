using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>
/// Where a registry may send us, and what is sent to one that is reached by plain http: with names instead of this machine's address.
/// </summary>
public sealed class ForeignAddressTests : IAsyncLifetime
{
    private const string Area = "Security";
    private const string Outside = "203.0.113.1";
    private const string Name = "registry.example.test";
    private const string Storage = "storage.example.test";
    private const string Secret = "INTERNAL SECRET: token=abc123";

    private static readonly Registry Registry = Registry.Parse(Name);
    private static readonly Repository Repository = Repository.Create(Registry, "acme/shop");
    private static readonly MemoryBlobSource Layer = RegistryBench.Layer(100);

    private readonly ConcurrentDictionary<string, string> addresses = new();
    private readonly ConcurrentQueue<string> dialled = new();
    private RegistryBench bench = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        bench = await RegistryBench.StartAsync();
        var server = IPEndPoint.Parse(bench.Server.Host);
        bench.Options = bench.Options with
        {
            InsecureRegistries = new HashSet<Registry> { Registry },
            Resolve = (host, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(addresses[host])]),
            Connect = async (target, cancellationToken) =>
            {
                if (target.Port != 80)
                    throw new SocketException((int)SocketError.ConnectionRefused);
                dialled.Enqueue(target.Host);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(server, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        addresses[Name] = Outside;
        bench.Server.Content.PutBlob(Repository.Name, Layer.Content.Span);
        bench.Fail(RegistryStep.Unknown, FaultAction.Status(404, Secret), Fault.Always);
    }

    public ValueTask DisposeAsync() => bench.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:10.0.0.7")]
    [InlineData("fd00::7")]
    [ReliabilityCase(Area, "a blob is redirected to an inside address by a registry outside", "IMG4014; nothing is sent there")]
    public async Task ARedirectDoesNotLeadInside(string address)
    {
        addresses[Storage] = address;
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect($"http://{Storage}/latest/meta-data"), Fault.Always);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, ReadAsync);

        Assert.Contains("ImageTrustedRedirectHosts", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Storage, dialled);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("0x7f000001")]
    [InlineData("10.0.0.7:8080")]
    [InlineData("localhost:9000")]
    public async Task ARedirectToAnAddressInsideIsRefusedToo(string host)
    {
        addresses["localhost"] = "127.0.0.1";
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect($"http://{host}/"), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, ReadAsync);

        Assert.Equal([Name], dialled.Distinct());
    }

    [Fact]
    [ReliabilityCase(Area, "an upload location inside the network, from a registry outside", "IMG4014; nothing is sent there")]
    public async Task AnUploadDoesNotLeadInside()
    {
        addresses[Storage] = "10.0.0.7";
        bench.Server.Options.Uploads.LocationBase = $"http://{Storage}";

        await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, () =>
            bench.Client.PushBlobAsync(Repository, RegistryBench.Layer(1000, seed: 2), Cancel)
        );

        Assert.DoesNotContain(Storage, dialled);
    }

    [Theory]
    [InlineData("10.0.0.6", "10.0.0.7", false)]
    [InlineData("10.0.0.6", Outside, false)]
    [InlineData(Outside, "198.51.100.7", false)]
    [InlineData(Outside, "10.0.0.7", true)]
    [ReliabilityCase(Area, "a redirect to another host answers with an error", "the error's text is not shown")]
    public async Task ARedirectIsFollowedWhereItMayLead(string registry, string storage, bool isTrusted)
    {
        (addresses[Name], addresses[Storage]) = (registry, storage);
        bench.Options = bench.Options with { TrustedRedirectHosts = isTrusted ? [Storage] : [] };
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect($"http://{Storage}/blob"), Fault.Always);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryNotFound, ReadAsync);

        Assert.Contains(Storage, dialled);
        Assert.Contains("answered 404 Not Found.", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.6", "127.0.0.1")]
    [InlineData("127.0.0.1", "169.254.169.254")]
    public async Task ARegistryInsideLeadsNoFurtherInside(string registry, string storage)
    {
        (addresses[Name], addresses[Storage]) = (registry, storage);
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect($"http://{Storage}/blob"), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, ReadAsync);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase(
        Area,
        "a password for a registry that is reached over plain http",
        "IMG5012, and nothing is sent, unless the registry is in ImagePlainTextCredentials"
    )]
    public async Task APasswordIsSentInPlainTextOnlyWithLeave(bool isAllowed)
    {
        bench.Server.Options.Auth.Schemes = AuthSchemes.Basic;
        bench.Server.Options.Auth.Users["ada"] = "s3cret";
        bench.Options = bench.Options with
        {
            PlainTextCredentials = isAllowed ? new HashSet<Registry> { Registry } : new HashSet<Registry>(),
        };
        using var client = new RegistryClient(bench.Options, new EverywhereAda(), bench.Log, bench.Clock);

        if (isAllowed)
        {
            await client.GetBlobAsync(Repository, Layer.Descriptor, 1000, Cancel);
            return;
        }

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.PlainTextCredentials, () =>
            client.GetBlobAsync(Repository, Layer.Descriptor, 1000, Cancel)
        );
        Assert.Contains("ImagePlainTextCredentials", failure.Message, StringComparison.Ordinal);
        Assert.All(bench.Server.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task PlainHttpWithoutSigningInNeedsNoLeave()
    {
        using var client = new RegistryClient(bench.Options, new EverywhereAda(), bench.Log, bench.Clock);

        await client.GetBlobAsync(Repository, Layer.Descriptor, 1000, Cancel);
    }

    private async Task ReadAsync() => await bench.Client.GetBlobAsync(Repository, Layer.Descriptor, 1000, Cancel);

    private sealed class EverywhereAda : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult<Credential?>(Credential.Create("ada", "s3cret"));
    }
}

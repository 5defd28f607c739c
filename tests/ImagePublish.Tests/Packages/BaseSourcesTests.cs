using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Apt;
using ImagePublish.Packages.Model;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Tests.Packages;

/// <summary>Base images whose package sources want something of the build machine: with the real apt of this machine.</summary>
public sealed class BaseSourcesTests : IDisposable
{
    private const string Area = "Security";
    private const string Lines = "etc/apt/sources.list.d/own.list";
    private const string Paragraphs = "etc/apt/sources.list.d/own.sources";
    private const string Installed = "Package: other\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\n\n";

    private static readonly Platform Platform = new("linux", "amd64");

    private readonly LocalRepository repository = new LocalRepository().Add(new DebBuilder("shop").File("./usr/bin/shop", "shop"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => repository.Dispose();

    [Theory]
    [InlineData(Lines, "deb [trusted=yes] mirror+file:{0} ./")]
    [InlineData(Lines, "deb [trusted=yes] file:{0} ./")]
    [InlineData(Lines, "deb [trusted=yes] copy:{0} ./")]
    [InlineData(Lines, "deb cdrom:[canary]/ ./")]
    [InlineData(Lines, "deb ssh://-oProxyCommand=canary/ ./")]
    [InlineData(Lines, "deb -oFoo::Bar=x ./")]
    [InlineData(Lines, "deb http://ci:pass@deb.example.com/ ./")]
    [InlineData(Lines, "deb http://deb.example.com/$(ARCH) ./")]
    [InlineData(Lines, "deb http://deb.example.com/debian ../../..{0}")]
    [InlineData(Lines, "deb http://deb.example.com/debian bookworm -oFoo::Bar=x")]
    [InlineData(Lines, "deb [signed-by={0}] http://deb.example.com/debian bookworm main")]
    [InlineData(Lines, "deb [signed-by=/usr/share/keyrings/../../..{0}] http://deb.example.com/debian bookworm main")]
    [InlineData(Lines, "deb [signed-by=/usr/share/keyrings/nobody-has-this.gpg] http://deb.example.com/debian bookworm main")]
    [InlineData(Lines, "deb [trusted=yes http://deb.example.com/debian bookworm main")]
    [InlineData(Paragraphs, "Types: deb\nURIs: http://deb.example.com/debian mirror+file:{0}\nSuites: ./\nTrusted: yes\n")]
    [InlineData(Paragraphs, "Types: deb\nURIs: http://deb.example.com/debian\nSuites: ./\nSigned-By: {0}\n")]
    [InlineData(
        Paragraphs,
        "Types: deb\nURIs: http://deb.example.com/debian\nSuites: ./\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n "
            + "abc\\\"$\n -----END PGP PUBLIC KEY BLOCK-----\n"
    )]
    [ReliabilityCase(
        Area,
        "a base image's package sources name local files, transfer methods other than http, or program options",
        "refused before apt sees them, IMG6012; no file's content is shown"
    )]
    public async Task OnlyWebAddressesAreTaken(string path, string text)
    {
        var secret = Path.Combine(repository.Folder, "netrc");
        await File.WriteAllTextAsync(secret, "machine git.example.com login ci password canary-of-netrc", Cancel);

        var failure = await FailAsync(await BaseAsync(path, text.Replace("{0}", secret, StringComparison.Ordinal)));

        Assert.True("IMG6012" == failure.Code.Id, failure.Message);
        Assert.DoesNotContain("canary-of-netrc", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ci:pass", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains("ImagePackageSource", failure.Message, StringComparison.Ordinal);
        Assert.Contains("example/base:1", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("localhost", true)]
    [InlineData("2130706433", true)]
    [InlineData("127.1", true)]
    [InlineData("[::ffff:127.0.0.1]", false)]
    [ReliabilityCase(
        Area,
        "a base image's package source is on this machine or its network",
        "no request is sent there, IMG6012; ImagePackageSourceHosts allows a mirror of your own"
    )]
    public async Task NobodyInsideIsAsked(string host, bool hasApt)
    {
        await using var server = new FileServer(repository.Folder);
        var address = $"{server.Address.Replace("127.0.0.1", host, StringComparison.Ordinal)}/internal/admin";

        var failure = await FailAsync(await BaseAsync(Lines, $"deb [trusted=yes] {address} ./"), hasApt: hasApt);

        Assert.True("IMG6012" == failure.Code.Id, failure.Message);
        Assert.Contains("ImagePackageSourceHosts=", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task APrivateMirrorIsRefusedByItsAddressUnlessItIsNamed()
    {
        var sources = new PackageSources(["http://mirror.corp.example:8080/debian"]) { BaseImage = "example/base:1" };
        Task CheckAsync(params string[] trusted) =>
            new SourceGuard(sources, trusted, (_, _) => LookedUp(new HostAddress(new IPAddress([10, 1, 2, 3]), IsInner: true))).CheckAsync(
                Cancel
            );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => CheckAsync("other.corp.example", "mirror.corp.example:80"));
        await CheckAsync("mirror.corp.example");
        await CheckAsync("MIRROR.corp.example:8080");

        Assert.Contains("10.1.2.3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ImagePackageSourceHosts=mirror.corp.example.", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        Area,
        "the name of a base image's package source resolves to an outside address when it is checked, and to an inside one "
            + "when it is connected to",
        "no request is sent there, IMG6012: with apt, and without it"
    )]
    public async Task ANameThatLeadsInsideLaterIsNotConnectedTo(bool hasApt)
    {
        WithoutProxies();
        await using var server = new FileServer(repository.Folder);
        var lookups = 0;
        Task<IReadOnlyList<HostAddress>> LookUp(string host, CancellationToken _) =>
            Interlocked.Increment(ref lookups) == 1
                ? LookedUp(new HostAddress(IPAddress.Parse("192.0.32.10"), IsInner: false))
                : LookedUp(new HostAddress(IPAddress.Loopback, IsInner: true));
        using var client = Client();

        var failure = await FailAsync(
            await BaseAsync(Lines, $"deb {Outside(server.Address)} ./"),
            hasApt: hasApt,
            network: new PackageNetwork(client.TryDownloadAsync, LookUp)
        );

        Assert.True("IMG6012" == failure.Code.Id, failure.Message);
        Assert.Contains("its host has the address 127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests);
        Assert.True(lookups > 1);
    }

    [Fact]
    public async Task AptConnectsToTheAddressThatWasChecked()
    {
        WithoutProxies();
        repository.Request("shop");
        await using var server = new FileServer(repository.Folder);
        await using var front = new TestProxy(new Uri(server.Address).Authority, null) { RenamesHost = true };
        // Nobody but the guard knows the name.
        var network = new PackageNetwork(LocalRepository.Network.Download, (_, _) =>
            LookedUp(new HostAddress(IPAddress.Loopback, IsInner: false))
        );

        var packages = await MakeAsync(await SignedBaseAsync(Outside($"http://{front.Host}")), network);

        Assert.Contains(packages, package => package.Name == "shop");
        Assert.NotEqual(0, server.Requests);
    }

    [Fact]
    public async Task AProxyOfTheMachineIsUsedWhereThereIsOne()
    {
        repository.Request("shop");
        await using var server = new FileServer(repository.Folder);
        await using var proxy = new TestProxy(new Uri(server.Address).Authority, null) { RenamesHost = true };
        WithoutProxies(("http_proxy", $"http://{proxy.Host}"));

        await MakeAsync(await SignedBaseAsync(Outside(server.Address)), LocalRepository.Network);

        Assert.Contains(proxy.Heads, head => head.StartsWith($"GET {Outside(server.Address)}/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("deb.example.com", 80, 4)]
    [InlineData("DEB.example.com.", 80, 4)]
    [InlineData("deb.example.com", 22, 2)]
    [InlineData("other.example.com", 80, 2)]
    [InlineData("127.0.0.1", 80, 2)]
    public async Task TheProxyForAptConnectsToNothingButTheSources(string host, byte port, int reply)
    {
        var sources = new PackageSources(["http://deb.example.com/debian"]) { BaseImage = "example/base:1" };
        await using var proxy = new SourceProxy(new SourceGuard(sources, [], (_, _) => LookedUp()));
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(new Uri(proxy.Address).Authority), Cancel);
        await using var stream = new NetworkStream(socket);
        var answers = new byte[2 + 10];

        await stream.WriteAsync((byte[])[5, 1, 0, 5, 1, 0, 3, (byte)host.Length, .. Encoding.ASCII.GetBytes(host), 0, port], Cancel);
        await stream.ReadExactlyAsync(answers, Cancel);

        Assert.Equal([5, 0, 5, (byte)reply], answers[..4]);
    }

    [Theory]
    [InlineData(Lines, "deb [trusted=yes allow-insecure=yes] {0} ./")]
    [InlineData(Paragraphs, "Types: deb\nURIs: {0}\nSuites: ./\nTrusted: yes\nAllow-Insecure: yes\n")]
    public async Task ASourceThatCallsItselfTrustedIsNot(string path, string text)
    {
        using var unsigned = new LocalRepository { Key = null }.Add(new DebBuilder("shop"));
        unsigned.Request("shop");
        await using var server = new FileServer(unsigned.Folder);

        var failure = await FailAsync(await BaseAsync(path, text.Replace("{0}", server.Address, StringComparison.Ordinal)), server);

        Assert.Contains(failure.Code, new[] { DiagnosticCodes.PackageSourceUntrusted, DiagnosticCodes.PackageSourceFailed });
        Assert.Contains(repository.Details, line =>
            line.Contains("are ignored", StringComparison.Ordinal) && line.Contains("rusted", StringComparison.Ordinal)
        );
    }

    [Fact]
    [ReliabilityCase(Area, "a base image's package source redirects to an inside address", "not followed, IMG6009")]
    public async Task ARedirectIsNotFollowed()
    {
        repository.Request("shop");
        await using var inner = new FileServer(repository.Folder);
        await using var outer = new FileServer(repository.Folder) { RedirectsTo = inner.Address };

        var failure = await FailAsync(await BaseAsync(Lines, $"deb {outer.Address} ./"), outer);

        Assert.True("IMG6009" == failure.Code.Id, failure.Message);
        Assert.Contains("ImagePackageSource", failure.Message, StringComparison.Ordinal);
        Assert.NotEqual(0, outer.Requests);
        Assert.Equal(0, inner.Requests);
    }

    [Fact]
    public async Task AptGetsAFreshFileAndNoOtherMethods()
    {
        var below = await BaseAsync(
            Lines,
            "deb [arch=amd64 lang=de check-valid-until=no by-hash=force] http://deb.example.com/debian bookworm main contrib # "
                + "comment\n# deb file:/x ./\ndeb-src file:/x ./\n"
        );
        var workspace = new AptWorkspace(Request(), "amd64", below);
        var tool = workspace.Prepare(repository);

        Assert.Equal(
            "Types: deb\nURIs: http://deb.example.com/debian\nSuites: bookworm\nComponents: main contrib\nArchitectures: amd64\n",
            (await File.ReadAllTextAsync(Path.Combine(workspace.Folder, "base.sources"), Cancel)).TrimEnd() + "\n"
        );
        Assert.Contains(repository.Details, line =>
            line.Contains("lang=de, check-valid-until=no, by-hash=force", StringComparison.Ordinal)
        );
        foreach (var method in new[] { "file", "copy", "cdrom", "mirror", "mirror+file", "mirror+http", "ftp" })
        {
            var answer = await tool.DownloadAsync(
                [($"{method}:/etc/hostname", Path.Combine(repository.Folder, "out"), new string('a', 64))],
                LocalRepository.Unguarded,
                Cancel
            );
            Assert.Contains($"The method '{method}' is explicitly disabled via configuration", answer.Errors, StringComparison.Ordinal);
        }
    }

    private PackageRequest Request() => repository.Request("shop") with { Source = null };

    private async Task<ImagePublishException> FailAsync(
        PackageBase below,
        FileServer? trusted = null,
        bool hasApt = true,
        PackageNetwork? network = null
    )
    {
        var request = Request() with
        {
            HasApt = hasApt,
            TrustedSourceHosts = trusted is null ? [] : [new Uri(trusted.Address).Authority],
            Locked = hasApt ? null : [new OsPackage("shop", "1.0", "all", "shop.deb", 4, Digest.Compute("shop"u8))],
        };
        var maker = new OsPackages(network ?? LocalRepository.Network, repository);
        return await Assert.ThrowsAnyAsync<ImagePublishException>(async () =>
        {
            var chosen = await maker.ChooseAsync(request, Platform, below, mustRefresh: false, Cancel);
            await maker.LayOutAsync(chosen, request, Platform, below, Cancel);
        });
    }

    private async Task<IReadOnlyList<OsPackage>> MakeAsync(PackageBase below, PackageNetwork network)
    {
        var maker = new OsPackages(network, repository);
        var chosen = await maker.ChooseAsync(Request(), Platform, below, mustRefresh: false, Cancel);
        await maker.LayOutAsync(chosen, Request(), Platform, below, Cancel);
        return chosen;
    }

    private static Task<PackageBase> SignedBaseAsync(string address) =>
        PackageBaseTests.BaseAsync(
            ("var/lib/dpkg/status", Installed),
            (Lines, $"deb {address} ./\n"),
            ("etc/apt/trusted.gpg.d/own.asc", ArchiveKey.Shared.ArmoredKey)
        );

    private static string Outside(string address) => address.Replace("127.0.0.1", "packages.example.test", StringComparison.Ordinal);

    private static Task<IReadOnlyList<HostAddress>> LookedUp(params HostAddress[] addresses) =>
        Task.FromResult<IReadOnlyList<HostAddress>>(addresses);

    private static RegistryClient Client() =>
        new(
            new RegistryClientOptions(),
            new CredentialChain(
                new CredentialEnvironment
                {
                    Variable = _ => null,
                    HomeFolder = "/nowhere",
                    VariableNames = () => [],
                }
            ),
            new TestLog(),
            TimeProvider.System
        );

    private static void WithoutProxies(params (string Name, string? Value)[] others)
    {
        var variables = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Where(variable => !((string)variable.Key).EndsWith("_proxy", StringComparison.OrdinalIgnoreCase))
            .Select(variable => ((string)variable.Key, (string?)variable.Value));
        Programs.KeepEnvironment(variables.Concat(others).ToDictionary());
    }

    private static Task<PackageBase> BaseAsync(string path, string text) =>
        PackageBaseTests.BaseAsync(("var/lib/dpkg/status", Installed), (path, text));
}

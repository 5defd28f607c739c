using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Schemes, certificates, HTTP/2 and proxies.</summary>
public sealed class ConnectionTests
{
    private const string Area = "Retry";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task ALocalRegistryInPlainHttpNeedsNoSettingAndNoExtraRequest(string name)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.HostName = name);

        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));

        Assert.Single(bench.Server.Requests);
    }

    [Fact]
    public async Task ALocalRegistryWithACertificateOfItsOwnNeedsNoSetting()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);

        await new RandomImage(layers: 1).PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.Single(bench.Server.Content.AllTags);
    }

    [Fact]
    [ReliabilityCase(Area, "certificate error", "never tried again or downgraded, IMG4008")]
    public async Task AnUntrustedCertificateIsAnErrorAtOnce()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        bench.Options = bench.Options with { TrustLoopback = false };

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.CertificateUntrusted, () =>
            bench.Client.FindManifestAsync(bench.Latest, Cancel)
        );

        Assert.Contains("SSL_CERT_FILE", failure.Message, StringComparison.Ordinal);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    [ReliabilityCase(Area, "plain http where https is required", "never downgraded; IMG4008 says how to allow it")]
    public async Task PlainHttpIsNeverSpokenWithoutLeave()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { TrustLoopback = false };

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.CertificateUntrusted, () =>
            bench.Client.FindManifestAsync(bench.Latest, Cancel)
        );

        Assert.Contains("ImageInsecureRegistries", failure.Message, StringComparison.Ordinal);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task AnInsecureRegistryIsSpokenToInPlainHttpOnceItIsNamed()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with
        {
            TrustLoopback = false,
            InsecureRegistries = new HashSet<Registry> { bench.Registry },
        };

        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APrivateAuthorityIsTrustedAndHttp2IsSpoken(bool byFile)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        var folder = Directory.CreateTempSubdirectory("imagepublish-certs-").FullName;
        try
        {
            var own = CreateHostFolder(folder, bench.Server.Host);
            var file = bench.Server.CertificateAuthority!.WritePem(Path.Combine(own, "ca.crt"));
            bench.Options = bench.Options with
            {
                TrustLoopback = false,
                CertificateFile = byFile ? file : null,
                DockerCertificateFolders = byFile ? [] : [folder],
            };

            await new RandomImage().PushAsync(bench.Client, bench.Latest, Cancel);

            Assert.Single(bench.Server.Content.AllTags);
            Assert.All(bench.Server.Requests, request => Assert.Equal("HTTP/2", request.Protocol));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    [ReliabilityCase(
        "Registry",
        "client certificate below an intermediate authority",
        "sent with its chain: a server that has only the root accepts it"
    )]
    public async Task AClientCertificateIsSentWithItsChain()
    {
        using var client = new ClientCertificate();
        await using var bench = await RegistryBench.StartAsync(options => (options.Tls, options.ClientAuthority) = (true, client.Root));
        var folder = Directory.CreateTempSubdirectory("imagepublish-certs-").FullName;
        try
        {
            var own = CreateHostFolder(folder, bench.Server.Host);
            bench.Server.CertificateAuthority!.WritePem(Path.Combine(own, "ca.crt"));
            await client.WriteAsync(own, "client", Cancel);
            bench.Options = bench.Options with { TrustLoopback = false, DockerCertificateFolders = [folder] };

            Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("b", true)]
    [InlineData("0", true)]
    [InlineData("0", false)]
    [ReliabilityCase(
        "Registry",
        "several client certificates for one host, below intermediate authorities",
        "the first one that the server accepts is sent, with its chain"
    )]
    public async Task OfSeveralClientCertificatesTheOneTheServerAcceptsIsSentWithItsChain(string file, bool isAuthorityNamed)
    {
        using var right = new ClientCertificate("-right");
        using var wrong = new ClientCertificate("-wrong");
        await using var bench = await RegistryBench.StartAsync(options =>
            (options.Tls, options.ClientAuthority, options.NamesClientAuthority) = (true, right.Root, isAuthorityNamed)
        );
        var folder = Directory.CreateTempSubdirectory("imagepublish-certs-").FullName;
        try
        {
            var own = CreateHostFolder(folder, bench.Server.Host);
            bench.Server.CertificateAuthority!.WritePem(Path.Combine(own, "ca.crt"));
            foreach (var (name, client) in new[] { (file, right), ("a", wrong), ("z", wrong) })
                await client.WriteAsync(own, name, Cancel);

            bench.Options = bench.Options with { TrustLoopback = false, DockerCertificateFolders = [folder] };

            await new RandomImage().PushAsync(bench.Client, bench.Latest, Cancel);

            Assert.Single(bench.Server.Content.AllTags);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task WhereNoClientCertificateFitsNoneIsSent()
    {
        using var right = new ClientCertificate("-right");
        using var wrong = new ClientCertificate("-wrong");
        await using var bench = await RegistryBench.StartAsync(options =>
            (options.Tls, options.ClientAuthority, options.NamesClientAuthority) = (true, right.Root, true)
        );
        var folder = Directory.CreateTempSubdirectory("imagepublish-certs-").FullName;
        try
        {
            var own = CreateHostFolder(folder, bench.Server.Host);
            foreach (var name in (string[])["a", "b"])
                await wrong.WriteAsync(own, name, Cancel);

            bench.Options = bench.Options with { DockerCertificateFolders = [folder] };

            await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.FindManifestAsync(bench.Latest, Cancel));

            Assert.Empty(bench.Server.Requests);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task AFileThatIsNoCertificateIsToldByName()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        bench.Options = bench.Options with { CertificateFile = "/no/such/ca.pem", TrustLoopback = false };

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.CertificateUntrusted, () =>
            bench.Client.FindManifestAsync(bench.Latest, Cancel)
        );

        Assert.Contains("/no/such/ca.pem", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proxy-user", "proxy:secret")]
    [InlineData(null, null)]
    public async Task AProxyIsGoneThroughWithItsPassword(string? user, string? password)
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        await using var proxy = new TestProxy(bench.Server.Host, user is null ? null : $"{user}:{password}");
        var registry = Registry.Parse("registry.example.test");
        var userInfo = user is null ? "" : $"{user}:{Uri.EscapeDataString(password!)}@";
        bench.Options = bench.Options with
        {
            InsecureRegistries = new HashSet<Registry> { registry },
            Proxies = new ProxySettings(null, $"http://{userInfo}{proxy.Host}"),
        };

        await bench.Client.FindManifestAsync(Repository.Create(registry, "acme/shop").ReferenceTo(Tag.Parse("1")), Cancel);

        Assert.Contains("CONNECT registry.example.test:443 HTTP/1.1", proxy.Heads.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARegistryThatNeverListenedIsAskedTwiceAndThenOnce()
    {
        var repository = Repository.Create(Registry.Parse($"localhost:{Ports.Free()}"), "acme/shop");
        await using var bench = await RegistryBench.StartAsync();

        foreach (var tag in (string[])["1", "2", "3"])
        {
            var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
                bench.Client.FindManifestAsync(repository.ReferenceTo(Tag.Parse(tag)), RegistryBench.Cancel)
            );
            Assert.Contains("no server listens on this port", failure.Message, StringComparison.Ordinal);
        }

        Assert.Single(bench.Log.ToString().Split('\n'), line => line.Contains("Trying again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AProxyThatRefusesIsToldWithoutItsPassword()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        await using var proxy = new TestProxy(bench.Server.Host, "proxy-user:right");
        bench.Options = bench.Options with { Proxies = new ProxySettings(null, $"http://proxy-user:canary@{proxy.Host}") };

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.FindManifestAsync(Reference.Parse("registry.example.test/acme/shop:1"), Cancel)
        );

        Assert.Contains("HTTPS_PROXY", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://registry.example.com/", "example.com", true)]
    [InlineData("https://registry.example.com/", ".example.com", true)]
    [InlineData("https://registry.example.com/", "*.example.com", true)]
    [InlineData("https://notexample.com/", "example.com", false)]
    [InlineData("https://registry.example.com:5000/", "registry.example.com:5000", true)]
    [InlineData("https://registry.example.com:5001/", "registry.example.com:5000", false)]
    [InlineData("https://10.1.2.3/", "10.0.0.0/8", true)]
    [InlineData("https://11.1.2.3/", "10.0.0.0/8,*.example.com", false)]
    [InlineData("https://anything.example.org/", "*", true)]
    [InlineData("https://localhost:5000/", "", true)]
    [InlineData("http://registry.example.com/", "", true)]
    [InlineData("https://[fd00::1]/", "fd00::1", true)]
    public void ProxyExceptionsMeanWhatTheyMeanElsewhere(string uri, string except, bool isDirect)
    {
        var rules = new ProxyRules(new ProxySettings(null, "proxy:3128", except));

        Assert.Equal(isDirect, rules.IsBypassed(new Uri(uri)));
        Assert.Equal(isDirect ? null : new Uri("http://proxy:3128"), rules.GetProxy(new Uri(uri)));
    }

    // On Windows the port has no colon before it, as in Docker's folders.
    private static string CreateHostFolder(string folder, string host)
    {
        var name = OperatingSystem.IsWindows() ? host.Replace(":", "", StringComparison.Ordinal) : host;
        return Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
    }
}

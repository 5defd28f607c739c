using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Support.SignInBench;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class RealmTests
{
    private const string Area = "Sign-in";

    private static readonly Registry Internal = Registry.Parse("registry.corp.example");

    [Fact]
    [ReliabilityCase(Area, "http realm on an https registry", "refused")]
    public Task AnHttpRealmOfAnHttpsRegistryIsRefused() => IsRefused("http://registry.example.com/token");

    [Fact]
    [ReliabilityCase(Area, "realm at 169.254.169.254", "refused")]
    public Task ARealmAtACloudsMetadataAddressIsRefused() => IsRefused("https://169.254.169.254/latest/meta-data");

    [Fact]
    [ReliabilityCase(Area, "realm at [::ffff:127.0.0.1]", "refused")]
    public Task ARealmAtAMappedLoopbackAddressIsRefused() => IsRefused("https://[::ffff:127.0.0.1]/token");

    [Fact]
    [ReliabilityCase(Area, "realm at localhost.", "refused")]
    public Task ARealmAtLocalhostWithTheRootsDotIsRefused() => IsRefused("https://localhost./token");

    [Fact]
    [ReliabilityCase(Area, "userinfo in the realm", "refused, and not shown")]
    public async Task ARealmWithAUserNameIsRefused()
    {
        var exception = await IsRefused("https://ada:hunter2@registry.example.com/token");

        Assert.DoesNotContain("hunter2", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://127.1/token")]
    [InlineData("https://0x7f000001/token")]
    [InlineData("https://2130706433/token")]
    [InlineData("https://10.1.2.3/token")]
    [InlineData("https://[fd00::1]/token")]
    [InlineData("https://[fe80::1]/token")]
    [InlineData("https://[::]/token")]
    [InlineData("https://[64:ff9b::7f00:1]/token")]
    [InlineData("https://[2002:7f00:1::]/token")]
    [InlineData("https://0.0.0.0/token")]
    [InlineData("https://x.localhost/token")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/token")]
    [InlineData("ftp://registry.example.com/token")]
    public Task ARealmInsideOrOfAnotherSchemeIsRefused(string realm) => IsRefused(realm);

    [Theory]
    [InlineData("docker.io", "https://auth.docker.io/token")]
    [InlineData("registry.gitlab.com", "https://gitlab.com/jwt/auth")]
    [InlineData("registry.corp.example", "https://gitlab.corp.example/jwt/auth")]
    [InlineData("ghcr.io", "https://ghcr.io/token")]
    [InlineData("harbor.example.co.uk", "https://harbor.example.co.uk:8443/service/token")]
    [InlineData("myacr.azurecr.io", "https://myacr.azurecr.io/oauth2/token")]
    [InlineData("registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth")]
    [InlineData("acme-registry.cn-hangzhou.cr.aliyuncs.com", "https://dockerauth-ee.cn-hangzhou.aliyuncs.com/auth")]
    [InlineData("registry.acme.tokyo.jp", "https://auth.acme.tokyo.jp/token")]
    [InlineData("registry.city.kobe.jp", "https://auth.city.kobe.jp/token")]
    [InlineData("registry.acme.trycloudflare.com", "https://auth.acme.trycloudflare.com/token")]
    [InlineData("localhost:5000", "http://127.0.0.1:5001/token")]
    [InlineData("localhost:5000", "https://localhost:5001/token")]
    [InlineData("10.0.0.5:5000", "https://10.0.0.5/token")]
    [InlineData("[::1]:5000", "http://localhost:1/token")]
    public async Task ARealmOfTheRegistrysOwnGetsItsCredentials(string registry, string realm)
    {
        var bench = new SignInBench(credential: User);

        await bench.SignInAsync(Bearer(realm), registry: Registry.Parse(registry));

        Assert.NotNull(bench.Service.Call.Authorization);
    }

    [Theory]
    [InlineData("registry.example.com", "https://tokens.example.net/")]
    [InlineData("mine.azurecr.io", "https://yours.azurecr.io/oauth2/token")]
    [InlineData("mine.co.uk", "https://yours.co.uk/token")]
    [InlineData("docker.io", "https://auth.docker.io.example.com/token")]
    [InlineData("registry", "https://tokens/")]
    [InlineData("192.0.2.1", "https://203.0.113.1/token")]
    [InlineData("registry.bucket.aliyuncs.com", "https://evil.oss-cn-hangzhou.aliyuncs.com/")]
    [InlineData("registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-beijing.aliyuncs.com/")]
    [InlineData("mine.trycloudflare.com", "https://yours.trycloudflare.com/")]
    [InlineData("mine.s3.eu-west-1.amazonaws.com", "https://yours.s3.eu-west-1.amazonaws.com/")]
    [InlineData("mine.co.za", "https://yours.co.za/")]
    [InlineData("mine.xn--55qx5d.cn", "https://yours.xn--55qx5d.cn/")]
    [InlineData("mine.kobe.jp", "https://mine.yours.kobe.jp/")]
    [InlineData("com", "https://acme.com/")]
    [ReliabilityCase("Security", "a realm below a domain that many owners share (public suffix list)", "it gets no credentials")]
    public async Task AForeignRealmGetsNoCredentialsButMayGiveAnonymousTokens(string registry, string realm)
    {
        var somebody = new SignInBench(credential: User);
        var nobody = new SignInBench();

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            somebody.RefreshAsync(Bearer(realm), registry: Registry.Parse(registry))
        );
        Assert.Equal("Bearer token-1", await nobody.SignInAsync(Bearer(realm), registry: Registry.Parse(registry)));

        Assert.Equal(DiagnosticCodes.UntrustedRealm, exception.Code);
        Assert.Empty(somebody.Service.Calls);
        Assert.NotNull(nobody.Service.Call.Guarded);
    }

    [Fact]
    public async Task TheUserMayTrustAForeignRealm()
    {
        var bench = new SignInBench(credential: User, trusted: ["tokens.example.net"]);

        await bench.SignInAsync(Bearer("https://tokens.example.net/"));

        Assert.NotNull(bench.Service.Call.Authorization);
    }

    [Fact]
    public async Task APlainRealmGetsNoCredentialsWithoutLeave()
    {
        var insecure = new HashSet<Registry> { Example };
        var plain = Bearer("http://registry.example.com/token");
        foreach (var isPlain in new[] { true, false })
        {
            var bench = new SignInBench(credential: User, insecure: insecure);
            Assert.Equal(
                "IMG5012",
                (await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync(plain, isPlain: isPlain))).Code.Id
            );
            Assert.Empty(bench.Service.Calls);
        }

        Assert.True(await new SignInBench(credential: User, insecure: insecure, plainText: insecure).RefreshAsync(plain, isPlain: true));
        Assert.True(await new SignInBench(insecure: insecure).RefreshAsync(plain, isPlain: true));
        Assert.Equal(
            "IMG5012",
            (
                await Assert.ThrowsAsync<ImagePublishException>(() =>
                    new SignInBench(credential: User, insecure: insecure).RefreshAsync(Bearer(), isPlain: true)
                )
            )
                .Code
                .Id
        );
    }

    [Fact]
    [ReliabilityCase(Area, "redirecting token endpoint", "followed manually, under the same rules")]
    public async Task ARedirectOfATokenRequestIsFollowedUnderTheSameRules()
    {
        static FakeTokenService To(string location) =>
            new(call =>
                call.Number == 1
                    ? new TokenHttpResponse(HttpStatusCode.TemporaryRedirect, default)
                    {
                        Location = new Uri(location, UriKind.RelativeOrAbsolute),
                    }
                    : FakeTokenService.Token("moved")
            );

        Assert.Equal("Bearer moved", await new SignInBench(To("/elsewhere?a=b"), User).SignInAsync());
        Assert.Equal("Bearer moved", await new SignInBench(To("https://tokens.example.net/")).SignInAsync());
        foreach (
            var bad in new[]
            {
                "http://registry.example.com/token",
                "https://127.0.0.1/",
                "https://tokens.example.net/",
                "https://a:b@registry.example.com/",
            }
        )
            await Assert.ThrowsAsync<ImagePublishException>(() => new SignInBench(To(bad), User).RefreshAsync());
    }

    [Fact]
    public async Task ARedirectLoopEnds()
    {
        var service = new FakeTokenService(_ => new TokenHttpResponse(HttpStatusCode.Found, default)
        {
            Location = new Uri("/token", UriKind.Relative),
        });

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => new SignInBench(service).RefreshAsync());

        Assert.Equal(DiagnosticCodes.RegistryProtocol, exception.Code);
        Assert.Equal(6, service.Calls.Count);
    }

    [Fact]
    public async Task ARedirectedPostIsNotFollowedButTriedAsAGet()
    {
        var service = new FakeTokenService(call =>
            call.Method == "POST"
                ? new TokenHttpResponse(HttpStatusCode.TemporaryRedirect, default) { Location = new Uri("https://tokens.example.net/") }
                : FakeTokenService.Token("by-get")
        );

        Assert.Equal("Bearer by-get", await new SignInBench(service, new Credential { IdentityToken = "x" }).SignInAsync());
        Assert.All(service.Calls, call => Assert.Equal("registry.example.com", call.Address.Host));
    }

    [Theory]
    [InlineData("10.0.0.7")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:10.0.0.7")]
    [InlineData("fd00::7")]
    [ReliabilityCase(Area, "realm whose name resolves to a private address", "refused when connecting")]
    public async Task ARealmWhoseNameLeadsInsideIsRefusedWhenConnecting(string address)
    {
        var guard = Guard(("registry.example.com", "203.0.113.1"), ("tokens.example.com", address));

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() =>
            guard.ResolveAsync(SignInBench.Example, "tokens.example.com", isRedirect: false, Stop)
        );

        Assert.Equal(DiagnosticCodes.UntrustedRealm, exception.Code);
    }

    [Fact]
    public async Task ARegistryInsideMayHaveItsTokensInside()
    {
        var guard = Guard(
            ("registry.corp.example", "10.0.0.6"),
            ("gitlab.corp.example", "10.0.0.7"),
            ("evil.corp.example", "127.0.0.1"),
            ("cloud.corp.example", "169.254.169.254")
        );

        Assert.Equal([IPAddress.Parse("10.0.0.7")], await guard.ResolveAsync(Internal, "gitlab.corp.example", isRedirect: false, Stop));
        await Assert.ThrowsAsync<ImagePublishException>(() => guard.ResolveAsync(Internal, "evil.corp.example", isRedirect: false, Stop));
        await Assert.ThrowsAsync<ImagePublishException>(() => guard.ResolveAsync(Internal, "cloud.corp.example", isRedirect: false, Stop));
    }

    [Fact]
    public async Task AGuardedHandlerConnectsOnlyToWhatIsAllowed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var accepting = listener.AcceptSocketAsync(Stop);
        using var handler = new SocketsHttpHandler();
        Guard(("registry.example.com", "203.0.113.1"), ("tokens.example.com", "127.0.0.1")).Protect(handler);
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://tokens.example.com:{port}/");
        request.Options.Set(AddressGuard.RegistryOption, SignInBench.Example);

        var exception = await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request, Stop));

        Assert.IsType<ImagePublishException>(exception.InnerException);
        Assert.False(accepting.IsCompleted);
    }

    private static async Task<ImagePublishException> IsRefused(string realm)
    {
        foreach (var bench in new[] { new SignInBench(credential: User), new SignInBench() })
        {
            var refused = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RefreshAsync(Bearer(realm)));
            Assert.Equal(DiagnosticCodes.UntrustedRealm, refused.Code);
            Assert.Empty(bench.Service.Calls);
        }

        return await Assert.ThrowsAsync<ImagePublishException>(() => new SignInBench(credential: User).RefreshAsync(Bearer(realm)));
    }

    private static AddressGuard Guard(params (string Host, string Address)[] names) =>
        new((host, _) => Task.FromResult(names.Where(name => name.Host == host).Select(name => IPAddress.Parse(name.Address)).ToArray()));
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Testing;
using ImagePublish.Testing.Clouds;

namespace ImagePublish.Tests.Registries.Auth.Identities;

/// <summary>A cloud's registry under its own name, the services of all clouds, and a client that finds them there.</summary>
internal sealed class IdentityBench : IAsyncDisposable
{
    public const string Acr = "acmeshop.azurecr.io";
    public const string Ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    public const string Gar = "europe-west4-docker.pkg.dev";
    public const string AzureTag = "7783-7084-3265-9085-8269-3286-77";

    private const string AcrUser = "00000000-0000-0000-0000-000000000000";

    private readonly Dictionary<string, string> variables = [];
    private readonly Dictionary<string, string> firmware = [];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-identity-");
    private RegistryClient? client;

    private IdentityBench(string host, TestRegistry server, FakeCloud cloud, MovableClock clock)
    {
        (Host, Server, Cloud, Clock) = (host, server, cloud, clock);
        var authorities = Path.Combine(folder.FullName, "authorities.pem");
        File.WriteAllText(authorities, server.CertificateAuthority!.Pem + "\n" + cloud.Authority.Pem);
        Options = new RegistryClientOptions
        {
            CertificateFile = authorities,
            FirstRetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(1),
            MaxTries = 2,
            Connect = ConnectAsync,
        };
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string Host { get; }

    public TestRegistry Server { get; }

    public FakeCloud Cloud { get; }

    public MovableClock Clock { get; }

    public TestLog Log { get; } = new();

    /// <summary>Changed before the client is first used.</summary>
    public RegistryClientOptions Options { get; set; }

    /// <summary>What the user configured.</summary>
    public Credential? Credential { get; set; }

    public bool UsesIdentities { get; set; } = true;

    public bool AsksMachine { get; set; }

    /// <summary>Whether something listens where a machine has its metadata service.</summary>
    public bool HasMachineServices { get; set; } = true;

    public bool IsSoleRegistry { get; set; } = true;

    /// <summary>Hosts and ports that were connected to.</summary>
    public ConcurrentQueue<string> Dialled { get; } = new();

    public Registry Registry => Registry.Parse(Host);

    public Repository Repository => Repository.Create(Registry, "team/app");

    public Reference Latest => Repository.ReferenceTo(Tag.Parse("1"));

    public RegistryClient Client =>
        client ??= new RegistryClient(
            Options with
            {
                Identities = UsesIdentities ? Environment : null,
            },
            new OneCredential(this),
            Log,
            Clock
        );

    private CredentialEnvironment Environment =>
        new()
        {
            Variable = variables.GetValueOrDefault,
            VariableNames = () => variables.Keys,
            SoleRegistry = IsSoleRegistry ? Registry : null,
            Firmware = firmware.GetValueOrDefault,
            AsksMachine = AsksMachine,
        };

    /// <summary>Starts a registry of Azure's, Amazon's or Google's kind, by its host.</summary>
    public static async Task<IdentityBench> StartAsync(string host, Action<TestRegistryOptions>? configure = null)
    {
        var clock = new MovableClock(DateTimeOffset.UtcNow);
        var cloud = await FakeCloud.StartAsync(clock, Stop);
        var server = await TestRegistry.StartAsync(
            options =>
            {
                options.Tls = true;
                options.Time = clock;
                options.CertificateNames.Add(host);
                options.Auth.Schemes = host.Contains(".dkr", StringComparison.Ordinal) ? AuthSchemes.Basic : AuthSchemes.Bearer;
                options.Auth.Service = host;
                options.Auth.TokenPath = host.Contains("azurecr", StringComparison.Ordinal) ? "/oauth2/token" : "/token";
                configure?.Invoke(options);
            },
            Stop
        );
        var bench = new IdentityBench(host, server, cloud, clock);
        var auth = server.Options.Auth;
        cloud.Azure.Issue = token => auth.ExchangeTokens[token] = AcrUser;
        cloud.Amazon.Issue = password => auth.Users["AWS"] = password;
        cloud.Google.Issue = token => auth.Users["oauth2accesstoken"] = token;
        return bench;
    }

    public IdentityBench Set(string name, string value)
    {
        variables[name] = value;
        return this;
    }

    public IdentityBench SetFirmware(string name, string value)
    {
        firmware[name] = value;
        return this;
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    public IdentityBench OnGitHub(bool mayHaveToken = true)
    {
        Set("GITHUB_ACTIONS", "true");
        return mayHaveToken
            ? Set("ACTIONS_ID_TOKEN_REQUEST_URL", CiServices.GitHubUrl).Set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CiServices.GitHubRequestToken)
            : this;
    }

    public IdentityBench WithAzureApplication() =>
        Set("AZURE_CLIENT_ID", AzureServices.Application).Set("AZURE_TENANT_ID", AzureServices.Tenant);

    /// <summary>Pushes an image, and looks for secrets in what was logged.</summary>
    public async Task PushAsync()
    {
        await new RandomImage(layers: 3).PushAsync(Client, Latest, Stop);
        Assert.Single(Server.Content.AllTags);
        HasNoSecret(Log.ToString());
    }

    /// <summary>Puts an image into the registry, and pulls it.</summary>
    public async Task PullAsync()
    {
        var image = new RandomImage(layers: 2);
        image.PutInto(Server.Content, Repository.Name, "1");
        await image.PullAndCompareAsync(Client, Latest, Stop);
        HasNoSecret(Log.ToString());
    }

    public async Task<string> FailsToPushAsync(DiagnosticCode code)
    {
        var failure = await RegistryBench.FailsAsync(code, () => new RandomImage(layers: 3).PushAsync(Client, Latest, Stop));
        Assert.Empty(Server.Content.AllTags);
        HasNoSecret($"{Log}\n{failure}");
        return failure.Message;
    }

    public async Task<string> FailsToPullAsync(DiagnosticCode code)
    {
        var failure = await RegistryBench.FailsAsync(code, () => Client.GetManifestAsync(Latest, Stop));
        HasNoSecret($"{Log}\n{failure}");
        return failure.Message;
    }

    /// <summary>The services that were asked, in order.</summary>
    public IEnumerable<string> Asked => Cloud.Calls.Select(call => call.ToString());

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        await Server.DisposeAsync();
        await Cloud.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private void HasNoSecret(string text)
    {
        IEnumerable<string> secrets =
        [
            CiServices.GitHubRequestToken,
            CiServices.PipelineAccessToken,
            AzureServices.AppServiceSecret,
            AmazonServices.ContainerToken,
            .. Cloud.Azure.Issued,
            .. Cloud.Google.Issued,
            .. Cloud.Amazon.Passwords,
            .. Cloud.Amazon.Keys.SelectMany(keys => new[] { keys.Secret, keys.Session ?? "none of it" }),
            .. Cloud
                .Calls.SelectMany(call => new[] { "client_assertion", "WebIdentityToken", "subject_token", "assertion" }.Select(call.Field))
                .OfType<string>(),
        ];
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        Assert.DoesNotContain("eyJ", text, StringComparison.Ordinal);
    }

    // Names lead to the fakes, and to nothing else: what has no fake refuses the connection.
    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        Dialled.Enqueue($"{target.Host}:{target.Port}");
        var isMachine = target.Host.StartsWith("169.254.", StringComparison.Ordinal) || target.Host is "127.0.0.1" or "localhost";
        var address =
            target.Port == 443 && target.Host == Host ? IPEndPoint.Parse(Server.Host)
            : target.Port == 443 ? Cloud.Secure
            : isMachine && HasMachineServices ? Cloud.Plain
            : throw new SocketException((int)SocketError.ConnectionRefused);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private sealed class OneCredential(IdentityBench bench) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult(registry == bench.Registry ? bench.Credential : null);
    }
}

using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A token server for <see cref="DockerRegistry"/>: users and what they may do are a <see cref="TestRegistry"/>'s, whose tokens it replaces
/// by signed ones as distribution demands them.
/// </summary>
/// <seealso href="https://distribution.github.io/distribution/spec/auth/jwt/"/>
public sealed class TokenServer : IAsyncDisposable
{
    private const string Service = "docker-registry";
    private const string Issuer = "ImagePublish test tokens";

    // How much longer than they say distribution takes tokens, for clocks that differ.
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder folder = new();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 certificate;
    private readonly ConcurrentQueue<string> handedOut = new();
    private TestRegistry? server;

    private TokenServer()
    {
        var request = new CertificateRequest($"CN={Issuer}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        folder.Write("tokens.crt", certificate.ExportCertificatePem());
    }

    /// <summary>
    /// How long the registry takes a token, which need not be what its answer says (<see cref="AuthOptions.TokenLifetime"/>).
    /// </summary>
    public TimeSpan TakenFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Who may do what, and what else there is to go wrong.</summary>
    public TestRegistry Server => server!;

    /// <summary>All tokens that were handed out.</summary>
    public IReadOnlyCollection<string> HandedOut => handedOut;

    /// <summary>The registry's <c>auth</c> section that trusts this server.</summary>
    public string Configuration => ConfigurationFor(new Uri(Server.BaseAddress, Server.Options.Auth.TokenPath));

    /// <summary>Starts one with a user.</summary>
    public static async Task<TokenServer> StartAsync(string user, string password, CancellationToken cancellationToken)
    {
        var tokens = new TokenServer();
        try
        {
            tokens.server = await TestRegistry.StartAsync(options => tokens.Configure(options.Auth, user, password), cancellationToken);
            return tokens;
        }
        catch
        {
            await tokens.DisposeAsync();
            throw;
        }
    }

    /// <summary>A registry that sends its users here for tokens.</summary>
    public Task<DockerRegistry> StartRegistryAsync(CancellationToken cancellationToken) =>
        DockerRegistry.StartAsync(new DockerRegistryOptions { Configuration = Configuration }, cancellationToken);

    /// <summary>The same <c>auth</c> section, with another place to ask.</summary>
    public string ConfigurationFor(Uri realm) =>
        $"""
            auth:
              token:
                realm: {realm}
                service: {Service}
                issuer: {Issuer}
                rootcertbundle: {folder["tokens.crt"]}
            """;

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        certificate.Dispose();
        key.Dispose();
        folder.Dispose();
    }

    private void Configure(AuthOptions auth, string user, string password)
    {
        auth.Schemes = AuthSchemes.Bearer;
        auth.Service = Service;
        auth.Users[user] = password;
        auth.RewriteTokenBody = Sign;
    }

    private string Sign(JsonObject answer)
    {
        var token = Sign(Server.Tokens.Issued.Single(issued => issued.Value == (string?)answer["token"]));
        handedOut.Enqueue(token);
        answer["token"] = token;
        answer["access_token"] = token;
        return answer.ToJsonString();
    }

    private string Sign(IssuedToken issued)
    {
        var now = DateTimeOffset.UtcNow;
        var header = new
        {
            typ = "JWT",
            alg = "ES256",
            x5c = new[] { Convert.ToBase64String(certificate.RawData) },
        };
        var claims = new
        {
            iss = Issuer,
            sub = issued.User ?? "",
            aud = Service,
            exp = (now + TakenFor - Leeway).ToUnixTimeSeconds(),
            nbf = now.ToUnixTimeSeconds(),
            iat = now.ToUnixTimeSeconds(),
            jti = issued.Value,
            access = issued.Grants.Select(grant => new
            {
                type = grant.Type,
                name = grant.Name,
                actions = grant.Actions,
            }),
        };
        var text = $"{Encode(JsonSerializer.SerializeToUtf8Bytes(header))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}

using System.Net.Http.Headers;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Tests.Support;

/// <summary>An authenticator with a token service, a clock and a credential of the test's choice.</summary>
internal sealed class SignInBench
{
    public static readonly Registry Example = Registry.Parse("registry.example.com");

    public static readonly IReadOnlyList<Scope> Pushing = [Scope.Push("acme/shop")];

    public SignInBench(
        FakeTokenService? service = null,
        Credential? credential = null,
        IReadOnlyList<string>? trusted = null,
        IReadOnlySet<Registry>? insecure = null,
        IReadOnlySet<Registry>? plainText = null
    )
    {
        Service = service ?? new FakeTokenService();
        Authenticator = new Authenticator(
            new FixedCredentials(credential),
            Service,
            new RealmPolicy(insecure ?? new HashSet<Registry>(), trusted ?? [], plainText ?? new HashSet<Registry>()),
            Clock,
            new Redactor()
        );
    }

    public static Credential User { get; } = Credential.Create("ada", "s3cret");

    public FakeTokenService Service { get; }

    public MovableClock Clock { get; } = new();

    public Authenticator Authenticator { get; }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IReadOnlyList<Challenge> Bearer(
        string realm = "https://registry.example.com/token",
        string more = ",service=\"registry.example.com\""
    ) => Challenge.ParseAll([$"Bearer realm=\"{realm}\"{more}"]);

    public static string BasicOf(string username, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}"));

    public async Task<bool> RefreshAsync(
        IReadOnlyList<Challenge>? challenges = null,
        AuthenticationHeaderValue? rejected = null,
        IReadOnlyList<Scope>? scopes = null,
        Registry? registry = null,
        bool isPlain = false
    ) =>
        await Authenticator.RefreshAsync(
            registry ?? Example,
            scopes ?? Pushing,
            new Rejection(challenges ?? Bearer(), rejected, isPlain),
            Stop
        );

    public async Task<AuthenticationHeaderValue?> AuthorizeAsync(IReadOnlyList<Scope>? scopes = null, Registry? registry = null) =>
        await Authenticator.AuthorizeAsync(registry ?? Example, scopes ?? Pushing, Stop);

    /// <summary>Acts as a client does after a 401, and gives the header it would then send.</summary>
    public async Task<string?> SignInAsync(
        IReadOnlyList<Challenge>? challenges = null,
        IReadOnlyList<Scope>? scopes = null,
        Registry? registry = null
    )
    {
        Assert.True(await RefreshAsync(challenges, null, scopes, registry));
        return (await AuthorizeAsync(scopes, registry))?.ToString();
    }

    private sealed class FixedCredentials(Credential? credential) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult(credential);
    }
}

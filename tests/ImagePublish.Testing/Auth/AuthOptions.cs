using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

[Flags]
public enum AuthSchemes
{
    None = 0,
    Basic = 1,
    Bearer = 2,
}

/// <summary>Which of several <c>scope</c> parameters a token is made for.</summary>
public enum ScopesHonoured
{
    All,
    First,
    Last,

    /// <summary>None: the token is good for whatever its user may do.</summary>
    Ignored,
}

/// <summary>How one signs in. Bearer tokens come from the registry's own token endpoint.</summary>
public sealed class AuthOptions
{
    public AuthSchemes Schemes { get; set; }

    /// <summary>User name → password.</summary>
    public IDictionary<string, string> Users { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Any user name will do with these passwords.</summary>
    public ISet<string> AnyUserPasswords { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Identity (refresh) token → user name.</summary>
    public IDictionary<string, string> IdentityTokens { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The user name under which an identity token passes as a Basic password, as Azure has it.</summary>
    public string? IdentityTokenUser { get; set; }

    /// <summary>Entra-like token → user name, for <c>/oauth2/exchange</c>.</summary>
    public IDictionary<string, string> ExchangeTokens { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Everybody may pull (with bearer: by an anonymous token).</summary>
    public bool AnonymousPull { get; set; }

    /// <summary>
    /// May this user (null: anonymous) do this (pull, push, delete) in this repository? Asked after <see cref="AnonymousPull"/>.
    /// </summary>
    public Func<string?, string, string, bool> Allows { get; set; } = static (user, _, _) => user is not null;

    /// <summary>The status of a request whose token is good but too small: 401 with <c>insufficient_scope</c>, or 403 DENIED.</summary>
    public int DeniedStatus { get; set; } = 401;

    public string TokenPath { get; set; } = "/token";

    /// <summary>The realm names <see cref="TestRegistry.OtherHost"/>.</summary>
    public bool RealmOnSecondHost { get; set; }

    /// <summary>Appended to the realm: <c>?tenant=a%2Bb</c>; demanded of token requests.</summary>
    public string RealmQuery { get; set; } = "";

    /// <summary>The realm, whatever it is, instead of the true one.</summary>
    public string? Realm { get; set; }

    /// <summary>Null: no service in the challenge. Otherwise token requests must name it.</summary>
    public string? Service { get; set; } = "test-registry";

    /// <summary>Challenges name the scope that was missing.</summary>
    public bool ScopeInChallenge { get; set; } = true;

    /// <summary>Several challenges share one header.</summary>
    public bool OneHeader { get; set; }

    /// <summary>Basic comes before Bearer.</summary>
    public bool BasicFirst { get; set; }

    /// <summary><c>Basic</c> without a realm.</summary>
    public bool BareBasic { get; set; }

    /// <summary>The WWW-Authenticate headers instead of the true ones; is given those.</summary>
    public Func<IReadOnlyList<string>, IReadOnlyList<string>>? RewriteChallenges { get; set; }

    /// <summary>Nobody is ever let in: the 401 loop.</summary>
    public bool AlwaysRefuse { get; set; }

    /// <summary>
    /// The first request of these steps in each repository is answered 401, however it was signed in: as if the token had expired just
    /// then.
    /// </summary>
    public ISet<RegistryStep> RefuseOnce { get; } = new HashSet<RegistryStep>();

    public ScopesHonoured ScopesHonoured { get; set; }

    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A token is good for this many requests, then it is answered 401.</summary>
    public int TokenUses { get; set; } = int.MaxValue;

    /// <summary>Tokens start with this, so that they can be searched for in logs.</summary>
    public string TokenPrefix { get; set; } = "token-";

    /// <summary>POST at the token endpoint is answered so: 404, 405, 401, 400.</summary>
    public int? PostStatus { get; set; }

    /// <summary>GET at the token endpoint is answered so.</summary>
    public int? GetStatus { get; set; }

    /// <summary>The token endpoint's body; is given the true one (token, access_token, expires_in, issued_at, refresh_token).</summary>
    public Func<JsonObject, string>? RewriteTokenBody { get; set; }
}

using System.Collections.Concurrent;

namespace ImagePublish.Testing;

/// <summary>The tokens that were handed out.</summary>
public sealed class TokenBook
{
    private readonly TestRegistryOptions options;
    private readonly ConcurrentDictionary<string, IssuedToken> tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> refresh = new(StringComparer.Ordinal);

    internal TokenBook(TestRegistryOptions options) => this.options = options;

    public IReadOnlyCollection<IssuedToken> Issued => [.. tokens.Values];

    /// <summary>Every token is answered 401 from now on; new ones can be had.</summary>
    public void ExpireAll()
    {
        foreach (var token in tokens.Values)
            token.Expires = DateTimeOffset.MinValue;
    }

    /// <summary>A token made by hand, e.g. docker's <c>registrytoken</c>.</summary>
    public IssuedToken Issue(string? user, params string[] scopes) => Issue(user, [.. scopes.Select(Grant.Parse).OfType<Grant>()]);

    internal IssuedToken Issue(string? user, IReadOnlyList<Grant> grants)
    {
        var auth = options.Auth;
        var token = new IssuedToken(
            auth.TokenPrefix + Guid.NewGuid().ToString("N"),
            user,
            grants,
            options.Time.GetUtcNow() + auth.TokenLifetime
        );
        return tokens[token.Value] = token;
    }

    internal string IssueRefresh(string user)
    {
        var token = options.Auth.TokenPrefix + "refresh-" + Guid.NewGuid().ToString("N");
        refresh[token] = user;
        return token;
    }

    internal string? UserOfRefresh(string token) =>
        refresh.GetValueOrDefault(token) ?? (options.Auth.IdentityTokens.TryGetValue(token, out var user) ? user : null);

    /// <summary>Null when there is none, it has expired or is used up.</summary>
    internal IssuedToken? Use(string value) =>
        tokens.TryGetValue(value, out var token) && token.Expires > options.Time.GetUtcNow() && token.Use() <= options.Auth.TokenUses
            ? token
            : null;
}

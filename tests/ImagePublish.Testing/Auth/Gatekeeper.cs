using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>Lets requests in or answers 401 with the challenge.</summary>
internal sealed class Gatekeeper(TestRegistry registry)
{
    private readonly TestRegistryOptions options = registry.Options;
    private readonly ConcurrentDictionary<(RegistryStep Step, string Repository), bool> refused = new();

    private AuthOptions Auth => options.Auth;

    /// <summary>Null: come in. Otherwise the refusal, to be sent.</summary>
    public Func<Task>? Check(Exchange exchange)
    {
        var step = exchange.Route.Step;
        if (step is RegistryStep.Token or RegistryStep.TokenExchange or RegistryStep.StorageGet || IsForeignUpload(exchange))
            return null;
        if (Auth.AlwaysRefuse)
            return () => ChallengeAsync(exchange, Needed(exchange), "invalid_token");
        if (Auth.Schemes == AuthSchemes.None)
            return null;
        var needed = Needed(exchange);
        var header = exchange.Record.Authorization;
        if (header?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true && Auth.Schemes.HasFlag(AuthSchemes.Bearer))
            return CheckToken(exchange, header["Bearer ".Length..].Trim(), needed);
        if (header is not null && Auth.Schemes.HasFlag(AuthSchemes.Basic))
            return CheckPassword(exchange, header, needed);
        return header is null && !Auth.Schemes.HasFlag(AuthSchemes.Bearer) && step != RegistryStep.Ping && Refused(null, needed) is null
            ? null
            : () => ChallengeAsync(exchange, needed, null);
    }

    /// <summary>What <paramref name="user"/> may do of what is asked for.</summary>
    public Grant Allowed(string? user, Grant asked) =>
        asked with
        {
            Actions = [.. asked.Actions.Where(a => a == "pull" && Auth.AnonymousPull || Auth.Allows(user, asked.Name, a))],
        };

    private static Grant Repository(string name, params string[] actions) => new("repository", name, actions);

    private bool IsForeignUpload(Exchange exchange) =>
        exchange.OnSecondHost
        && options.Uploads.OnSecondHost
        && exchange.Route.Step
            is RegistryStep.UploadPatch
                or RegistryStep.UploadPut
                or RegistryStep.UploadStatus
                or RegistryStep.UploadDelete;

    private Func<Task>? CheckToken(Exchange exchange, string value, IReadOnlyList<Grant> needed)
    {
        if (registry.Tokens.Use(value) is not { } token)
            return () => ChallengeAsync(exchange, needed, "invalid_token");
        var missing =
            Auth.ScopesHonoured == ScopesHonoured.Ignored
                ? Refused(token.User, needed)
                : needed.FirstOrDefault(n => !token.Grants.Any(g => g.Covers(n)));
        return missing is null ? RefuseOnce(exchange, needed) : () => DenyAsync(exchange, needed, missing);
    }

    private Func<Task>? CheckPassword(Exchange exchange, string header, IReadOnlyList<Grant> needed)
    {
        if (
            Credentials.Parse(header) is not { } given
            || Credentials.Check(Auth, registry.Tokens, given.User, given.Password) is not { } user
        )
            return () => ChallengeAsync(exchange, needed, null);
        return Refused(user, needed) is { } missing ? () => DenyAsync(exchange, needed, missing) : RefuseOnce(exchange, needed);
    }

    private Func<Task>? RefuseOnce(Exchange exchange, IReadOnlyList<Grant> needed) =>
        Auth.RefuseOnce.Contains(exchange.Route.Step) && refused.TryAdd((exchange.Route.Step, exchange.Repository), true)
            ? () => ChallengeAsync(exchange, needed, "invalid_token")
            : null;

    private Grant? Refused(string? user, IReadOnlyList<Grant> needed) => needed.FirstOrDefault(n => !Allowed(user, n).Covers(n));

    private IReadOnlyList<Grant> Needed(Exchange exchange)
    {
        var name = exchange.Repository;
        return exchange.Route.Step switch
        {
            RegistryStep.BlobHead
            or RegistryStep.BlobGet
            or RegistryStep.ManifestHead
            or RegistryStep.ManifestGet
            or RegistryStep.TagsList
            or RegistryStep.Referrers => [Repository(name, "pull")],
            RegistryStep.MountPost when options.Uploads.MountNeedsScope && exchange.Query("from") is { Length: > 0 } from =>
            [
                Repository(name, "pull", "push"),
                Repository(from, "pull"),
            ],
            RegistryStep.UploadPost
            or RegistryStep.MountPost
            or RegistryStep.UploadPatch
            or RegistryStep.UploadPut
            or RegistryStep.UploadStatus
            or RegistryStep.UploadDelete
            or RegistryStep.ManifestPut => [Repository(name, "pull", "push")],
            RegistryStep.BlobDelete or RegistryStep.ManifestDelete => [Repository(name, "delete")],
            RegistryStep.Catalog => [new("registry", "catalog", ["*"])],
            _ => [],
        };
    }

    private Task DenyAsync(Exchange exchange, IReadOnlyList<Grant> needed, Grant missing) =>
        Auth.DeniedStatus == StatusCodes.Status401Unauthorized
            ? ChallengeAsync(exchange, needed, "insufficient_scope")
            : exchange.ErrorAsync(Auth.DeniedStatus, "DENIED", "requested access to the resource is denied", missing.ToString());

    private Task ChallengeAsync(Exchange exchange, IReadOnlyList<Grant> needed, string? error)
    {
        var challenges = Challenges(exchange, needed, error);
        exchange.Http.Response.Headers.WWWAuthenticate =
            Auth.RewriteChallenges is { } rewrite ? rewrite(challenges).ToArray()
            : Auth.OneHeader ? string.Join(", ", challenges)
            : challenges.ToArray();
        return exchange.ErrorAsync(StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "authentication required");
    }

    private List<string> Challenges(Exchange exchange, IReadOnlyList<Grant> needed, string? error)
    {
        var basic = Auth.BareBasic ? "Basic" : "Basic realm=\"Test Registry\"";
        var bearer = $"Bearer realm=\"{Auth.Realm ?? TrueRealm(exchange)}\"";
        if (Auth.Service is { } service)
            bearer += $",service=\"{service}\"";
        if (Auth.ScopeInChallenge && needed.Count > 0)
            bearer += $",scope=\"{string.Join(' ', needed)}\"";
        if (error is not null)
            bearer += $",error=\"{error}\"";
        var all = new List<string>();
        if (Auth.Schemes.HasFlag(AuthSchemes.Bearer) || Auth.Schemes == AuthSchemes.None)
            all.Add(bearer);
        if (Auth.Schemes.HasFlag(AuthSchemes.Basic))
            all.Insert(Auth.BasicFirst ? 0 : all.Count, basic);
        return all;
    }

    private string TrueRealm(Exchange exchange) =>
        $"{(Auth.RealmOnSecondHost ? $"{registry.Scheme}://{registry.OtherHost}" : exchange.Authority)}{Auth.TokenPath}{Auth.RealmQuery}";
}

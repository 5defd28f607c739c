using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace ImagePublish.Testing;

/// <summary>Hands out bearer tokens, by GET and by OAuth2 POST.</summary>
/// <seealso href="https://distribution.github.io/distribution/spec/auth/token/"/>
/// <seealso href="https://distribution.github.io/distribution/spec/auth/oauth/"/>
internal sealed class TokenEndpoint(TestRegistry registry, Gatekeeper gatekeeper)
{
    private AuthOptions Auth => registry.Options.Auth;

    public Task HandleAsync(Exchange exchange)
    {
        if (!Auth.Schemes.HasFlag(AuthSchemes.Bearer))
            return exchange.ErrorAsync(404, "NOT_FOUND", "there is no token endpoint");
        if (Auth.RealmQuery.Length > 1 && !exchange.Record.Query.StartsWith(Auth.RealmQuery[1..], StringComparison.Ordinal))
            return exchange.ErrorAsync(400, "BAD_REQUEST", "the realm's own query is missing");
        return exchange.Record.Method switch
        {
            "GET" => Auth.GetStatus is { } status
                ? exchange.ErrorAsync(status, "UNSUPPORTED", "GET is not answered here")
                : GetAsync(exchange),
            "POST" => Auth.PostStatus is { } status
                ? exchange.ErrorAsync(status, "UNSUPPORTED", "POST is not answered here")
                : PostAsync(exchange),
            _ => exchange.ErrorAsync(405, "UNSUPPORTED", "only GET and POST"),
        };
    }

    /// <summary>Azure's <c>/oauth2/exchange</c>: the cloud's token for a refresh token.</summary>
    public async Task ExchangeAsync(Exchange exchange)
    {
        var form = await FormAsync(exchange);
        if (exchange.Record.Method != "POST" || !Auth.ExchangeTokens.TryGetValue(Text(form, "access_token"), out var user))
            await exchange.ErrorAsync(401, "UNAUTHORIZED", "the token can't be exchanged");
        else
            await exchange.JsonAsync(200, new JsonObject { ["refresh_token"] = registry.Tokens.IssueRefresh(user) });
    }

    private Task GetAsync(Exchange exchange)
    {
        string? user = null;
        if (exchange.Record.Authorization is { } header)
        {
            if (
                Credentials.Parse(header) is not { } given
                || Credentials.Check(Auth, registry.Tokens, given.User, given.Password) is not { } known
            )
                return exchange.ErrorAsync(401, "UNAUTHORIZED", "incorrect username or password");
            user = known;
        }

        if (Auth.Service is { } service && exchange.Query("service") != service)
            return exchange.ErrorAsync(400, "BAD_REQUEST", "service is missing or wrong");
        var offline = exchange.Query("offline_token") == "true" && user is not null;
        return AnswerAsync(exchange, user, exchange.Queries("scope"), offline ? registry.Tokens.IssueRefresh(user!) : null);
    }

    private async Task PostAsync(Exchange exchange)
    {
        var form = await FormAsync(exchange);
        var user = Text(form, "grant_type") switch
        {
            "password" => Credentials.Check(Auth, registry.Tokens, Text(form, "username"), Text(form, "password")),
            "refresh_token" => registry.Tokens.UserOfRefresh(Text(form, "refresh_token")),
            _ => null,
        };
        if (Text(form, "grant_type") is not ("password" or "refresh_token"))
            await exchange.JsonAsync(400, new JsonObject { ["error"] = "unsupported_grant_type" });
        else if (Auth.Service is { } service && Text(form, "service") != service)
            await exchange.JsonAsync(
                400,
                new JsonObject { ["error"] = "invalid_request", ["error_description"] = "service is missing or wrong" }
            );
        else if (user is null)
            await exchange.JsonAsync(401, new JsonObject { ["error"] = "invalid_grant" });
        else
            await AnswerAsync(
                exchange,
                user,
                form.TryGetValue("scope", out var scopes) ? scopes.OfType<string>() : [],
                Refresh(form, user)
            );
    }

    private string? Refresh(Dictionary<string, StringValues> form, string user) =>
        Text(form, "grant_type") == "refresh_token" ? Text(form, "refresh_token")
        : Text(form, "access_type") == "offline" ? registry.Tokens.IssueRefresh(user)
        : null;

    private Task AnswerAsync(Exchange exchange, string? user, IEnumerable<string> scopes, string? refresh)
    {
        var honoured = Auth.ScopesHonoured switch
        {
            ScopesHonoured.First => scopes.Take(1),
            ScopesHonoured.Last => scopes.TakeLast(1),
            _ => scopes,
        };
        var grants = honoured
            .SelectMany(s => s.Split(' '))
            .Select(Grant.Parse)
            .OfType<Grant>()
            .Select(g => gatekeeper.Allowed(user, g))
            .Where(g => g.Actions.Count > 0)
            .ToArray();
        var token = registry.Tokens.Issue(user, grants);
        var body = new JsonObject
        {
            ["token"] = token.Value,
            ["access_token"] = token.Value,
            ["expires_in"] = (long)Auth.TokenLifetime.TotalSeconds,
            ["issued_at"] = registry.Options.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        if (refresh is not null)
            body["refresh_token"] = refresh;
        if (exchange.Record.Method == "POST")
            body["scope"] = string.Join<Grant>(' ', grants);
        return exchange.BodyAsync(
            200,
            Encoding.UTF8.GetBytes(Auth.RewriteTokenBody?.Invoke(body) ?? body.ToJsonString()),
            "application/json"
        );
    }

    private static async Task<Dictionary<string, StringValues>> FormAsync(Exchange exchange)
    {
        if (
            exchange.Record.Header("Content-Type")?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            != true
        )
            return [];
        using var reader = new StreamReader(exchange.Http.Request.Body, Encoding.UTF8);
        return QueryHelpers.ParseQuery(await reader.ReadToEndAsync(exchange.Cancelled));
    }

    private static string Text(Dictionary<string, StringValues> form, string name) =>
        form.TryGetValue(name, out var values) ? values.ToString() : "";
}

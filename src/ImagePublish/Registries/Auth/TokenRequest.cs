using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>What is asked of a token service.</summary>
internal sealed record TokenRequest(Registry Registry, BearerRealm Realm, IReadOnlyList<Scope> Scopes, Credential? Credential)
{
    private const string ClientId = "imagepublish";

    // What Azure wants for a user where the password is a refresh token; others don't heed it.
    private const string NobodyInParticular = "00000000-0000-0000-0000-000000000000";

    /// <summary>The URL of a GET: the realm with its own query, and one <c>scope</c> for each.</summary>
    public Uri GetAddress
    {
        get
        {
            var address = new StringBuilder(
                Realm.Address.GetComponents(UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped)
            );
            var separator = Realm.Address.Query.Length > 1 ? '&' : '?';
            foreach (var (name, value) in GetParameters())
            {
                address.Append(address[^1] is '?' or '&' ? "" : separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }

            return new Uri(address.ToString());
        }
    }

    /// <summary>The form of a POST, <see href="https://distribution.github.io/distribution/spec/auth/oauth/">OAuth2</see>, where the credential can be sent so.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Form
    {
        get
        {
            IEnumerable<KeyValuePair<string, string>>? grant = Credential switch
            {
                { IdentityToken: { Length: > 0 } token } => [new("grant_type", "refresh_token"), new("refresh_token", token)],
                { Username: { Length: > 0 } user, Password: { } password } =>
                [
                    new("grant_type", "password"),
                    new("username", user),
                    new("password", password),
                ],
                _ => null,
            };
            return grant is null ? null : [.. grant, .. CommonForm()];
        }
    }

    /// <summary>User name and secret of a GET, if there are any.</summary>
    public (string Username, string Secret)? Basic =>
        Credential switch
        {
            { IdentityToken: { Length: > 0 } token } => (Credential.Username is { Length: > 0 } user ? user : NobodyInParticular, token),
            { Username: { } user, Password: { } password } => (user, password),
            _ => null,
        };

    /// <summary>Names what is sent to what takes it out of messages.</summary>
    public void AddTo(Redactor redactor)
    {
        Credential?.AddTo(redactor);
        if (Basic is var (username, secret))
            redactor.Add(secret, username);
    }

    private IEnumerable<(string Name, string Value)> GetParameters() =>
        (Realm.Service is { } service ? (IEnumerable<(string, string)>)[("service", service)] : []).Concat(
            Scopes.Select(scope => ("scope", scope.ToString()))
        );

    private IEnumerable<KeyValuePair<string, string>> CommonForm()
    {
        yield return new("client_id", ClientId);
        if (Realm.Service is { } service)
            yield return new("service", service);
        if (Scopes.Count > 0)
            yield return new("scope", string.Join(' ', Scopes));
    }
}

using System.Net.Http.Headers;
using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>What signs in to a registry: a user name with its password, or one of the tokens. Never shows its secrets as text.</summary>
internal sealed record Credential
{
    public string? Username { get; init; }

    public string? Password { get; init; }

    /// <summary>An OAuth2 refresh token, to be exchanged for access tokens.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>A bearer token that the registry itself takes, to be used as it is.</summary>
    public string? RegistryToken { get; init; }

    /// <summary>A Microsoft Entra access token, which an Azure registry exchanges for an identity token.</summary>
    public string? EntraToken { get; init; }

    /// <summary>The identity of the build that a cloud gave it to, in words; null where the user configured it.</summary>
    public string? Identity { get; init; }

    public bool IsEmpty =>
        string.IsNullOrEmpty(IdentityToken)
        && string.IsNullOrEmpty(RegistryToken)
        && string.IsNullOrEmpty(EntraToken)
        && string.IsNullOrEmpty(Username)
        && string.IsNullOrEmpty(Password);

    public static Credential Create(string username, string password) => new() { Username = username, Password = password };

    public override string ToString() => $"Credential {{ {Kind} }}";

    internal IEnumerable<string> Secrets
    {
        get
        {
            foreach (var secret in (string?[])[Password, IdentityToken, RegistryToken, EntraToken])
            {
                if (!string.IsNullOrEmpty(secret))
                    yield return secret;
            }
        }
    }

    private string Kind =>
        this switch
        {
            { RegistryToken.Length: > 0 } => nameof(RegistryToken),
            { IdentityToken.Length: > 0 } => nameof(IdentityToken),
            { EntraToken.Length: > 0 } => nameof(EntraToken),
            { IsEmpty: true } => "none",
            _ => nameof(Password),
        };

    /// <summary>The header value of Basic authentication, in UTF-8 (<see href="https://www.rfc-editor.org/rfc/rfc7617">RFC
    /// 7617</see>).</summary>
    internal static AuthenticationHeaderValue Basic(string username, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));

    internal void AddTo(Redactor redactor)
    {
        foreach (var secret in Secrets)
            redactor.Add(secret, Username ?? "");
    }
}

using System.Text;

namespace ImagePublish.Testing;

/// <summary>Reads and checks user name and password.</summary>
internal static class Credentials
{
    /// <summary>From a <c>Basic</c> header, UTF-8, split at the first colon; null when it is none.</summary>
    public static (string User, string Password)? Parse(string? authorization)
    {
        if (authorization?.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) != true)
            return null;
        var buffer = new byte[authorization.Length];
        return
            Convert.TryFromBase64String(authorization["Basic ".Length..].Trim(), buffer, out var length)
            && Encoding.UTF8.GetString(buffer, 0, length).Split(':', 2) is [var user, var password]
            ? (user, password)
            : null;
    }

    /// <summary>The user, null when the password is wrong.</summary>
    public static string? Check(AuthOptions auth, TokenBook tokens, string user, string password) =>
        auth.Users.TryGetValue(user, out var right) && right == password ? user
        : auth.AnyUserPasswords.Contains(password) ? user
        : user == auth.IdentityTokenUser ? tokens.UserOfRefresh(password)
        : null;
}

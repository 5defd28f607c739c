using System.Text;
using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Secrets;

/// <summary>A secret that nothing but its own place may hold, in every form in which it could turn up elsewhere.</summary>
internal sealed record Canary(string Name, IReadOnlyList<string> Forms)
{
    /// <summary>A user with a password that looks different in every encoding.</summary>
    public static (string User, string Password, Canary Canary) Login(string name)
    {
        var (user, password) = ($"{name}-user", $"{name}/ca+nä ry:%=&{Guid.NewGuid():n}");
        // Also as a part of something longer: three ways to fall on base64's groups, without the ends that depend on neighbours.
        var shifted = Enumerable.Range(0, 3).Select(skip => Base64(password.Remove(0, skip))[..^4].TrimEnd('='));
        string[] forms =
        [
            password,
            Base64($"{user}:{password}"),
            .. shifted,
            Uri.EscapeDataString(password),
            JsonEncodedText.Encode(password).ToString(),
            password[^32..],
        ];
        return (user, password, new Canary($"password of {name}", forms));
    }

    /// <summary>A token, also if only its signature were shown.</summary>
    public static Canary Token(string token) => new("token", [token, token[(token.LastIndexOf('.') + 1)..]]);

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>Which form of it is in there, or null.</summary>
    public string? FormIn(ReadOnlySpan<byte> content)
    {
        foreach (var form in Forms)
        {
            if (content.IndexOf(Encoding.UTF8.GetBytes(form)) >= 0 || content.IndexOf(Encoding.Unicode.GetBytes(form)) >= 0)
                return form;
        }

        return null;
    }
}

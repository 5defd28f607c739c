using System.Text.RegularExpressions;

namespace ImagePublish.Common;

/// <summary>Addresses without what may be secret in them: the user information, the query and the fragment. What is shown or put into a
/// label goes through here.</summary>
/// <remarks>
/// Cut by text and for every scheme: <see cref="Uri"/> normalises what it reads, so that what it calls the user information need not occur
/// in the text, and it does not read everything that git and apt do.
/// </remarks>
internal static partial class PublicUrl
{
    /// <summary>An address as everybody may see it.</summary>
    /// <returns>The address without secrets, or null if the text is not an address, so that a secret may be anywhere in it.</returns>
    public static string? TryCreate(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim();
        var scheme = Scheme().Match(text).Value;
        var rest = text[scheme.Length..];
        var authorityLength = rest.AsSpan().IndexOfAny("/?#") is var end and >= 0 ? end : rest.Length;
        var (authority, path) = (rest[..authorityLength], rest[authorityLength..]);
        if (path.Contains('@', StringComparison.Ordinal) && MayBeUser(authority))
            return null;
        var host = authority[(authority.LastIndexOf('@') + 1)..];
        var pathLength = path.AsSpan().IndexOfAny('?', '#') is var cut and >= 0 ? cut : path.Length;
        var address = scheme + host + path[..pathLength];
        var isAddress = (scheme.Length, authority.Length) switch
        {
            (0, _) => WithoutScheme().IsMatch(address),
            // Such as unix:///var/run/docker.sock.
            (_, 0) => path.Length > 0 && !scheme.StartsWith("http", StringComparison.OrdinalIgnoreCase),
            _ => IsUrl(address),
        };
        return isAddress && !address.Any(char.IsControl) ? address : null;
    }

    public static string InText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains("://", StringComparison.Ordinal))
            return text;
        return Address()
            .Replace(text, match =>
            {
                var address = match.Value.TrimEnd('.', ',', ';', ':', ')', ']');
                return Shown(address) + match.Value[address.Length..];
            });
    }

    private static string Shown(string address) => TryCreate(address) ?? $"{Scheme().Match(address).Value}…";

    private static bool IsUrl(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Host.Length > 0;

    // A password may have an unescaped separator in it: https://ci:pass/word@host ends its authority too early.
    private static bool MayBeUser(string authority) =>
        authority.AsSpan().ContainsAny(':', '@') || !authority.Contains('.', StringComparison.Ordinal);

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9+.-]*://")]
    private static partial Regex Scheme();

    // As git's scp-like form, host:path, or a host with a path.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9.-]*(:[^\s@\\]*)?(/[^\s\\]*)?\z")]
    private static partial Regex WithoutScheme();

    [GeneratedRegex(@"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s'""<>]*")]
    private static partial Regex Address();
}

using System.Diagnostics.CodeAnalysis;

namespace ImagePublish.Http;

/// <summary>An http(s) address whose path and query stay byte for byte what a registry sent.</summary>
/// <remarks><see cref="Uri"/> rewrites escapes (<c>%7E</c> becomes <c>~</c>), which breaks upload sessions and signed addresses. So
/// Locations are taken apart by hand (<see href="https://www.rfc-editor.org/rfc/rfc3986#section-5.2">RFC 3986, 5.2</see>) and become a <see
/// cref="Uri"/> that must leave them alone.</remarks>
internal sealed record RequestUrl(string Scheme, string Authority, string PathAndQuery)
{
    private const int MaxLength = 16 * 1024;

    public bool IsHttps => Scheme == Uri.UriSchemeHttps;

    public string Host =>
        Authority[0] == '[' ? Authority[..(Authority.IndexOf(']', StringComparison.Ordinal) + 1)] : Authority.Split(':')[0];

    /// <summary>For messages: the query may hold a signature and is left out.</summary>
    public string Shown
    {
        get
        {
            var (path, query) = Split();
            return $"{Scheme}://{Authority}{path}{(query.Length > 0 ? "?…" : "")}";
        }
    }

    public static RequestUrl Root(string scheme, string host) => new(scheme, Canonical(scheme, host), "/v2/");

    /// <summary>What a Location, or a link, means that came with this address's answer.</summary>
    public bool TryResolve(string? location, [NotNullWhen(true)] out RequestUrl? url)
    {
        url = null;
        if (location is not { Length: > 0 and <= MaxLength } || location.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return false;
        var text = location.Split('#', 2)[0];
        if (SchemeOf(text) is { } scheme)
            return TryAbsolute(scheme, text[(scheme.Length + 1)..], out url);
        if (text.StartsWith("//", StringComparison.Ordinal))
            return TryAbsolute(Scheme, text, out url);
        url = this with { PathAndQuery = ResolvePath(text) };
        return true;
    }

    /// <summary>With another parameter at the end of the query; what stands there stays as it is.</summary>
    public RequestUrl With(string name, string value) =>
        this with
        {
            PathAndQuery = $"{PathAndQuery}{SeparatorOf(PathAndQuery)}{name}={value}",
        };

    /// <summary>An address below this one.</summary>
    /// <param name="path">Begins with a slash.</param>
    public RequestUrl Append(string path) => this with { PathAndQuery = Split().Path.TrimEnd('/') + path };

    /// <summary>Reads a whole address.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RequestUrl? url)
    {
        url = null;
        return text is not null && SchemeOf(text) is not null && Root(Uri.UriSchemeHttps, "localhost").TryResolve(text, out url);
    }

    public bool IsSameOrigin(RequestUrl other) => Scheme == other.Scheme && Authority == other.Authority;

    public Uri ToUri() =>
        new($"{Scheme}://{Authority}{PathAndQuery}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    public override string ToString() => Shown;

    private static string SeparatorOf(string pathAndQuery)
    {
        if (!pathAndQuery.Contains('?', StringComparison.Ordinal))
            return "?";
        return pathAndQuery[^1] is '?' or '&' ? "" : "&";
    }

    private static string? SchemeOf(string text)
    {
        var end = text.AsSpan().IndexOfAny(":/?#");
        return end > 0 && text[end] == ':' ? text[..end] : null;
    }

    private static bool TryAbsolute(string scheme, string rest, [NotNullWhen(true)] out RequestUrl? url)
    {
        url = null;
        scheme = scheme.ToLowerInvariant();
        if (scheme is not ("http" or "https") || !rest.StartsWith("//", StringComparison.Ordinal))
            return false;
        var end = rest.AsSpan(2).IndexOfAny('/', '?') is var at and >= 0 ? at + 2 : rest.Length;
        var authority = rest[2..end];
        // No user information: it is either a mistake or a trick.
        if (
            authority.AsSpan().ContainsAny("@\\%")
            || !Uri.TryCreate($"{scheme}://{authority}/", UriKind.Absolute, out var parsed)
            || parsed.Host.Length == 0
        )
            return false;
        var path = rest[end..];
        url = new RequestUrl(scheme, Canonical(scheme, authority), path.StartsWith('/') ? path : "/" + path);
        return true;
    }

    // As the framework will write it: in lower case, without the scheme's own port, addresses in their one form.
    private static string Canonical(string scheme, string authority) => new Uri($"{scheme}://{authority}/").Authority;

    private (string Path, string Query) Split() => PathAndQuery.Split('?', 2) is [var path, var query] ? (path, query) : (PathAndQuery, "");

    private string ResolvePath(string text)
    {
        var (path, _) = Split();
        if (text.Length == 0)
            return PathAndQuery;
        if (text[0] == '/')
            return text;
        if (text[0] == '?')
            return path + text;
        var query = text.IndexOf('?', StringComparison.Ordinal) is var at and >= 0 ? text[at..] : "";
        return WithoutDots(path[..(path.LastIndexOf('/') + 1)] + text[..(text.Length - query.Length)]) + query;
    }

    private static string WithoutDots(string path)
    {
        var parts = new List<string>();
        var segments = path.Split('/')[1..];
        foreach (var part in segments)
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }

        return "/" + string.Join('/', parts) + (segments[^1] is "." or ".." ? "/" : "");
    }
}

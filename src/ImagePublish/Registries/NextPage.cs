using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries;

/// <summary>The next page of a list, as the page before it names it.</summary>
internal static class NextPage
{
    /// <summary>Finds it; null where the page is the last.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c>: it is elsewhere. Only the registry itself can continue its list: anything
    /// else would get its token.</exception>
    public static async Task<RequestUrl?> FindAsync(RegistryConnection connection, TransportResponse response, string doing)
    {
        if (LinkHeader.Next(response.Headers("Link")) is not { } link)
            return null;
        var root = await connection.GetRootAsync(CancellationToken.None);
        return
            response.Url.TryResolve(link, out var url) && Redirects.Secure(root, response.Url, url) is { } next && next.IsSameOrigin(root)
            ? next
            : throw new ImagePublishException(
                DiagnosticCodes.UnsafeRedirect,
                $"Could not {doing}: the list names its next page at {response.Redactor.Shown(link.Split('?')[0])}, which is not the "
                    + "registry."
            );
    }
}

/// <summary>Finds the next page in a <c>Link</c> header.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc8288">RFC 8288</see>: <c>&lt;target&gt;; rel="next"</c>. The target is a URI
/// reference and is returned as it is.</remarks>
internal static class LinkHeader
{
    private const int MaxLength = 16 * 1024;

    /// <summary>The target of the first link whose relation is <c>next</c>; null where there is none.</summary>
    public static string? Next(IEnumerable<string> headers) =>
        headers.Where(header => header.Length <= MaxLength).Select(Next).FirstOrDefault(target => target is not null);

    private static string? Next(string header)
    {
        for (var at = 0; at < header.Length; )
        {
            var open = header.IndexOf('<', at);
            var close = open < 0 ? -1 : header.IndexOf('>', open);
            if (close < 0)
                return null;
            var end = EndOf(',', header, close + 1);
            if (IsNext(header[(close + 1)..end]))
                return header[(open + 1)..close].Trim();
            at = end + 1;
        }

        return null;
    }

    // Where the next separator stands that is not in quotes.
    private static int EndOf(char separator, string text, int at)
    {
        var isQuoted = false;
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\' && isQuoted)
                at++;
            else if (text[at] == '"')
                isQuoted = !isQuoted;
            else if (text[at] == separator && !isQuoted)
                return at;
        }

        return text.Length;
    }

    private static bool IsNext(string parameters)
    {
        for (var at = 0; at < parameters.Length; )
        {
            var end = EndOf(';', parameters, at);
            if (IsNextRelation(parameters.AsSpan(at, end - at).Trim()))
                return true;
            at = end + 1;
        }

        return false;
    }

    private static bool IsNextRelation(ReadOnlySpan<char> parameter)
    {
        var equals = parameter.IndexOf('=');
        if (equals < 0 || !parameter[..equals].Trim().Equals("rel", StringComparison.OrdinalIgnoreCase))
            return false;
        var value = parameter[(equals + 1)..].Trim().Trim('"');
        foreach (var word in value.Split(' '))
        {
            if (value[word].Equals("next", StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}

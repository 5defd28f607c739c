using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries;

/// <summary>The next page of a list, as the page before it names it.</summary>
internal static class NextPage
{
    /// <summary>Finds it; null where the page is the last.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c>: it is elsewhere. Only the registry itself can continue its list: anything else would get its token.</exception>
    public static async Task<RequestUrl?> FindAsync(RegistryConnection connection, RegistryResponse response, string doing)
    {
        if (LinkHeader.Next(response.Headers("Link")) is not { } link)
            return null;
        var root = await connection.RootAsync(CancellationToken.None);
        return
            response.Url.TryResolve(link, out var url) && Redirects.Secured(root, response.Url, url) is { } next && next.IsSameOrigin(root)
            ? next
            : throw new ImagePublishException(
                DiagnosticCodes.UnsafeRedirect,
                $"Could not {doing}: the next page is said to be at {response.Redactor.Shown(link.Split('?')[0])}, which is not the registry."
            );
    }
}

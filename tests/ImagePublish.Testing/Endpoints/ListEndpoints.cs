using System.Globalization;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

/// <summary>Tags, the catalog and referrers.</summary>
internal sealed class ListEndpoints(TestRegistry registry)
{
    private ContentOptions Options => registry.Options.Content;

    public Task TagsAsync(Exchange exchange)
    {
        if (exchange.Reference != "list" || !registry.Content.HasRepository(exchange.Repository))
            return exchange.ErrorAsync(404, "NAME_UNKNOWN", "repository name not known to registry");
        return PageAsync(
            exchange,
            [.. registry.Content.Tags(exchange.Repository).Keys.Order(StringComparer.Ordinal)],
            page => new JsonObject { ["name"] = exchange.Repository, ["tags"] = page }
        );
    }

    public Task CatalogAsync(Exchange exchange) =>
        PageAsync(exchange, registry.Content.Repositories, page => new JsonObject { ["repositories"] = page });

    public Task ReferrersAsync(Exchange exchange)
    {
        if (!Options.Referrers)
            return exchange.ErrorAsync(404, "NOT_FOUND", "there is no referrers API");
        if (!Digests.IsValid(exchange.Reference))
            return exchange.ErrorAsync(400, "DIGEST_INVALID", "provided digest is malformed");
        var type = exchange.Query("artifactType");
        var found = registry
            .Content.Manifests(exchange.Repository)
            .Where(m => ManifestText.Parse(m.Bytes)?["subject"]?["digest"]?.GetValue<string>() == exchange.Reference)
            .Select(ManifestText.ReferrerOf)
            .Where(d => type is null || d["artifactType"]?.GetValue<string>() == type)
            .ToArray<JsonNode>();
        if (type is not null)
            exchange.Header("OCI-Filters-Applied", "artifactType");
        return exchange.JsonAsync(
            200,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciIndex,
                ["manifests"] = new JsonArray(found),
            },
            MediaTypes.OciIndex
        );
    }

    private Task PageAsync(Exchange exchange, IReadOnlyList<string> all, Func<JsonArray, JsonObject> body)
    {
        var asked = exchange.Query("n");
        var n = int.MaxValue;
        if (
            asked is not null
            && (
                !int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out n)
                || n > Options.MaxPageSize && Options.RefuseLargePages
            )
        )
            return exchange.ErrorAsync(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", asked);
        var start = Options.OpaqueLinks
            ? exchange.Query("cursor") is { } cursor
                ? int.Parse(cursor, CultureInfo.InvariantCulture)
                : 0
            : exchange.Query("last") is { } last
                ? all.Count(t => StringComparer.Ordinal.Compare(t, last) <= 0)
                : 0;
        var page = all.Skip(start).Take(Math.Min(n, Options.MaxPageSize)).ToArray();
        if (page.Length > 0 && start + page.Length < all.Count)
            exchange.Header("Link", $"<{Next(exchange, page[^1], start + page.Length, Math.Min(n, Options.MaxPageSize))}>; rel=\"next\"");
        return exchange.JsonAsync(200, body(new JsonArray([.. page.Select(t => (JsonNode)t)])));
    }

    private string Next(Exchange exchange, string last, int position, int n) =>
        (Options.AbsoluteLinks ? exchange.Authority : "")
        + exchange.Record.Path
        + (Options.OpaqueLinks ? $"?cursor={position}&n={n}" : $"?last={Uri.EscapeDataString(last)}&n={n}");
}

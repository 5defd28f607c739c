using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries;

/// <summary>Lists a repository's tags page by page.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags">distribution-spec, Listing
/// Tags</see>. A page names the next in its Link; where a full page names none, <c>last</c> is tried. Pages shorter than asked for are
/// legal, and a page that brings nothing new ends the list.</remarks>
internal sealed class TagLister(RegistryConnection connection, Repository repository)
{
    // Quirk: large-page-refused.
    private const int PageSize = 1000;
    private const int MaxPages = 10_000;
    private const int MaxPageBytes = 8 << 20;

    // Of all pages together: what is kept in memory, and many times what a repository of ten years of builds has.
    private const int MaxTags = 500_000;
    private const long MaxNameLength = 64 << 20;

    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(30);

    public async IAsyncEnumerable<Tag> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var nameLength = 0L;
        var start = connection.Time.GetTimestamp();
        var page = new ListTags(repository, $"?n={PageSize}");
        for (var pages = 0; page is not null; pages++)
        {
            if (pages == MaxPages)
                throw new ImagePublishException(
                    DiagnosticCodes.RegistryProtocol,
                    $"Could not {page.Description}: the list does not end after {MaxPages} pages. Delete tags that are no longer needed."
                );
            if (connection.Time.GetElapsedTime(start) > MaxTime)
                throw new ImagePublishException(
                    DiagnosticCodes.RegistryFailed,
                    $"Could not {page.Description}: it takes more than {MaxTime.TotalMinutes:0} minutes. Try again later, or delete "
                        + "tags that are no longer needed."
                );
            var (names, next) = await ReadAsync(page, cancellationToken);
            var isNew = false;
            foreach (var name in names)
            {
                if (!seen.Add(name))
                    continue;
                isNew = true;
                nameLength += name.Length;
                if (seen.Count > MaxTags || nameLength > MaxNameLength)
                    throw TooMany(page);
                if (Tag.TryParse(name, out var tag))
                    yield return tag;
            }

            page = isNew ? next : null;
        }
    }

    private static ImagePublishException TooMany(ListTags page) =>
        new(
            DiagnosticCodes.TooLarge,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Could not {page.Description}: it has more than {MaxTags} tags, or {MaxNameLength >> 20} MiB of their names. Delete "
                    + $"tags that are no longer needed."
            )
        );

    private Task<(IReadOnlyList<string> Names, ListTags? Next)> ReadAsync(ListTags page, CancellationToken cancellationToken) =>
        connection.SendWithRetriesAsync<(IReadOnlyList<string>, ListTags?)>(
            page,
            async response =>
            {
                // Quirk: large-page-refused. The registry chooses the page size.
                if (response.Status == HttpStatusCode.BadRequest && page.Query.Length > 0 && page.Page is null)
                    return await ReadAsync(new ListTags(repository, ""), cancellationToken);
                if (response.Status != HttpStatusCode.OK)
                    throw (await connection.ReadFailureAsync(page, response)).ToException();
                var (bytes, isCut) = await response.ReadAsync(MaxPageBytes);
                if (isCut)
                    throw new ImagePublishException(
                        DiagnosticCodes.TooLarge,
                        $"Could not {page.Description}: one page is larger than {MaxPageBytes >> 20} MiB. Delete tags that are no "
                            + "longer needed."
                    );
                var names = Parse(page, response, bytes);
                return (names, await NextAsync(response, names));
            },
            cancellationToken
        );

    private static string[] Parse(ListTags page, TransportResponse response, byte[] bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            // Quirk: null-tags.
            return json.RootElement.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
                ? [.. tags.EnumerateArray().Where(tag => tag.ValueKind == JsonValueKind.String).Select(tag => tag.GetString()!)]
                : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.RegistryProtocol,
                $"Could not {page.Description}: {response.Url.Shown} answered with something that is not a list of tags. Check that it "
                    + "is a registry.",
                e
            );
        }
    }

    private async Task<ListTags?> NextAsync(TransportResponse response, string[] names)
    {
        if (await NextPage.FindAsync(connection, response, $"list the tags of {repository}") is { } next)
            return new ListTags(repository, "", next);
        // Quirk: next-page-unnamed.
        return names.Length >= PageSize ? new ListTags(repository, $"?n={PageSize}&last={Uri.EscapeDataString(names[^1])}") : null;
    }
}

using System.Net;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries;

/// <summary>Lists what is attached to a manifest: signatures, bills of materials, attestations.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers">distribution-spec,
/// Listing Referrers</see>.</remarks>
internal static class Referrers
{
    private const int MaxPages = 100;
    private const int MaxCount = 10_000;

    /// <summary>Lists them; null where the registry does not have this request.</summary>
    public static async Task<IReadOnlyList<Descriptor>?> ListAsync(
        RegistryConnection connection,
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    )
    {
        var found = new List<Descriptor>();
        var seen = new HashSet<Digest>();
        var page = new ListReferrers(repository, subject);
        for (var pages = 0; page is not null; pages++)
        {
            // A list that is cut short would make a copy lose signatures without a word.
            if (pages == MaxPages)
                throw Broken(page, $"the list does not end after {MaxPages} pages");
            var (descriptors, next) = await ReadAsync(connection, page, cancellationToken);
            if (descriptors is null)
                return pages == 0
                    ? null
                    : throw Broken(page, $"page {pages + 1} of the list, which page {pages} names, is missing or is not a list");
            var known = found.Count;
            found.AddRange(descriptors.Where(one => seen.Add(one.Digest)));
            if (found.Count > MaxCount)
                throw new ImagePublishException(
                    DiagnosticCodes.TooLarge,
                    $"Could not {page.Description}: there is more than {MaxCount}. Delete attachments that are no longer needed."
                );
            // Pages that lead in a circle bring nothing new.
            page = descriptors.Count > 0 && found.Count == known ? null : next;
        }

        return found;
    }

    private static ImagePublishException Broken(ListReferrers page, string how) =>
        new(DiagnosticCodes.RegistryProtocol, $"Could not {page.Description}: {how}. Report it to the registry's operator.");

    private static Task<(IReadOnlyList<Descriptor>? Found, ListReferrers? Next)> ReadAsync(
        RegistryConnection connection,
        ListReferrers page,
        CancellationToken cancellationToken
    ) =>
        connection.SendWithRetriesAsync<(IReadOnlyList<Descriptor>?, ListReferrers?)>(
            page,
            async response =>
            {
                // Quirk: no-referrers.
                // Quirk: referrers-elsewhere. Who is there limits the rate of requests, and would be waited for.
                if (
                    response.IsRedirect
                    || response.Status
                        is HttpStatusCode.NotFound
                            or HttpStatusCode.MethodNotAllowed
                            or HttpStatusCode.BadRequest
                            or HttpStatusCode.NotImplemented
                            or HttpStatusCode.NotAcceptable
                )
                    return (null, null);
                if (response.Status != HttpStatusCode.OK)
                    throw (await connection.ReadFailureAsync(page, response)).ToException();
                var (bytes, isCut) = await response.ReadAsync(OciJson.MaxManifestSize);
                if (isCut)
                    throw new ImagePublishException(
                        DiagnosticCodes.TooLarge,
                        $"Could not {page.Description}: one page is larger than {OciJson.MaxManifestSize >> 20} MiB. Delete "
                            + "attachments that are no longer needed."
                    );
                if (Parse(page, bytes) is not { } index)
                    return (null, null);
                var next = await NextPage.FindAsync(connection, response, page.Description);
                return (index.Manifests, next is null ? null : page with { Page = next });
            },
            cancellationToken
        );

    // A registry that does not know the request may answer with a page of its own.
    private static ImageIndex? Parse(ListReferrers page, byte[] bytes)
    {
        try
        {
            return OciJson.ReadIndex(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
        catch (ImagePublishException e) when (e.Code == DiagnosticCodes.InvalidDigest)
        {
            throw Broken(page, $"an entry of the list is malformed ({e.Message})");
        }
    }
}

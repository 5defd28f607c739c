using System.Net;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries.Blobs;

/// <summary>Asks whether a repository has a blob, of the size that it should have.</summary>
internal static class BlobExistence
{
    public static async Task<bool> CheckAsync(
        RegistryConnection connection,
        Repository repository,
        Descriptor blob,
        CancellationToken cancellationToken
    ) => await LookAsync(connection, repository, blob, cancellationToken) == BlobPresence.Present;

    public static Task<BlobPresence> LookAsync(
        RegistryConnection connection,
        Repository repository,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        var request = new HeadBlob(repository, blob.Digest);
        return connection.SendWithRetriesAsync(
            request,
            async response => Interpret(response, blob) ?? throw (await connection.ReadFailureAsync(request, response)).ToException(),
            cancellationToken
        );
    }

    /// <summary>Asks once; null where the response says neither.</summary>
    /// <exception cref="TransportException">There is no response.</exception>
    public static async Task<bool?> CheckOnceAsync(
        RegistryConnection connection,
        Repository repository,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        using var response = await connection.SendSignedInAsync(new HeadBlob(repository, blob.Digest), cancellationToken);
        return Interpret(response, blob) is { } presence ? presence == BlobPresence.Present : null;
    }

    public static async Task<bool> IsKnownToExistAsync(
        RegistryConnection connection,
        Repository repository,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await CheckOnceAsync(connection, repository, blob, cancellationToken) == true;
        }
        catch (TransportException)
        {
            return false;
        }
    }

    // Quirk: no-head. Storage that a registry redirects to may refuse HEAD, and so may the registry: both are treated as "not there".
    private static BlobPresence? Interpret(TransportResponse response, Descriptor blob) =>
        response.Status switch
        {
            HttpStatusCode.OK => response.ContentLength is null || response.ContentLength == blob.Size
                ? BlobPresence.Present
                : BlobPresence.Unknown,
            HttpStatusCode.NotFound when response.IsFromOrigin => BlobPresence.Absent,
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => BlobPresence.Unknown,
            _ when !response.IsFromOrigin && !response.IsSuccess => BlobPresence.Unknown,
            _ => null,
        };
}

/// <summary>Whether a repository has a blob.</summary>
internal enum BlobPresence
{
    /// <summary>The registry, or storage behind it, can't be asked: it is treated as absent.</summary>
    Unknown,

    Absent,

    Present,
}

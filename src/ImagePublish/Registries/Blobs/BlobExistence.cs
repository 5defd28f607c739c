using System.Net;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries.Blobs;

/// <summary>Asks whether a repository has a blob, of the size that it should have.</summary>
internal static class BlobExistence
{
    public static Task<bool> CheckAsync(
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
        return Interpret(response, blob);
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
    private static bool? Interpret(TransportResponse response, Descriptor blob) =>
        response.Status switch
        {
            HttpStatusCode.OK => response.ContentLength is null || response.ContentLength == blob.Size,
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => false,
            _ when !response.IsFromOrigin && !response.IsSuccess => false,
            _ => null,
        };
}

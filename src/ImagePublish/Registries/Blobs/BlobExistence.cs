using System.Net;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries.Blobs;

/// <summary>Whether a repository has a blob, of the size that it should have.</summary>
internal static class BlobExistence
{
    /// <summary>Asks until there is an answer.</summary>
    public static Task<bool> FindAsync(
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

    /// <summary>Asks once; null where the answer does not tell.</summary>
    public static async Task<bool?> LookAsync(
        RegistryConnection connection,
        Repository repository,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        using var response = await connection.SendSignedInAsync(new HeadBlob(repository, blob.Digest), cancellationToken);
        return Interpret(response, blob);
    }

    // A redirect target (S3, GCS) may refuse HEAD, and a registry may not support it: both are treated as "not there".
    private static bool? Interpret(TransportResponse response, Descriptor blob) =>
        response.Status switch
        {
            HttpStatusCode.OK => response.ContentLength is null || response.ContentLength == blob.Size,
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => false,
            _ when !response.IsFromOrigin && !response.IsSuccess => false,
            _ => null,
        };
}

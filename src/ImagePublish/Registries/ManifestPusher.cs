using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries;

/// <summary>Puts one manifest under one tag or digest. The same PUT may be repeated: it does the same again.</summary>
internal sealed class ManifestPusher(RegistryConnection connection, BlobPusher blobs, Reference target, MemoryBlobSource manifest)
{
    private readonly PutManifest request = new(target, manifest);

    /// <returns>Whether the registry says that it read the manifest's subject. Not where only a second look found the manifest.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        for (var attempts = 1; ; attempts++)
        {
            RegistryFailure failure;
            try
            {
                using var response = await connection.SendSignedInAsync(request, cancellationToken);
                if (response.IsSuccess)
                {
                    await VerifyStoredAsync(response, cancellationToken);
                    return response.Header("OCI-Subject") is not null;
                }

                failure = await connection.ReadFailureAsync(request, response);
            }
            catch (TransportException e)
            {
                failure = connection.ToFailure(request, e);
            }

            var isLast = !await connection.Retry.WaitAsync(failure, attempts, cancellationToken);
            // A refusal is certain; after anything else the manifest may have arrived nevertheless.
            if (failure.IsTransient && await IsThereAsync(cancellationToken))
                return false;
            if (isLast)
                throw Explain(failure);
        }
    }

    // 201, or the digest, is the confirmation; after any other success the registry is asked.
    private async Task VerifyStoredAsync(TransportResponse response, CancellationToken cancellationToken)
    {
        var ours = manifest.Descriptor.Digest;
        var failure = new RegistryFailure(request.Description, response.Method, response.Url) { Status = response.Status };
        var isNamed = Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest) && digest.Algorithm == ours.Algorithm;
        if (isNamed && digest != ours)
            throw failure.ToException(
                DiagnosticCodes.ContentMismatch,
                $"The registry stored {digest} instead of {ours}. Report it to the registry's operator."
            );
        if (!isNamed && response.Status != HttpStatusCode.Created)
        {
            var found = await ManifestReader.FindAsync(connection, target, cancellationToken);
            if (found?.Digest != ours)
                throw failure.ToException(
                    DiagnosticCodes.RegistryProtocol,
                    "But the manifest is not there. Build again, and report it to the registry's operator if it stays so."
                );
        }

        connection.Retry.RecordSuccess();
    }

    // The response was lost, or came from a proxy: perhaps the manifest arrived.
    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await connection.SendSignedInAsync(new HeadManifest(target, IsPush: true), cancellationToken);
            return response.Status == HttpStatusCode.OK
                && Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest)
                && digest == manifest.Descriptor.Digest;
        }
        catch (TransportException)
        {
            return false;
        }
    }

    private ImagePublishException Explain(RegistryFailure failure)
    {
        var isMissing =
            failure.Status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity
            && (
                failure.Errors.Has("MANIFEST_BLOB_UNKNOWN") || failure.Errors.Has("BLOB_UNKNOWN") || failure.Errors.Has("MANIFEST_UNKNOWN")
            );
        if (isMissing)
            return Missing(failure);
        return failure.Status switch
        {
            HttpStatusCode.BadRequest when IsAboutImmutability(failure.Errors) => failure.ToException(
                DiagnosticCodes.TagImmutable,
                "Publish under another tag, or make the tag mutable in the registry."
            ),
            HttpStatusCode.UnsupportedMediaType => failure.ToException(
                "The registry does not take images of this format; try ImageFormat=OCI or ImageFormat=Docker."
            ),
            HttpStatusCode.RequestEntityTooLarge => failure.ToException(
                $"The manifest has {manifest.Descriptor.Size} bytes; make it smaller by fewer labels and annotations."
            ),
            _ => failure.ToException(),
        };
    }

    // Quirk: immutable-tag-400.
    private static bool IsAboutImmutability(RegistryErrors errors) =>
        errors.Has("TAG_INVALID")
        || errors.Text.Contains("immutable", StringComparison.OrdinalIgnoreCase)
        || errors.Text.Contains("AlreadyExists", StringComparison.OrdinalIgnoreCase);

    // Quirk: blob-forgotten.
    private MissingBlobsException Missing(RegistryFailure failure)
    {
        var all = References();
        var named = all.Intersect(failure.Errors.Digests).ToArray();
        var missing = named.Length > 0 ? named : all;
        foreach (var digest in missing)
            blobs.MarkMissing(target.Repository, digest);
        return new MissingBlobsException(
            target.Repository,
            missing,
            failure.ToException(DiagnosticCodes.BlobMissing, "Build again: what is missing is sent once more.").Message
        );
    }

    private Digest[] References()
    {
        if (MediaTypes.IsIndex(manifest.Descriptor.MediaType))
            return [.. OciJson.ReadIndex(manifest.Content.Span).Manifests.Select(child => child.Digest)];
        var image = OciJson.ReadManifest(manifest.Content.Span);
        return
        [
            .. image
                .Layers.Where(layer => !MediaTypes.IsForeign(layer.MediaType))
                .Prepend(image.Config)
                .Select(blob => blob.Digest)
                .Distinct(),
        ];
    }
}

/// <summary>The registry refuses a manifest because it misses what the manifest refers to, although it had confirmed it:
/// <c>IMG4012</c>.</summary>
/// <remarks>Pushing those blobs and the manifest once more helps. The client remembers which they are, and sends them this time without
/// asking whether they exist.</remarks>
internal sealed class MissingBlobsException(Repository target, IReadOnlyList<Digest> digests, string message)
    : ImagePublishException(DiagnosticCodes.BlobMissing, message)
{
    public Repository Target { get; } = target;

    /// <summary>What is missing: what the registry names, or everything the manifest refers to if it names nothing.</summary>
    public IReadOnlyList<Digest> Digests { get; } = digests;
}

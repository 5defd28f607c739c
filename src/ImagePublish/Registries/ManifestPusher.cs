using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Endpoints;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries;

/// <summary>Puts one manifest under one tag or digest. The same PUT may be repeated: it does the same again.</summary>
internal sealed class ManifestPusher(RegistryConnection connection, BlobPusher blobs, Reference target, MemoryBlobSource manifest)
{
    private readonly PutManifest endpoint = new(target, manifest);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            Failure failure;
            try
            {
                using var response = await connection.SendOnceAsync(endpoint, cancellationToken);
                if (response.IsSuccess)
                {
                    await ConfirmAsync(response, cancellationToken);
                    return;
                }

                failure = await Failure.OfAsync(endpoint.Description, response, connection.Time);
            }
            catch (TransportException e)
            {
                failure = connection.Failed(endpoint, e);
            }

            var isLast = !await connection.Retry.WaitAsync(failure, tries, cancellationToken);
            // A refusal is certain; after anything else the manifest may have arrived nevertheless.
            if (failure.IsTransient && await IsThereAsync(cancellationToken))
                return;
            if (isLast)
                throw Explain(failure);
        }
    }

    // 201, or the digest, is the confirmation; after any other success the registry is asked.
    private async Task ConfirmAsync(RegistryResponse response, CancellationToken cancellationToken)
    {
        var ours = manifest.Descriptor.Digest;
        var failure = new Failure(endpoint.Description, response.Method, response.Url) { Status = response.Status };
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

        connection.Retry.Succeeded();
    }

    // The answer was lost, or was the answer of a proxy: perhaps the manifest arrived.
    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await connection.SendOnceAsync(new HeadManifest(target, IsPush: true), cancellationToken);
            return response.Status == HttpStatusCode.OK
                && Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest)
                && digest == manifest.Descriptor.Digest;
        }
        catch (TransportException)
        {
            return false;
        }
    }

    private ImagePublishException Explain(Failure failure)
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

    private static bool IsAboutImmutability(RegistryErrors errors) =>
        errors.Has("TAG_INVALID")
        || errors.Text.Contains("immutable", StringComparison.OrdinalIgnoreCase)
        || errors.Text.Contains("AlreadyExists", StringComparison.OrdinalIgnoreCase);

    private MissingBlobsException Missing(Failure failure)
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

using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Connection;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>
/// Reads the documents of a base image while the project still compiles, so that the publish finds them in the local store, and what the
/// image's tag points at among the answers of the build. It takes <see cref="RegistryClientOptions.EarlyTimeout"/> at most.
/// </summary>
internal sealed class EarlyBase(RegistryClient registries, SharedReferences shared)
{
    /// <summary>Reads them.</summary>
    /// <returns>The failure where the registry refuses the credential. Any other the publish has itself, and reports it.</returns>
    public Task<ImagePublishException?> ReadAsync(
        RegistryImage image,
        Platform platform,
        Func<ImageStore> openStore,
        CancellationToken cancellationToken
    ) => Spans.RunAsync("read base early", () => TryReadAsync(image, platform, openStore, cancellationToken));

    private async Task<ImagePublishException?> TryReadAsync(
        RegistryImage image,
        Platform platform,
        Func<ImageStore> openStore,
        CancellationToken cancellationToken
    )
    {
        using var limit = new CancellationTokenSource(registries.Options.EarlyTimeout, registries.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var store = openStore();
            var documents = new RegistryDocuments(registries, store, shared);
            if (!await IsKnownAsync(image, documents, linked.Token))
                await new BaseResolver(registries, documents, store).ResolveAsync(image, platform, linked.Token);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.Unauthorized)
        {
            return exception;
        }
        catch (Exception exception)
            when (exception is ImagePublishException or IOException or UnauthorizedAccessException or OperationCanceledException) { }

        return null;
    }

    // A machine that has documents most likely has this image's: then its tag is all there is to ask for. A tag that another project of the
    // build may move is looked at by the publish.
    private async Task<bool> IsKnownAsync(RegistryImage image, RegistryDocuments documents, CancellationToken cancellationToken)
    {
        if (!documents.HasAny)
            return false;
        if (!shared.References.Contains(image.Location))
            return true;
        var digest = image.Location.Digest ?? (await documents.CurrentAsync(image.Location, cancellationToken))?.Digest;
        return digest is null || await documents.FindStoredAsync(digest, cancellationToken) is not null;
    }
}

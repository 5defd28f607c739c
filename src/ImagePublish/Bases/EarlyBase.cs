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
    public Task ReadAsync(RegistryImage image, Platform platform, Func<ImageStore> openStore, CancellationToken cancellationToken) =>
        Spans.RunAsync("read base early", () => TryReadAsync(image, platform, openStore, cancellationToken));

    private async Task TryReadAsync(RegistryImage image, Platform platform, Func<ImageStore> openStore, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(registries.Options.EarlyTimeout, registries.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var store = openStore();
            var documents = new RegistryDocuments(registries, store, shared);
            // Another project of the build may move this tag: the publish looks at it again, and has the rest already.
            if (!shared.References.Contains(image.Location) && documents.HasAny)
                return;
            await new BaseResolver(registries, documents, store).ResolveAsync(image, platform, linked.Token);
        }
        catch (Exception exception)
            when (exception is ImagePublishException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // The publish has the same failure, and reports it.
        }
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>Where images go: repositories of registries, or the local store.</summary>
/// <param name="registries">The registries.</param>
/// <param name="documents">What references point at.</param>
/// <param name="store">The local store.</param>
internal sealed class Places(RegistryClient registries, RemoteDocuments documents, ImageStore store)
{
    private readonly LayerCache cache = new(store);

    /// <summary>Opens the places that an image goes to.</summary>
    /// <param name="repositories">The repositories; with none it is the local store.</param>
    /// <param name="localName">The image's name in the local store.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The places.</returns>
    public DestinationSet Open(IReadOnlyList<Repository> repositories, string localName, CancellationToken cancellationToken) => new(
        repositories.Count == 0
            ? [new StoreDestination(store, localName, registries.Log, cancellationToken)]
            : repositories.Select(repository => new RegistryDestination(registries, cache, repository, cancellationToken)),
        new FinalChanges(NameChange.Tagged, registries.Log, registries.Time),
        cancellationToken);

    /// <summary>The same places to be asked only: what a publish would do there. The caller disposes them together.</summary>
    /// <param name="repositories">The repositories; with none it is the local store.</param>
    /// <param name="localName">The image's name in the local store.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The places.</returns>
    public (IReadOnlyList<PlannedDestination> Places, DestinationSet All) Plan(IReadOnlyList<Repository> repositories, string localName, CancellationToken cancellationToken)
    {
        IReadOnlyList<PlannedDestination> planned = repositories.Count == 0
            ? [new PlannedStore(store, localName, cancellationToken)]
            : [.. repositories.Select(repository => new PlannedRegistry(registries, cache, repository, cancellationToken))];
        return (planned, new DestinationSet(planned, new FinalChanges(NameChange.Tagged, registries.Log, registries.Time), cancellationToken));
    }

    /// <summary>Whether there is nothing to do: the digest is the fingerprint of everything that decides an image, and every tag points at it.</summary>
    /// <param name="repositories">The repositories.</param>
    /// <param name="tags">The tags; with none the image itself must be there.</param>
    /// <param name="digest">The image's or index's digest.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is so; never for the local store, where looking costs as much as writing.</returns>
    public async Task<bool> AreUpToDateAsync(IReadOnlyList<Repository> repositories, IReadOnlyList<Tag> tags, Digest digest, CancellationToken cancellationToken)
    {
        if (repositories.Count == 0)
            return false;
        var references = repositories.SelectMany(repository => tags.Count == 0 ? [repository.At(digest)] : tags.Select(repository.At));
        var current = await Task.WhenAll(references.Select(reference => documents.CurrentAsync(reference, cancellationToken)));
        return current.All(manifest => manifest?.Digest == digest);
    }
}

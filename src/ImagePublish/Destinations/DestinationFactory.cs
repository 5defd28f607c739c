using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>Where images go: repositories of registries, or the local store.</summary>
internal sealed class DestinationFactory(RegistryClient registries, RegistryDocuments documents, ImageStore store)
{
    private readonly StoredBlobLocations locations = new(new LayerCache(store));

    /// <summary>Opens the destinations of an image: repositories of registries; the local store where there are none.</summary>
    public DestinationSet Open(IReadOnlyList<Repository> repositories, string localName, CancellationToken cancellationToken) =>
        CreateSet(CreateDestinations(repositories, localName, cancellationToken), cancellationToken);

    /// <summary>The same destinations, but only measured: asked what would be uploaded there, and given nothing.</summary>
    public DestinationSet OpenPlanned(IReadOnlyList<Repository> repositories, string localName, CancellationToken cancellationToken)
    {
        var destinations = CreateDestinations(repositories, localName, cancellationToken);
        return CreateSet(destinations.Select(one => new PlannedDestination(one, cancellationToken)), cancellationToken);
    }

    private IEnumerable<Destination> CreateDestinations(
        IReadOnlyList<Repository> repositories,
        string localName,
        CancellationToken cancellationToken
    ) =>
        repositories.Count == 0
            ? [new StoreDestination(store, localName, registries.Log, cancellationToken)]
            : repositories.Select(repository => new RegistryDestination(registries, locations, repository, cancellationToken));

    private DestinationSet CreateSet(IEnumerable<Destination> destinations, CancellationToken cancellationToken) =>
        new(destinations, new TagChanges(NameChange.Tagged, registries.Log, registries.Time), cancellationToken);

    /// <summary>Whether there is nothing to do: the digest is the fingerprint of everything that decides an image, and
    /// every tag points at it.</summary>
    /// <returns>Whether it is so; never for the local store, where looking costs as much as writing.</returns>
    public async Task<bool> AreUpToDateAsync(
        IReadOnlyList<Repository> repositories,
        IReadOnlyList<Tag> tags,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        if (repositories.Count == 0)
            return false;
        var references = repositories.SelectMany(repository =>
            tags.Count == 0 ? [repository.ReferenceTo(digest)] : tags.Select(repository.ReferenceTo)
        );
        var current = await Task.WhenAll(references.Select(reference => documents.CurrentAsync(reference, cancellationToken)));
        return current.All(manifest => manifest?.Digest == digest);
    }
}

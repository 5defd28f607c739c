using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Verbs;

/// <summary>An image of the local store.</summary>
/// <param name="Name">Its name; null for one that another tool put there without.</param>
/// <param name="Descriptor">Its manifest or index.</param>
/// <param name="Platforms">What the store has it for.</param>
/// <param name="Created">When its config says that it was made.</param>
/// <param name="Size">The bytes of its blobs, each counted once.</param>
/// <param name="IsWhole">Whether all of its content is there.</param>
public sealed record ListedImage(string? Name, Descriptor Descriptor, IReadOnlyList<Platform> Platforms, string? Created, long Size, bool IsWhole);

/// <summary>Lists the local store.</summary>
/// <param name="store">The local store.</param>
public sealed class StoreLister(ImageStore store)
{
    /// <summary>The store's images.</summary>
    /// <param name="filter">Which, by name; images without a name are shown for everything.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The images, by name.</returns>
    public async Task<IReadOnlyList<ListedImage>> ListAsync(Glob filter, CancellationToken cancellationToken) =>
    [
        .. (await store.ListAsync(cancellationToken))
            .Where(image => image.Name is { } name ? filter.MatchesImage(name) : filter == Glob.All)
            .Select(image => new ListedImage(image.Name, image.Descriptor, image.Platforms, image.Created, image.Size, image.IsWhole)),
    ];
}

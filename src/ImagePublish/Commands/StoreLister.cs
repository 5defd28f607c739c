using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>An image of the local store.</summary>
internal sealed record ListedImage(
    string? Name,
    Descriptor Descriptor,
    IReadOnlyList<Platform> Platforms,
    string? Created,
    long Size,
    bool IsWhole
);

/// <summary>Lists the local store.</summary>
internal sealed class StoreLister(ImageStore store)
{
    /// <summary>The store's images.</summary>
    public async Task<IReadOnlyList<ListedImage>> ListAsync(Glob filter, CancellationToken cancellationToken) =>
        [
            .. (await store.ListAsync(cancellationToken))
                .Where(image => image.Name is { } name ? filter.MatchesImage(name) : filter == Glob.All)
                .Select(image => new ListedImage(image.Name, image.Descriptor, image.Platforms, image.Created, image.Size, image.IsWhole)),
        ];
}

using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>
/// The layers of images that are in registries already: what they contain need not be compressed or uploaded again, on a fresh machine too.
/// </summary>
/// <remarks>
/// An image's config names the diff ids of its layers, its manifest their blobs. Nothing forces the two to fit, and not every runtime
/// compares them, so only images that <see cref="CacheTrust"/> covers are trusted. Of the others it is only taken from which repository a
/// blob may be mounted. Registries are asked only for a layer that this machine does not know, and then once.
/// </remarks>
internal sealed class RegistryLayerCache(
    RegistryClient registries,
    RegistryDocuments documents,
    CacheSources sources,
    IPublishLog log,
    TaskScope tasks
)
{
    private readonly Lock gate = new();
    private Task<Known>? known;

    private sealed record Known(Dictionary<Digest, Layer> Proven, Dictionary<Digest, Repository> Repositories);

    /// <summary>Finds a layer by its content.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: it was to be verified, and its blob is something else.</exception>
    public async Task<Layer?> FindAsync(Digest diffId, Compression compression, CancellationToken cancellationToken)
    {
        if (
            !(await ReadOnceAsync()).Proven.TryGetValue(diffId, out var layer)
            || MediaTypes.CompressionOf(layer.Descriptor.MediaType) != compression
        )
            return null;
        if (sources.Trust.VerifyReused)
            await VerifyAsync(layer, cancellationToken);
        return layer;
    }

    public bool AreNone => sources is { Likely.Count: 0, Repositories.Count: 0 };

    public async Task<bool> ExistAsync() => (await ReadOnceAsync()).Proven.Count > 0;

    /// <summary>Finds a repository that claims to have a blob. Whether it has is asked when the blob is mounted from it.</summary>
    public async Task<Repository?> FindRepositoryAsync(Digest blob) =>
        AreNone ? null : (await ReadOnceAsync()).Repositories.GetValueOrDefault(blob);

    private static async Task VerifyAsync(Layer layer, CancellationToken cancellationToken)
    {
        try
        {
            // The diff id decides: what the blob's digest would say is known with it.
            await using var blob = await layer.Source!.OpenAsync(0, cancellationToken);
            await LayerReader.VerifyAsync(blob, layer.DiffId, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.LayerInvalid)
        {
            throw new ImagePublishException(
                exception.Code,
                $"A layer of an image in '{layer.Source!.Repository}' is not what the image says: "
                    + $"its blob {layer.Descriptor.Digest} does not contain {layer.DiffId}. "
                    + "Find out who pushed it; publish with ImageCacheFrom=none to build the layer instead.",
                exception
            );
        }
    }

    private Task<Known> ReadOnceAsync()
    {
        lock (gate)
            return known ??= tasks.Run(ReadAllAsync);
    }

    private async Task<Known> ReadAllAsync(CancellationToken cancellationToken)
    {
        var found = new Known([], []);
        var images = await ReadAsync(sources.Likely, cancellationToken);
        if (images.All(image => image.Count == 0))
            images = await ReadAsync(await FindNewestAsync(cancellationToken), cancellationToken);
        foreach (var (layer, isProven) in images.SelectMany(image => image))
        {
            found.Repositories.TryAdd(layer.Descriptor.Digest, layer.Source!.Repository!);
            if (isProven)
                found.Proven.TryAdd(layer.DiffId, layer);
        }

        return found;
    }

    // Several tags often point at one image, which is read once.
    private async Task<IReadOnlyList<(Layer Layer, bool IsProven)>[]> ReadAsync(
        IReadOnlyList<Reference> references,
        CancellationToken cancellationToken
    )
    {
        var pinned = await Task.WhenAll(references.Select(reference => PinAsync(reference, cancellationToken)));
        var distinct = pinned.OfType<Reference>().DistinctBy(reference => (reference.Repository, reference.Digest));
        return await Task.WhenAll(distinct.Select(reference => ReadAsync(reference, cancellationToken)));
    }

    private async Task<Reference?> PinAsync(Reference reference, CancellationToken cancellationToken)
    {
        if (reference.Digest is not null)
            return reference;
        try
        {
            return await documents.CurrentAsync(reference, cancellationToken) is { } found ? reference.Pinned(found.Digest) : null;
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"No layers are taken from '{reference}': {exception.Message}");
            return null;
        }
    }

    // An image that can't be read is no reason to fail: the layers are built then.
    private async Task<IReadOnlyList<(Layer Layer, bool IsProven)>> ReadAsync(Reference reference, CancellationToken cancellationToken)
    {
        var repository = reference.Repository;
        try
        {
            if (
                await documents.FindAsync(reference, cancellationToken) is not { } document
                || await documents.ReadImageAsync(repository, document, Choose, cancellationToken) is not { } image
            )
                return [];
            var layers = image.Layers(registries, repository).Where(layer => layer.Source is not null);
            return [.. layers.Select(layer => (layer, sources.Trust.Believes(repository, image.Config, layer)))];
        }
        catch (Exception exception) when (exception is ImagePublishException or JsonException)
        {
            log.Detail($"No layers are taken from '{reference}': {exception.Message}");
            return [];
        }
    }

    private async Task<List<Reference>> FindNewestAsync(CancellationToken cancellationToken)
    {
        var found = new List<Reference>();
        foreach (var repository in sources.Repositories)
        {
            try
            {
                var tags = await registries
                    .ListTagsAsync(repository, cancellationToken)
                    .Take(CacheSources.MaxListed)
                    .ToListAsync(cancellationToken);
                found.AddRange(CacheSources.Newest(tags).Select(repository.ReferenceTo));
            }
            catch (ImagePublishException exception)
            {
                log.Detail($"The tags of '{repository}' are not known: {exception.Message}");
            }
        }

        return found;
    }

    private Descriptor? Choose(ImageIndex index) =>
        index.Manifests.FirstOrDefault(manifest => manifest.Platform?.Satisfies(sources.Platform) == true);
}

using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>The layers of images that are in registries already: what they contain need not be compressed or uploaded again, on a fresh machine too.</summary>
/// <remarks>
/// An image's config names the diff ids of its layers, its manifest their blobs. Nothing forces the two to fit, and not every runtime compares them, so only images that
/// <see cref="CacheTrust"/> covers are believed. The others only tell where a blob with a digest that is known otherwise may be mounted from.
/// Asked only for a layer that this machine does not know, and then once.
/// </remarks>
internal sealed class RegistryLayerCache(
    RegistryClient registries,
    RegistryDocuments documents,
    CacheSources sources,
    CacheTrust trust,
    IPublishLog log,
    CancellationToken cancellationToken
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
            !(await KnownAsync()).Proven.TryGetValue(diffId, out var layer)
            || MediaTypes.CompressionOf(layer.Descriptor.MediaType) != compression
        )
            return null;
        if (trust.VerifyReused)
            await VerifyAsync(layer, cancellationToken);
        return layer;
    }

    /// <summary>Whether there is nowhere to look.</summary>
    public bool AreNone => sources is { Likely.Count: 0, Repositories.Count: 0 };

    /// <summary>Whether there is any layer to be found.</summary>
    public async Task<bool> ExistAsync() => (await KnownAsync()).Proven.Count > 0;

    /// <summary>Finds a repository that claims to have a blob. Whoever uses it has the registry decide.</summary>
    public async Task<Repository?> FindRepositoryAsync(Digest blob) =>
        AreNone ? null : (await KnownAsync()).Repositories.GetValueOrDefault(blob);

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
                $"A layer of an image in '{layer.Source!.Repository}' is not what the image says: its blob {layer.Descriptor.Digest} does not contain {layer.DiffId}. "
                    + "Find out who pushed it; publish with ImageCacheFrom=none to build the layer instead.",
                exception
            );
        }
    }

    private Task<Known> KnownAsync()
    {
        lock (gate)
            return known ??= Task.Run(ReadAllAsync, cancellationToken);
    }

    private async Task<Known> ReadAllAsync()
    {
        var found = new Known([], []);
        var images = await ReadAsync(sources.Likely);
        if (images.All(image => image.Count == 0))
            images = await ReadAsync(await NewestAsync());
        foreach (var (layer, isProven) in images.SelectMany(image => image))
        {
            found.Repositories.TryAdd(layer.Descriptor.Digest, layer.Source!.Repository!);
            if (isProven)
                found.Proven.TryAdd(layer.DiffId, layer);
        }

        return found;
    }

    // Several tags often point at one image, which is read once.
    private async Task<IReadOnlyList<(Layer Layer, bool IsProven)>[]> ReadAsync(IReadOnlyList<Reference> references)
    {
        var current = await Task.WhenAll(references.Select(PinAsync));
        return await Task.WhenAll(
            current.OfType<Reference>().DistinctBy(reference => (reference.Repository, reference.Digest)).Select(ReadAsync)
        );
    }

    private async Task<Reference?> PinAsync(Reference reference)
    {
        try
        {
            return reference.Digest is not null ? reference
                : await documents.CurrentAsync(reference, cancellationToken) is { } found ? reference.Pinned(found.Digest)
                : null;
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"No layers are taken from '{reference}': {exception.Message}");
            return null;
        }
    }

    // An image that can't be read is no reason to fail: the layers are built then.
    private async Task<IReadOnlyList<(Layer Layer, bool IsProven)>> ReadAsync(Reference reference)
    {
        try
        {
            if (
                await documents.FindAsync(reference, cancellationToken) is not { } document
                || await documents.ReadImageAsync(reference.Repository, document, Choose, cancellationToken) is not { } image
            )
                return [];
            return
            [
                .. image
                    .Layers(registries, reference.Repository)
                    .Where(layer => layer.Source is not null)
                    .Select(layer => (layer, trust.Believes(reference.Repository, image.Config, layer))),
            ];
        }
        catch (Exception exception) when (exception is ImagePublishException or JsonException)
        {
            log.Detail($"No layers are taken from '{reference}': {exception.Message}");
            return [];
        }
    }

    private async Task<List<Reference>> NewestAsync()
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

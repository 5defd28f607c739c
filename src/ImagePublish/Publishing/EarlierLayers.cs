using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Publishing;

/// <summary>The layers of images that are in registries already: what they contain need not be compressed or uploaded again, on a fresh machine too.</summary>
/// <remarks>
/// An image's config names the diff ids of its layers, its manifest their blobs. A config that lies gains nothing: runtimes check diff ids when they unpack.
/// Asked only for a layer that this machine does not know, and then once.
/// </remarks>
/// <param name="registries">The registries.</param>
/// <param name="documents">Their documents.</param>
/// <param name="sources">Where to look, the likeliest first.</param>
/// <param name="log">Where to tell what could not be read.</param>
/// <param name="cancellationToken">Gives up.</param>
internal sealed class EarlierLayers(RegistryClient registries, RemoteDocuments documents, EarlierImages sources, IEngineLog log, CancellationToken cancellationToken)
{
    private readonly Lock gate = new();
    private Task<Dictionary<Digest, Layer>>? known;

    /// <summary>Finds a layer by its content.</summary>
    /// <param name="diffId">The digest of its tar.</param>
    /// <param name="compression">How it is to be compressed.</param>
    /// <returns>The layer, or null.</returns>
    public async Task<Layer?> FindAsync(Digest diffId, Compression compression) =>
        (await KnownAsync()).TryGetValue(diffId, out var layer) && MediaTypes.CompressionOf(layer.Descriptor.MediaType) == compression ? layer : null;

    /// <summary>Whether there is nowhere to look.</summary>
    public bool AreNone => sources is { Likely.Count: 0, Repositories.Count: 0 };

    /// <summary>Whether there is any layer to be found.</summary>
    /// <returns>True if there is.</returns>
    public async Task<bool> ExistAsync() => (await KnownAsync()).Count > 0;

    private Task<Dictionary<Digest, Layer>> KnownAsync()
    {
        lock (gate)
            return known ??= Task.Run(ReadAllAsync, cancellationToken);
    }

    private async Task<Dictionary<Digest, Layer>> ReadAllAsync()
    {
        var layers = new Dictionary<Digest, Layer>();
        var images = await ReadAsync(sources.Likely);
        if (images.All(image => image.Count == 0))
            images = await ReadAsync(await NewestAsync());
        foreach (var layer in images.SelectMany(image => image))
            layers.TryAdd(layer.DiffId, layer);
        return layers;
    }

    // Several tags often point at one image, which is read once.
    private async Task<IReadOnlyList<Layer>[]> ReadAsync(IReadOnlyList<Reference> references)
    {
        var current = await Task.WhenAll(references.Select(PinAsync));
        return await Task.WhenAll(current.OfType<Reference>().DistinctBy(reference => (reference.Repository, reference.Digest)).Select(ReadAsync));
    }

    private async Task<Reference?> PinAsync(Reference reference)
    {
        try
        {
            return reference.Digest is not null ? reference : await documents.CurrentAsync(reference, cancellationToken) is { } found ? reference.Pinned(found.Digest) : null;
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"No layers are taken from '{reference}': {exception.Message}");
            return null;
        }
    }

    // An image that can't be read is no reason to fail: the layers are built then.
    private async Task<IReadOnlyList<Layer>> ReadAsync(Reference reference)
    {
        try
        {
            if (await documents.FindAsync(reference, cancellationToken) is not { } document
                || await documents.ReadImageAsync(reference.Repository, document, Choose, cancellationToken) is not { } image)
                return [];
            return [.. image.Layers(registries, reference.Repository).Where(layer => layer.Source is not null)];
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
                var tags = await registries.ListTagsAsync(repository, cancellationToken).Take(EarlierImages.MaxListed).ToListAsync(cancellationToken);
                found.AddRange(EarlierImages.Newest(tags).Select(repository.At));
            }
            catch (ImagePublishException exception)
            {
                log.Detail($"The tags of '{repository}' are not known: {exception.Message}");
            }
        }

        return found;
    }

    private Descriptor? Choose(ImageIndex index) => index.Manifests.FirstOrDefault(manifest => manifest.Platform?.Satisfies(sources.Platform) == true);
}

using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.LayerReuse;

/// <summary>Which images in registries are believed when they say which blob a layer became. With nothing set, none is.</summary>
/// <remarks>
/// Not every container runtime compares an unpacked layer with its diff id, so whoever can push an image that is believed decides what later images contain.
/// A layer that is not proven is built; since the same files give the same blob everywhere, it is still not uploaded where the registry has it.
/// </remarks>
internal sealed record CacheTrust
{
    /// <summary>Believes nothing.</summary>
    public static CacheTrust None { get; } = new();

    /// <summary>Images whose layers are proven with this key are believed, and this build's images carry such proofs; null for none.</summary>
    public CacheKey? Key { get; init; }

    /// <summary>Repositories whose images are believed without a proof: all who may push to them are trusted.</summary>
    public IReadOnlyList<Repository> Repositories { get; init; } = [];

    /// <summary>Whether reused layers are read back and compared with their diff ids before a tag moves.</summary>
    public bool VerifyReused { get; init; }

    /// <summary>Whether an image of a repository can be believed at all.</summary>
    public bool MayBelieve(Repository repository) => Key is not null || Repositories.Contains(repository);

    /// <summary>Whether a layer is what an image says.</summary>
    internal bool Believes(Repository repository, ImageConfig config, Layer layer) =>
        Repositories.Contains(repository) || Key?.Accepts(LayerProofs.Find(config, layer.DiffId), layer.DiffId, layer.Descriptor) == true;
}

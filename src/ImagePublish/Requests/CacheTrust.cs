using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Requests;

/// <summary>Which images in registries are trusted when they name the blob of a layer's content. By default none is.</summary>
/// <remarks>
/// Not every container runtime compares an unpacked layer with its diff id, so whoever can push a trusted image decides what later images
/// contain. A layer that is not proven is built; since the same files give the same blob everywhere, it is still not uploaded where the
/// registry has it.
/// </remarks>
internal sealed record CacheTrust
{
    public static CacheTrust None { get; } = new();

    /// <summary>
    /// Images whose layers are proven with this key are trusted, and this build's images carry such proofs; null for none.
    /// </summary>
    public CacheSecret? Key { get; init; }

    /// <summary>Repositories whose images are trusted without a proof: everybody who may push to them is trusted.</summary>
    public IReadOnlyList<Repository> Repositories { get; init; } = [];

    /// <summary>Whether reused layers are read back and compared with their diff ids before a tag moves.</summary>
    public bool VerifyReused { get; init; }

    public bool MayBelieve(Repository repository) => Key is not null || Repositories.Contains(repository);

    /// <summary>Whether a layer's blob has the content that an image's config claims.</summary>
    internal bool Believes(Repository repository, ImageConfig config, Layer layer) =>
        Repositories.Contains(repository) || Key?.Accepts(LayerProofs.Find(config, layer.DiffId), layer.DiffId, layer.Descriptor) == true;
}

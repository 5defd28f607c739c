using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Sboms;

/// <summary>Everything that a bill of materials is made from.</summary>
internal sealed record SbomSources(SbomRequest Request, Image Image)
{
    /// <summary>The image's name, without registry and tag: neither is part of what it is.</summary>
    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required SbomFacts Facts { get; init; }

    public required BaseImage Base { get; init; }

    /// <summary>The number of the base's own layers; those of other images are on top of them.</summary>
    public required int BaseLayers { get; init; }

    /// <summary>The images that files and layers were taken from, with their layers' diff ids.</summary>
    public required IReadOnlyList<BaseImage> Others { get; init; }

    /// <summary>The files of all layers with their hashes, from the bottom up.</summary>
    public required IReadOnlyList<LayerListing> Layers { get; init; }

    /// <summary>What the layers above the base were made of; empty for one that was found without its files.</summary>
    public required IReadOnlyList<LayerInput> Contents { get; init; }
}

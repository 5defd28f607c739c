using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>How far a layer from elsewhere is trusted.</summary>
internal sealed record LayerReaderOptions
{
    /// <summary>The diff id that the tar must have; null when it is not known. Checked once all entries were read.</summary>
    public Digest? DiffId { get; init; }

    /// <summary>The most bytes a layer may inflate to.</summary>
    public long MaxLength { get; init; } = 64L << 30;

    /// <summary>How many times larger than the blob the tar may be, once it is larger than <see cref="FreeLength"/>.</summary>
    public int MaxRatio { get; init; } = 200;

    /// <summary>The bytes up to which the ratio does not matter: small layers of zeros are harmless.</summary>
    public long FreeLength { get; init; } = 256L << 20;

    /// <summary>The most entries a layer may have.</summary>
    public int MaxEntries { get; init; } = 2_000_000;

    /// <summary>What the layer shares with the others of its image, in place of <see cref="MaxEntries"/>; null where it is read alone.</summary>
    internal ContentBudget? Budget { get; init; }
}

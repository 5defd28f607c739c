namespace ImagePublish.Oci;

/// <summary>One layer of an image: what it is, what it contains, and where its bytes can be had.</summary>
/// <param name="Source">Where the blob's bytes can be had; null for a foreign layer, which is never moved.</param>
internal sealed record Layer(Descriptor Descriptor, Digest DiffId, BlobSource? Source)
{
    /// <summary>Whether it was made just now, rather than found.</summary>
    public bool IsNew { get; init; }
}

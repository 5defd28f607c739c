using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;

namespace ImagePublish.Publishing;

/// <summary>An image for one platform and where it is now.</summary>
/// <param name="Image">The image.</param>
/// <param name="Deliveries">One for each place.</param>
public sealed record PublishResult(Image Image, IReadOnlyList<Delivery> Deliveries)
{
    /// <summary>Whether everything was there already, so that nothing was moved and no tag either.</summary>
    public bool IsUnchanged { get; init; }

}

/// <summary>An image for several platforms and where it is now.</summary>
/// <param name="Index">The index.</param>
/// <param name="Images">Its entries.</param>
/// <param name="Deliveries">One for each place.</param>
/// <param name="IsUnchanged">Whether everything was there already, so that nothing was moved and no tag either.</param>
public sealed record IndexResult(MemoryBlobSource Index, IReadOnlyList<Descriptor> Images, IReadOnlyList<Delivery> Deliveries, bool IsUnchanged);

/// <summary>An image in one place, and what it took to get it there.</summary>
public sealed record Delivery
{
    /// <summary>The registry's repository; null for the local store.</summary>
    public Repository? Repository { get; init; }

    /// <summary>The repository's name as people write it.</summary>
    public required string Name { get; init; }

    /// <summary>The tags that point at the image now.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>What was moved.</summary>
    public required TransferTotals Transfer { get; init; }

    /// <summary>What became of each blob; one that is not listed was there already.</summary>
    public IReadOnlyDictionary<Digest, BlobMove> Blobs { get; init; } = new Dictionary<Digest, BlobMove>();

    /// <summary>Deliveries of what was there already.</summary>
    /// <param name="destinations">The places.</param>
    /// <param name="tags">The tags, which point at it.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <returns>One for each place.</returns>
    internal static IReadOnlyList<Delivery> Unchanged(IReadOnlyList<Repository> destinations, IReadOnlyList<Tag> tags, long size) =>
        [.. destinations.Select(repository => new Delivery { Repository = repository, Name = repository.ToString(), Tags = tags, Transfer = new TransferTotals(0, 0, size) })];
}

/// <summary>What became of an image's blobs on their way to one place, in compressed bytes.</summary>
/// <param name="UploadedBytes">Sent or written.</param>
/// <param name="MountedBytes">Taken over from another repository of the same registry.</param>
/// <param name="ReusedBytes">Already there.</param>
public readonly record struct TransferTotals(long UploadedBytes, long MountedBytes, long ReusedBytes)
{
    /// <summary>Adds two totals.</summary>
    /// <param name="left">The one.</param>
    /// <param name="right">The other.</param>
    /// <returns>Their sum.</returns>
    public static TransferTotals operator +(TransferTotals left, TransferTotals right) =>
        new(left.UploadedBytes + right.UploadedBytes, left.MountedBytes + right.MountedBytes, left.ReusedBytes + right.ReusedBytes);

    /// <summary>Adds two totals.</summary>
    /// <param name="left">The one.</param>
    /// <param name="right">The other.</param>
    /// <returns>Their sum.</returns>
    public static TransferTotals Add(TransferTotals left, TransferTotals right) => left + right;
}

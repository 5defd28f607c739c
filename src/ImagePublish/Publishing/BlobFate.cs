using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>A blob of an image, and what became of it in one place.</summary>
/// <param name="Name">What it holds: a layer's name, <c>base</c> or <c>config</c>.</param>
/// <param name="Descriptor">The blob.</param>
/// <param name="Fate">How it got there, or would.</param>
public sealed record ImageBlob(string Name, Descriptor Descriptor, BlobFate Fate);

/// <summary>How a blob got to where it is wanted, or would.</summary>
/// <param name="Move">How.</param>
/// <param name="UploadedBytes">The bytes sent or written for it; those that a broken line made us send twice included.</param>
/// <param name="From">The repository that it was mounted or streamed from.</param>
public sealed record BlobFate(BlobMove Move, long UploadedBytes = 0, Repository? From = null)
{
    /// <summary>It was there.</summary>
    public static BlobFate Reused { get; } = new(BlobMove.Reused);

    /// <summary>A blob that is sent whole: streamed where a registry has it, and otherwise from this machine.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="bytes">The bytes sent.</param>
    /// <returns>What becomes of it.</returns>
    internal static BlobFate Sent(BlobSource blob, long bytes) => new(blob.Repository is null ? BlobMove.Uploaded : BlobMove.Streamed, bytes, blob.Repository);

    /// <summary>What a blob adds to the totals.</summary>
    /// <param name="size">Its size in bytes.</param>
    /// <returns>The totals.</returns>
    internal TransferTotals Count(long size) => Move switch
    {
        BlobMove.Reused => new TransferTotals(0, 0, size),
        BlobMove.Mounted => new TransferTotals(0, size, 0),
        _ => new TransferTotals(UploadedBytes, 0, 0),
    };
}

/// <summary>How a blob gets to where it is wanted.</summary>
public enum BlobMove
{
    /// <summary>It is there.</summary>
    Reused,

    /// <summary>The registry takes it from another of its repositories.</summary>
    Mounted,

    /// <summary>It is sent from this machine, or written.</summary>
    Uploaded,

    /// <summary>It is sent, or written, while it is read from a registry: most often the base's.</summary>
    Streamed,
}

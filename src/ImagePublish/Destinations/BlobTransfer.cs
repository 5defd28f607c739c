using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>A blob of an image, and how it got to one destination.</summary>
internal sealed record ImageBlob(string Name, Descriptor Descriptor, BlobTransfer Transfer);

/// <summary>How a blob got to where it is wanted, or would.</summary>
/// <param name="UploadedBytes">The bytes sent or written for it; including those sent twice because a connection was lost.</param>
internal sealed record BlobTransfer(TransferKind Kind, long UploadedBytes = 0, Repository? From = null)
{
    /// <summary>Whether the registry said that it did not have it.</summary>
    public bool WasAbsent { get; init; }

    public static BlobTransfer Reused { get; } = new(TransferKind.Reused);

    /// <summary>A blob that is sent whole: streamed where a registry has it, and otherwise from this machine.</summary>
    internal static BlobTransfer CreateUpload(BlobSource blob, long bytes) =>
        new(blob.Repository is null ? TransferKind.Uploaded : TransferKind.Streamed, bytes, blob.Repository);

    /// <summary>Waits until every blob is confirmed, or until the first failure.</summary>
    internal static async Task ConfirmAsync(IEnumerable<Task<BlobTransfer>> transfers)
    {
        await foreach (var transfer in Task.WhenEach(transfers))
            await transfer;
    }

    internal TransferTotals ToTotals(long size) =>
        Kind switch
        {
            TransferKind.Reused => new TransferTotals(0, 0, size),
            TransferKind.Mounted => new TransferTotals(0, size, 0),
            _ => new TransferTotals(UploadedBytes, 0, 0),
        };
}

/// <summary>How a blob gets to where it is wanted.</summary>
internal enum TransferKind
{
    Reused,

    Mounted,

    Uploaded,

    /// <summary>It is sent, or written, while it is read from a registry: most often the base's.</summary>
    Streamed,
}

/// <summary>How the blobs of an image got to one destination, in compressed bytes.</summary>
internal readonly record struct TransferTotals(long UploadedBytes, long MountedBytes, long ReusedBytes)
{
    public static TransferTotals operator +(TransferTotals left, TransferTotals right) =>
        new(left.UploadedBytes + right.UploadedBytes, left.MountedBytes + right.MountedBytes, left.ReusedBytes + right.ReusedBytes);

    public static TransferTotals Add(TransferTotals left, TransferTotals right) => left + right;
}

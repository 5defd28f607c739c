using ImagePublish.Oci;

namespace ImagePublish.Registries.Blobs;

internal enum BlobPushKind
{
    Existing,

    Mounted,

    Uploaded,
}

/// <summary>The outcome of a blob's push: it is in the repository now, confirmed by the registry.</summary>
/// <param name="UploadedBytes">The bytes sent for it, including those sent twice because a connection was lost.</param>
internal readonly record struct BlobPushResult(BlobPushKind Kind, long UploadedBytes)
{
    public static BlobPushResult Existing { get; } = new(BlobPushKind.Existing, 0);

    public Repository? From { get; init; }

    /// <summary>Whether the registry said that the repository did not have it; a registry need not be able to.</summary>
    public bool WasAbsent { get; init; }
}

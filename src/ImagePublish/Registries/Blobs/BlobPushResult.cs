using ImagePublish.Oci;

namespace ImagePublish.Registries.Blobs;

/// <summary>How a blob came to be in a repository.</summary>
internal enum BlobPushKind
{
    /// <summary>It was there.</summary>
    Existing,

    /// <summary>The registry took it from another of its repositories.</summary>
    Mounted,

    /// <summary>It was uploaded.</summary>
    Uploaded,
}

/// <summary>The outcome of a blob's push: it is in the repository now, confirmed by the registry.</summary>
/// <param name="UploadedBytes">The bytes sent for it, including those sent twice because a connection was lost.</param>
internal readonly record struct BlobPushResult(BlobPushKind Kind, long UploadedBytes)
{
    public static BlobPushResult Existing { get; } = new(BlobPushKind.Existing, 0);

    /// <summary>The repository that it was mounted from.</summary>
    public Repository? From { get; init; }
}

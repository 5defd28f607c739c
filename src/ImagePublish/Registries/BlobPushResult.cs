using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>How a blob came to be in a repository.</summary>
internal enum BlobPushKind
{
    /// <summary>It was there.</summary>
    Existing,

    /// <summary>The registry took it from another of its repositories.</summary>
    Mounted,

    /// <summary>It was sent.</summary>
    Uploaded,
}

/// <summary>The outcome of a blob's push: it is in the repository now, confirmed by the registry.</summary>
/// <param name="UploadedBytes">The bytes sent for it, those that a broken line made us send twice included.</param>
internal readonly record struct BlobPushResult(BlobPushKind Kind, long UploadedBytes)
{
    /// <summary>The repository that it was mounted from.</summary>
    public Repository? From { get; init; }
}

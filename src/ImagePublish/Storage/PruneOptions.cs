using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What a prune may remove. With nothing set, only temporary files that a killed process left more than a day ago.</summary>
internal sealed record PruneOptions
{
    /// <summary>Remove every blob that no image of the list names.</summary>
    public bool Unreferenced { get; init; }

    /// <summary>Remove images, blobs that no image names, and cache records that were not used for this long.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Remove blobs that no image names, and that were not used for this long.</summary>
    public TimeSpan? MaxUnreferencedAge { get; init; }

    /// <summary>Remove these names from the list, and the blobs that only they need.</summary>
    public IReadOnlySet<string> Names { get; init; } = new HashSet<string>();

    /// <summary>The bytes that all blobs may have together. Above it the least recently used go: first blobs that no image names, then images.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Above <see cref="MaxSize"/>, how small the store is made, so that it is not above it again at once; <see cref="MaxSize"/> where it is null.</summary>
    public long? TargetSize { get; init; }

    /// <summary>Never remove an image from the list, only what no image names.</summary>
    public bool KeepImages { get; init; }

    /// <summary>Only tell what would be removed.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What a prune removed, or would remove.</summary>
internal sealed record PruneResult
{
    /// <summary>The images that left the list.</summary>
    public IReadOnlyList<StoredImage> Images { get; init; } = [];

    /// <summary>The blobs, the least recently used first.</summary>
    public IReadOnlyList<PrunedBlob> Blobs { get; init; } = [];

    /// <summary>The number of cache records.</summary>
    public int Records { get; init; }

    /// <summary>The number of temporary files that killed processes left.</summary>
    public int TemporaryFiles { get; init; }

    /// <summary>The bytes of the blobs.</summary>
    public long FreedBytes => Blobs.Sum(blob => blob.Size);

    /// <summary>The bytes of the blobs that remain.</summary>
    public long RemainingBytes { get; init; }
}

/// <summary>A blob that was removed, or would be.</summary>
internal sealed record PrunedBlob(Digest Digest, long Size);

using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What a repair removed, or would remove.</summary>
internal sealed record RepairResult
{
    /// <summary>The blobs whose content is not what their digest promises, and links among the blobs.</summary>
    public IReadOnlyList<Digest> Blobs { get; init; } = [];

    /// <summary>The names of the images that lack content.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Where the list was kept that could not be read as a whole, or null if it could.</summary>
    public string? DamagedList { get; init; }
}

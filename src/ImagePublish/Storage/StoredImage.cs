using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <param name="Name">Its name, such as <c>acme/shop:1.0</c>; null for an entry that another tool made without one.</param>
internal sealed record StoredImage(string? Name, Descriptor Descriptor)
{
    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    public long Size { get; init; }

    /// <summary>When its config says that it was made, as the config writes it; null if it does not say.</summary>
    public string? Created { get; init; }

    public DateTimeOffset LastUsed { get; init; }

    /// <summary>Whether all of its content is there with the right size.</summary>
    public bool IsWhole { get; init; }
}

/// <summary>How much of an image must be in the store for it to be listed.</summary>
internal enum StoredPlatforms
{
    All,

    /// <summary>At least one platform of an index, as of a base that only one was needed of. Other tools can read only those that are
    /// there.</summary>
    Some,
}

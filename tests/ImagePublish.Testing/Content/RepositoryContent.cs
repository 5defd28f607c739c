namespace ImagePublish.Testing;

/// <summary>A manifest as it was put.</summary>
public sealed record StoredManifest(ReadOnlyMemory<byte> Bytes, string MediaType)
{
    public string Digest { get; } = Digests.Sha256(Bytes.Span);
}

/// <summary>What a repository holds.</summary>
internal sealed class RepositoryContent
{
    public HashSet<string> Blobs { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, StoredManifest> Manifests { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);
}

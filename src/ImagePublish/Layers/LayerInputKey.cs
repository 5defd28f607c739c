using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>A name for the content of a layer on this machine, which is known sooner than the digest of its tar.</summary>
internal static class LayerInputKey
{
    /// <summary>The key of a layer's content: everything that decides its tar, with tags in place of files.</summary>
    /// <returns>The key, which differs between versions of this product; null where files are of some other kind.</returns>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public static async Task<Digest?> ComputeAsync(LayerInput content, FileFingerprints tags, CancellationToken cancellationToken)
    {
        if (content.Entries.Any(entry => entry.Content is not (null or FileOnDisk or FileInMemory or FileInLayer)))
            return null;
        await tags.ComputeAsync(content.Entries.Select(entry => entry.Content).OfType<FileOnDisk>(), cancellationToken);
        using var key = new DigestBuilder();
        key.AddThisBuild();
        foreach (var entry in content.Entries)
            Add(key, entry, tags);
        return key.ToDigest();
    }

    // The layer's diff id decides what is at which position in it.
    private static void Add(DigestBuilder key, FileInLayer file)
    {
        key.Add(file.Layer.ToString());
        key.Add(file.Index);
    }

    internal static void Add(DigestBuilder key, LayerEntry entry, FileFingerprints tags)
    {
        key.Add(entry.Path);
        key.Add((long)entry.Kind);
        key.Add((long)entry.Mode);
        key.Add(entry.Uid);
        key.Add(entry.Gid);
        key.Add(entry.Modified.ToUnixTimeSeconds());
        key.Add(entry.LinkTarget);
        key.Add(entry.PaxAttributes?.Count ?? -1);
        if (entry.PaxAttributes is { } attributes)
        {
            foreach (var (name, value) in attributes)
            {
                key.Add(name);
                key.Add(value);
            }
        }

        key.Add(entry.Content?.Length ?? -1);
        if (entry.Content is FileInMemory memory)
            key.Add(memory.Bytes.ToArray());
        else if (entry.Content is FileOnDisk file)
            key.Add(tags.Compute(file));
        else if (entry.Content is FileInLayer taken)
            Add(key, taken);
    }
}

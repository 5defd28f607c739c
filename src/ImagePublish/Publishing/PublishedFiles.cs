using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>The files that a request points at, listed once, and known by their contents.</summary>
/// <param name="request">The request.</param>
/// <param name="tags">Tags of files; null where this machine can't compute them.</param>
/// <param name="cancellationToken">Gives up.</param>
internal sealed class PublishedFiles(PublishRequest request, ContentTags? tags, CancellationToken cancellationToken)
{
    private readonly Lazy<IReadOnlyList<LayerEntry>> entries = new(() => PublishFolder.Read(request.PublishFolder, request.EntryDefaults, request.Items, cancellationToken));

    /// <summary>What lies in the publish folder, under the request's own defaults.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public IReadOnlyList<LayerEntry> Entries => entries.Value;

    /// <summary>One digest of all files: their places, modes and contents.</summary>
    /// <returns>The digest, or null where this machine can't compute tags.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> FingerprintAsync()
    {
        if (tags is null)
            return null;
        var added = Added().ToList();
        await tags.ComputeAsync([.. Entries.Select(entry => entry.Content).OfType<FileOnDisk>(), .. added], cancellationToken);
        using var digest = new DigestBuilder();
        foreach (var entry in Entries)
            LayerContentKey.Add(digest, entry, tags);
        foreach (var file in added)
        {
            digest.Add(OperatingSystem.IsWindows() ? 0 : (long)File.GetUnixFileMode(file.Path));
            digest.Add(tags.Of(file));
        }

        return digest.ToDigest();
    }

    /// <summary>The key of a layer's content.</summary>
    /// <param name="content">The content.</param>
    /// <returns>The key, or null where there is none.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> KeyOfAsync(LayerContent content) => tags is null ? null : await LayerContentKey.ComputeAsync(content, tags, cancellationToken);

    /// <summary>Whether files that were read were left alone since, so that what was made of them may be remembered under their contents.</summary>
    /// <returns>False where something writes to them at the same time, as far as their times tell.</returns>
    public bool AreAtRest() => tags?.AreAtRest() == true;

    /// <summary>The same for the files of one layer, whose key was computed.</summary>
    /// <param name="content">The layer.</param>
    /// <returns>False where something writes to them at the same time, as far as their times tell.</returns>
    public bool AreAtRest(LayerContent content) => tags?.AreAtRest(content) == true;

    private IEnumerable<FileOnDisk> Added() => request.Added
        .Select(added => added.SourceFile).OfType<string>()
        .Select(path => new FileOnDisk(path, DiskFiles.Guarded(path, () => new FileInfo(path).Length)));
}

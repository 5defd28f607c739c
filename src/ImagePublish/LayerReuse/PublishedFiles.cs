using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>The files that a request points at, listed once, and known by their contents.</summary>
internal sealed class PublishedFiles(PublishRequest request, FileFingerprints? tags, CancellationToken cancellationToken)
{
    private readonly Lazy<IReadOnlyList<LayerEntry>> entries = new(() =>
        PublishFolder.Read(request.PublishFolder, request.EntryDefaults, request.Items, cancellationToken)
    );

    /// <summary>What lies in the publish folder, under the request's own defaults.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public IReadOnlyList<LayerEntry> Entries => entries.Value;

    /// <summary>One digest of all files: their places, modes and contents.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> FingerprintAsync()
    {
        if (tags is null)
            return null;
        var added = Added().ToList();
        await tags.ComputeAsync([.. Entries.Select(entry => entry.Content).OfType<FileOnDisk>(), .. added], cancellationToken);
        using var digest = new DigestBuilder();
        foreach (var entry in Entries)
            LayerInputKey.Add(digest, entry, tags);
        foreach (var file in added)
        {
            digest.Add(OperatingSystem.IsWindows() ? 0 : (long)File.GetUnixFileMode(file.Path));
            digest.Add(tags.Compute(file));
        }

        return digest.ToDigest();
    }

    /// <summary>The key of a layer's content.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> KeyOfAsync(LayerInput content) =>
        tags is null ? null : await LayerInputKey.ComputeAsync(content, tags, cancellationToken);

    /// <summary>Whether files that were read were left alone since, so that what was made of them may be remembered under their contents.</summary>
    /// <returns>False where something writes to them at the same time, as far as their times tell.</returns>
    public bool AreAtRest() => tags?.AreAtRest() == true;

    /// <summary>The same for the files of one layer, whose key was computed.</summary>
    /// <returns>False where something writes to them at the same time, as far as their times tell.</returns>
    public bool AreAtRest(LayerInput content) => tags?.AreAtRest(content) == true;

    private IEnumerable<FileOnDisk> Added() =>
        request
            .Added.Select(added => added.SourceFile)
            .OfType<string>()
            .Select(path => new FileOnDisk(path, DiskFiles.Guarded(path, () => new FileInfo(path).Length)));
}

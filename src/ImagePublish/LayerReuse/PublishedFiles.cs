using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>The files of a request, listed once, and identified by their contents.</summary>
/// <param name="tags">The tags of files; null where they can't be computed.</param>
internal sealed class PublishedFiles(PublishRequest request, RememberedTags? tags, CancellationToken cancellationToken)
{
    private readonly Lazy<Task<SelectedFiles>> selected = new(() => SelectAsync(request, tags, cancellationToken));

    private Task<Digest?>? fingerprint;

    /// <summary>What of the publish folder becomes part of the image, with the request's default owner.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public Task<SelectedFiles> ReadAsync() => selected.Value;

    /// <summary>One digest of all files: their paths, modes and contents.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public Task<Digest?> ComputeFingerprintAsync() => fingerprint ??= FingerprintAsync();

    private async Task<Digest?> FingerprintAsync()
    {
        if (tags is null)
            return null;
        var fingerprints = tags.Fingerprints;
        var added = AddedFiles().ToList();
        var files = await ReadAsync();
        LayerEntry[] entries = [.. files.Entries, .. files.SeparateSymbols];
        await fingerprints.ComputeAsync([.. entries.Select(entry => entry.Content).OfType<FileOnDisk>(), .. added], cancellationToken);
        if (added.Count > 0)
            await tags.HandOnAsync(cancellationToken);
        using var digest = new DigestBuilder();
        foreach (var entry in entries)
            LayerInputKey.Add(digest, entry, fingerprints);
        foreach (var file in added)
        {
            digest.Add(OperatingSystem.IsWindows() ? 0 : (long)File.GetUnixFileMode(file.Path));
            digest.Add(fingerprints.Compute(file));
        }

        return digest.ToDigest();
    }

    /// <summary>The key of a layer's content.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> ComputeKeyAsync(LayerInput content) =>
        tags is null ? null : await LayerInputKey.ComputeAsync(content, tags.Fingerprints, cancellationToken);

    /// <summary>
    /// Whether no file was written to since it was read, as far as its stamp shows: only then may a result be remembered by its content.
    /// </summary>
    public bool AreUnmodified() => tags?.Fingerprints.AreAtRest() == true;

    /// <summary>The same for the files of one layer, whose key was computed.</summary>
    public bool AreUnmodified(LayerInput content) => tags?.Fingerprints.AreAtRest(content) == true;

    // Files that are left out are not read.
    private static async Task<SelectedFiles> SelectAsync(PublishRequest request, RememberedTags? tags, CancellationToken cancellationToken)
    {
        var folder = PublishFolder.List(request.PublishFolder, request.EntryDefaults, cancellationToken);
        var listed = SelectedFiles.Select(folder.Entries, request);
        if (tags is not null)
        {
            await tags.Fingerprints.ComputeAsync(
                listed.Entries.Concat(listed.SeparateSymbols).Select(entry => entry.Content).OfType<FileOnDisk>(),
                cancellationToken
            );
            await tags.HandOnAsync(cancellationToken);
        }

        return listed with
        {
            Entries = folder.WithModes(listed.Entries, request.Items, tags?.Fingerprints),
            SeparateSymbols = folder.WithModes(listed.SeparateSymbols, request.Items, tags?.Fingerprints),
        };
    }

    private IEnumerable<FileOnDisk> AddedFiles() =>
        request
            .Added.Select(added => added.SourceFile)
            .OfType<string>()
            .Select(path => new FileOnDisk(path, DiskFiles.Guarded(path, () => new FileInfo(path).Length)));
}

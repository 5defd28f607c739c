using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>The files of a request, listed once, and identified by their contents.</summary>
internal sealed class PublishedFiles(PublishRequest request, FileFingerprints? fingerprints, CancellationToken cancellationToken)
{
    private readonly Lazy<SelectedFiles> selected = new(() =>
        SelectedFiles.Select(PublishFolder.Read(request.PublishFolder, request.EntryDefaults, request.Items, cancellationToken), request)
    );

    /// <summary>The content of the publish folder that becomes part of the image, with the request's default owner.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public IReadOnlyList<LayerEntry> Entries => selected.Value.Entries;

    /// <summary>The debug symbols that are attached to the image instead.</summary>
    public IReadOnlyList<LayerEntry> SeparateSymbols => selected.Value.SeparateSymbols;

    /// <summary>The bytes of the files that are left out because only other systems can load them.</summary>
    public long OtherPlatformsLength => selected.Value.OtherPlatformsLength;

    /// <summary>One digest of all files: their paths, modes and contents.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public async Task<Digest?> ComputeFingerprintAsync()
    {
        if (fingerprints is null)
            return null;
        var added = AddedFiles().ToList();
        LayerEntry[] entries = [.. Entries, .. SeparateSymbols];
        await fingerprints.ComputeAsync([.. entries.Select(entry => entry.Content).OfType<FileOnDisk>(), .. added], cancellationToken);
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
        fingerprints is null ? null : await LayerInputKey.ComputeAsync(content, fingerprints, cancellationToken);

    /// <summary>
    /// Whether no file was written to since it was read, as far as its time shows: only then may a result be remembered by its content.
    /// </summary>
    public bool AreUnmodified() => fingerprints?.AreAtRest() == true;

    /// <summary>The same for the files of one layer, whose key was computed.</summary>
    public bool AreUnmodified(LayerInput content) => fingerprints?.AreAtRest(content) == true;

    private IEnumerable<FileOnDisk> AddedFiles() =>
        request
            .Added.Select(added => added.SourceFile)
            .OfType<string>()
            .Select(path => new FileOnDisk(path, DiskFiles.Guarded(path, () => new FileInfo(path).Length)));
}

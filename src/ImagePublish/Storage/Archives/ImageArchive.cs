using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>The images of an archive or a layout folder that docker, podman, skopeo, buildkit or this tool wrote.</summary>
internal sealed class ImageArchive : IDisposable
{
    private readonly IDisposable? files;

    private ImageArchive(string path, IReadOnlyList<ArchiveImage> images, IDisposable? files)
    {
        Path = path;
        Images = images;
        this.files = files;
    }

    public string Path { get; }

    public IReadOnlyList<ArchiveImage> Images { get; }

    /// <summary>Reads what is in an archive or layout. Layers are not extracted: they are read from where they are, so it must stay
    /// there.</summary>
    /// <param name="path">The full path of a tar, which may be compressed with gzip or zstd, or of an OCI image layout's folder.</param>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: it is no image or is damaged; <c>IMG3107</c>: it can't be read.</exception>
    public static Task<ImageArchive> OpenAsync(string path, CancellationToken cancellationToken) =>
        OpenAsync(path, new ArchiveOptions(), cancellationToken);

    internal static async Task<ImageArchive> OpenAsync(string path, ArchiveOptions options, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path))
            return await OpenAsync(await TarFiles.ReadAsync(path, options, cancellationToken), cancellationToken);
        return new ImageArchive(path, await ReadAsync(new FolderFiles(path), cancellationToken), null);
    }

    /// <summary>Reads what is in an archive whose table of contents was read.</summary>
    internal static async Task<ImageArchive> OpenAsync(TarFiles files, CancellationToken cancellationToken)
    {
        try
        {
            return new ImageArchive(files.Location, await ReadAsync(files, cancellationToken), files);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    internal static bool HasImage(TarFiles files) => files.Find("oci-layout") is not null || files.Find("manifest.json") is not null;

    /// <summary>Deletes what was inflated. The layers of an archive that is compressed can't be read any more.</summary>
    public void Dispose() => files?.Dispose();

    private static async Task<List<ArchiveImage>> ReadAsync(IArchiveFiles files, CancellationToken cancellationToken)
    {
        var path = files.Location;
        try
        {
            return await ReadImagesAsync(files, cancellationToken);
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException or EndOfStreamException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveInvalid,
                $"'{path}' is damaged: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveFailed,
                $"'{path}' can't be read: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    /// <summary>The one image that a name stands for; without a name, the only one.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: there is none, or more than one.</exception>
    public ArchiveImage Find(string? name)
    {
        var found = name is null ? Images : [.. Images.Where(image => image.Names.Any(known => IsSame(known, name)))];
        if (found.Count == 1)
            return found[0];
        var known = Images.SelectMany(image => image.Names.DefaultIfEmpty(image.Root.Descriptor.Digest.Value));
        throw new ImagePublishException(
            DiagnosticCodes.ArchiveInvalid,
            $"'{Path}' has {found.Count} images"
                + (name is null ? "" : $" with the name '{Text.Sanitize(name)}'")
                + $"; one is needed. It has: {Text.Sanitize(string.Join(", ", known))}."
        );
    }

    private static Task<List<ArchiveImage>> ReadImagesAsync(IArchiveFiles files, CancellationToken cancellationToken)
    {
        // An archive of ours, or of a newer Docker, is both; the layout says more.
        if (files.Find("index.json") is { } index && files.Find("oci-layout") is not null)
            return new LayoutReader(files).ReadAsync(index, cancellationToken);
        if (files is TarFiles && files.Find("manifest.json") is { } manifest)
            return new DockerArchiveReader(files).ReadAsync(manifest, cancellationToken);
        throw new ImagePublishException(
            DiagnosticCodes.ArchiveInvalid,
            $"'{files.Location}' is not an image: it has neither oci-layout and index.json nor Docker's manifest.json. Make "
                + "one with docker save, podman save, skopeo copy or ImageArchive."
        );
    }

    private static bool IsSame(string known, string name) =>
        known == name || (Reference.TryParse(known, out var one, out _) && Reference.TryParse(name, out var other, out _) && one == other);
}

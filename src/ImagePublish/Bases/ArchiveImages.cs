using System.Globalization;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Images of archives and layout folders. Layers are read from where they are, but for those of a compressed
/// archive, which are copied into the local store once.</summary>
/// <remarks>
/// A compressed archive is known by its content, as files of the publish folder are: reading it is many times faster
/// than inflating it, and its times may be wrong.
/// </remarks>
internal sealed class ArchiveImages(ImageStore store)
{
    private const string Kind = "archives";

    private readonly ImportedImages imported = new(store, Kind);

    public ArchiveOptions Options { get; init; } = new() { TemporaryFolder = store.Disk.Layout.TemporaryFolder };

    /// <summary>Loads an image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>, <c>IMG3107</c>, <c>IMG3111</c>: the archive can't be
    /// used; <c>IMG3101</c>: the store can't be.</exception>
    public async Task<ArchiveImage> LoadAsync(ArchivedImage archived, Platform? rootFileSystem, CancellationToken cancellationToken)
    {
        if (Directory.Exists(archived.Path))
            return (await ImageArchive.OpenAsync(archived.Path, Options, cancellationToken)).Find(archived.Name);
        if (!await TarFiles.IsCompressedAsync(archived.Path, Options, cancellationToken))
            return await OpenAsync(
                await TarFiles.ReadAsync(archived.Path, Options, cancellationToken),
                archived,
                rootFileSystem,
                cancellationToken
            );
        var content = new ArchiveContent(archived.Path, store);
        var key = Digest.Compute(
            Encoding.UTF8.GetBytes($"{await content.IdentifyAsync(cancellationToken)}\n{rootFileSystem}\n{archived.Name}")
        );
        if (await imported.FindAsync(key, archived.ToString(), cancellationToken) is { } known)
            return known;
        using var held = await WorkLock.AcquireAsync(
            store.Disk,
            $"archive\n{key}",
            $"unpacks the archive '{Text.Sanitize(archived.Path)}' too",
            cancellationToken
        );
        return await imported.FindAsync(key, archived.ToString(), cancellationToken)
            ?? await ImportAsync(archived, rootFileSystem, content, key, cancellationToken);
    }

    private async Task<ArchiveImage> ImportAsync(
        ArchivedImage archived,
        Platform? rootFileSystem,
        ArchiveContent content,
        Digest key,
        CancellationToken cancellationToken
    )
    {
        using var files = await TarFiles.ReadAsync(archived.Path, Options, cancellationToken);
        var image = await OpenAsync(files, archived, rootFileSystem, cancellationToken);
        var copied = await imported.CopyAsync(image, archived.ToString(), cancellationToken);
        if (content.IsAtRest())
            await imported.RememberAsync(key, image, cancellationToken);
        return copied;
    }

    private static async Task<ArchiveImage> OpenAsync(
        TarFiles files,
        ArchivedImage archived,
        Platform? rootFileSystem,
        CancellationToken cancellationToken
    ) =>
        rootFileSystem is not null && archived.Name is null && !files.IsEmpty && !ImageArchive.HasImage(files)
            ? ArchiveImage.Create(await RootFileSystemArchive.OpenAsync(files, rootFileSystem, ImageFormat.Oci, cancellationToken))
            : (await ImageArchive.OpenAsync(files, cancellationToken)).Find(archived.Name);

    /// <summary>The content of an archive's file, as this store identifies it.</summary>
    private sealed class ArchiveContent(string path, ImageStore store)
    {
        private FileFingerprints? tags;
        private DateTime modified;

        public async Task<string> IdentifyAsync(CancellationToken cancellationToken)
        {
            modified = File.GetLastWriteTimeUtc(path);
            var file = new FileOnDisk(path, new FileInfo(path).Length);
            if (!FileFingerprints.AreSupported)
            {
                await using var bytes = file.Open();
                return (await Digest.ComputeAsync(bytes, cancellationToken)).Value;
            }

            tags = new FileFingerprints(new LayerCache(store).DeriveContentTagKey(FileFingerprints.KeySize));
            await tags.ComputeAsync([file], cancellationToken);
            return string.Create(CultureInfo.InvariantCulture, $"{file.Length}\n{Convert.ToHexStringLower(tags.Compute(file))}");
        }

        // What was read after it changed must not be remembered for what it was before.
        public bool IsAtRest() => tags?.AreAtRest() ?? File.GetLastWriteTimeUtc(path) == modified;
    }
}

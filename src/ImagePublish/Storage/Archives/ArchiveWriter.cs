using System.IO.Compression;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>Writes images into one tar that <c>docker load</c>, <c>podman load</c> and skopeo's <c>oci-archive:</c> and
/// <c>docker-archive:</c> all take.</summary>
/// <remarks>
/// Inside is an OCI image layout, and Docker's <c>manifest.json</c> that points at the same blobs. The same images give the same bytes. An
/// index lists all platforms; <c>manifest.json</c>, which knows none, has one of them.
/// </remarks>
internal static class ArchiveWriter
{
    // Docker with containerd's image store takes the name from here, since the specification's annotation is only a tag to it.
    private const string ContainerdName = "io.containerd.image.name";

    /// <summary>Writes an archive file: under a temporary name beside it, then moved.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3107</c>: the disk refuses; <c>IMG4005</c>: a blob's bytes are not what they should
    /// be.</exception>
    public static async Task WriteAsync(IReadOnlyList<ArchiveImage> images, string path, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using (
                var file = new FileStream(
                    temporary,
                    FileMode.CreateNew,
                    FileAccess.Write,
                    FileShare.None,
                    128 * 1024,
                    FileOptions.Asynchronous
                )
            )
            // Layers are compressed already: once more would only take time.
            await using (var output = IsGzip(path) ? new GZipStream(file, CompressionLevel.NoCompression) : (Stream)file)
                await WriteAsync(images, output, cancellationToken);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveFailed,
                $"The archive '{path}' can't be written: {Text.Sanitize(exception.Message)} Free some space, check "
                    + "permissions, or choose another path with ImageArchive.",
                exception
            );
        }
        finally
        {
            StoreDisk.Delete(temporary);
        }
    }

    /// <summary>Writes an archive to a stream, such as a connection to Docker.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: a blob's bytes are not what they should be.</exception>
    public static Task WriteAsync(IReadOnlyList<ArchiveImage> images, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(images, new HashSet<Digest>(), output, cancellationToken);

    /// <summary>Writes an archive without some of its blobs, for a reader that has them.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: a blob's bytes are not what they should be.</exception>
    public static async Task WriteAsync(
        IReadOnlyList<ArchiveImage> images,
        IReadOnlySet<Digest> omitted,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        var blobs = images.SelectMany(image => image.Blobs).DistinctBy(blob => blob.Descriptor.Digest).ToList();
        var tar = new ArchiveTar(output);
        await tar.WriteFileAsync("oci-layout", LayoutMarker.Content.ToArray(), cancellationToken);
        await tar.WriteFileAsync("index.json", OciJson.Write(Index(images)), cancellationToken);
        await tar.WriteFileAsync("manifest.json", DockerManifest(images), cancellationToken);
        await tar.WriteFolderAsync("blobs/", cancellationToken);
        foreach (var algorithm in blobs.Select(blob => blob.Descriptor.Digest.Algorithm).Distinct())
            await tar.WriteFolderAsync($"blobs/{algorithm}/", cancellationToken);
        foreach (var blob in blobs.Where(blob => !omitted.Contains(blob.Descriptor.Digest)))
        {
            var descriptor = blob.Descriptor;
            await using var content = await blob.OpenVerifiedAsync(() => Mismatch(descriptor), cancellationToken);
            await tar.WriteFileAsync(PathOf(descriptor.Digest), descriptor.Size, content, cancellationToken);
        }

        await tar.CompleteAsync(cancellationToken);
        await output.FlushAsync(cancellationToken);
    }

    private static bool IsGzip(string path) => Path.GetExtension(path).ToLowerInvariant() is ".gz" or ".tgz";

    internal static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    private static ImageIndex Index(IReadOnlyList<ArchiveImage> images) =>
        new([.. images.SelectMany(Entries)]) { MediaType = MediaTypes.OciIndex };

    private static IEnumerable<Descriptor> Entries(ArchiveImage image) =>
        image.Names.Count == 0
            ? [ReferenceNames.Strip(image.Root.Descriptor)]
            : image.Names.Select(name => Entry(image.Root.Descriptor, name));

    private static Descriptor Entry(Descriptor root, string name)
    {
        var entry = ReferenceNames.Entry(name, root);
        if (!Reference.TryParse(name, out var reference, out _))
            return entry;
        return entry with
        {
            Annotations = new SortedDictionary<string, string>(entry.Annotations!.ToDictionary(), StringComparer.Ordinal)
            {
                [ContainerdName] = reference.ToString(),
            },
        };
    }

    private static byte[] DockerManifest(IReadOnlyList<ArchiveImage> images)
    {
        var entries =
            from image in images
            let single = image.Single
            where single is not null
            select new DockerArchiveEntry(
                PathOf(single.ConfigBlob.Descriptor.Digest),
                [.. image.Names.SelectMany(TaggedName)],
                [.. single.Layers.Select(layer => PathOf(layer.Descriptor.Digest))]
            );
        return JsonSerializer.SerializeToUtf8Bytes([.. entries], ArchiveJsonContext.Strict.DockerArchiveEntryArray);
    }

    private static IEnumerable<string> TaggedName(string name) =>
        Reference.TryParse(name, out var reference, out _) && reference.Tag is { } tag ? [$"{reference.Repository}:{tag}"] : [];

    private static ImagePublishException Mismatch(Descriptor descriptor) =>
        new(
            DiagnosticCodes.ContentMismatch,
            $"Content for {descriptor.Digest} with {descriptor.Size} bytes is something else; the archive was not written. "
                + "Build or get the image again."
        );
}

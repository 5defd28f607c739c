using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Deployments;

/// <summary>Writes an image's digest into deployment files: into all of them that name it, or into none.</summary>
/// <param name="folder">The folder that results are written to; null to write them in place.</param>
internal sealed class DeploymentUpdater(IReadOnlyList<DeploymentFile> files, string? folder, IPublishLog log)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    /// <summary>Makes sure that the digest can be written, and warns where it will not be.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3120</c>, <c>IMG3124</c>: a file that names the image can't be read or
    /// changed.</exception>
    public void Check(DeployedImage image)
    {
        if (Updates(image, sources: null, log.WarnOrFail).Count == 0)
            log.WarnOrFail(DiagnosticCodes.DeploymentWithoutImage, NoneNames(image));
    }

    /// <summary>What would be written, besides what <see cref="Check"/> warns of.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3120</c>, <c>IMG3124</c>: a file can't be read or changed.</exception>
    public IReadOnlyList<DeploymentUpdate> Find(DeployedImage image) => Updates(image, sources: null, (_, _) => { });

    /// <summary>Writes the digest. Parallel writers of the same files wait for each other.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3110</c>: another process keeps a file locked; <c>IMG3120</c>, <c>IMG3124</c>,
    /// <c>IMG3125</c>: a file can't be read, changed or written.</exception>
    public async Task<IReadOnlyList<DeploymentUpdate>> UpdateAsync(DeployedImage image, CancellationToken cancellationToken)
    {
        var locks = new List<FileLock>();
        try
        {
            foreach (var path in LockedPaths(image).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                locks.Add(await AcquireAsync(path, cancellationToken));
            var sources = folder is null ? null : DeploymentFolder.Open(folder);
            var updates = Updates(image, sources, (_, _) => { });
            var writes = updates.Where(update => update.IsChanged).Select(update => (update.File.Target, update.Content));
            if (sources is not null)
                writes = sources.Writes(files, updates);
            WriteAll([.. writes]);
            return updates;
        }
        finally
        {
            locks.ForEach(held => held.Dispose());
        }
    }

    private List<DeploymentUpdate> Updates(DeployedImage image, DeploymentFolder? sources, Action<DiagnosticCode, string> warn)
    {
        var updates = new List<DeploymentUpdate>();
        foreach (var file in files)
        {
            try
            {
                var content = sources?.Current(file) ?? DeploymentFile.Read(file.Source, file.Shown);
                if (file.Update(content, image) is { } update)
                    updates.Add(update);
            }
            catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.DeploymentTemplate)
            {
                warn(
                    exception.Code,
                    $"{file.Shown} is a template that can't be read as YAML, and is left as it is although it may name the image: "
                        + $"{exception.InnerException!.Message}. Name the image in a file of values instead."
                );
            }
        }

        return updates;
    }

    private string NoneNames(DeployedImage image)
    {
        var names = image.Repositories.Concat(files.Select(file => file.Alias).OfType<Repository>()).Distinct().ToList();
        return names.Count == 0
            ? "The image stays in the local store, from which nothing can deploy it: no digest is written into the files of "
                + "ImageManifest. Set ImageRegistry, or leave ImageManifest out."
            : $"None of the files of ImageManifest ({files.Count}) names {string.Join(" or ", names)}: no digest is written anywhere. "
                + "Name the image there with its registry, or give ImageManifest the name that is used there as its Repository.";
    }

    // In place only those that name the image: the others are somebody else's.
    private IEnumerable<string> LockedPaths(DeployedImage image) =>
        folder is not null
            ? [Path.Combine(folder, ".image-manifests.lock")]
            : files
                .Where(file => file.MayName(image))
                .Select(file => Path.Combine(Path.GetDirectoryName(file.Target)!, $".{Path.GetFileName(file.Target)}.lock"));

    private async Task<FileLock> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        var request = new FileLockRequest(path, "writes the digest of another image", LongestWait)
        {
            Options = FileLockOptions.Temporary | FileLockOptions.Shared,
            Log = log,
        };
        try
        {
            return await FileLock.RequireAsync(request, DiagnosticCodes.Locked, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, [], exception);
        }
    }

    // All are on the disk before the first takes its name.
    private static void WriteAll(IReadOnlyList<(string Path, byte[] Content)> writes)
    {
        var prepared = new List<(string Unfinished, string Path)>();
        var written = new List<string>();
        var current = "";
        try
        {
            foreach (var (path, content) in writes)
                prepared.Add((Prepare(current = path, content), path));
            foreach (var (unfinished, path) in prepared)
            {
                File.Move(unfinished, current = path, overwrite: true);
                written.Add(path);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(current, written, exception);
        }
        finally
        {
            prepared.ForEach(file => File.Delete(file.Unfinished));
        }
    }

    private static string Prepare(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var unfinished = $"{path}.{Guid.NewGuid():n}";
        try
        {
            File.WriteAllBytes(unfinished, content);
            if (!OperatingSystem.IsWindows() && File.Exists(path))
                File.SetUnixFileMode(unfinished, File.GetUnixFileMode(path));
            return unfinished;
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    private static ImagePublishException Unwritable(string path, List<string> written, Exception cause) =>
        new(
            DiagnosticCodes.DeploymentUnwritable,
            $"The digest can't be written to '{path}': {Text.Sanitize(cause.Message)} The image is published"
                + (written.Count == 0 ? ", and no file was changed." : $", and is written into {string.Join(", ", written)} only.")
                + " Make the file writable and publish again: nothing is uploaded twice.",
            cause
        );
}

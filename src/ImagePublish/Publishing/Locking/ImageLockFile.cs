using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing.Locking;

/// <summary>Reads and writes a lock file.</summary>
internal sealed class ImageLockFile(LockRequest request)
{
    private const int MaxLength = 16 << 20;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <summary>Reads what a platform's image lies on.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6010</c>: the file is damaged, or newer than this.</exception>
    public async Task<PlatformLock?> ReadAsync(Platform platform, CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken))?.Platforms.GetValueOrDefault(platform.ToString());

    /// <summary>Writes what a platform's image lies on. What the file says of others stays.</summary>
    public async Task<bool> WriteAsync(Platform platform, PlatformLock entry, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(request.LockFolder, Digest.Compute(System.Text.Encoding.UTF8.GetBytes(request.File)).Hex[..16]);
        var waited = new FileLockRequest(Path.Combine(folder, "lock"), $"changes '{Text.Sanitize(request.File)}'", LongestWait);
        using var held = await FileLock.RequireAsync(waited, DiagnosticCodes.Locked, cancellationToken);
        ImageLock kept;
        try
        {
            kept = await ReadAsync(cancellationToken) ?? new ImageLock();
        }
        catch (ImagePublishException) when (!request.IsLocked)
        {
            kept = new ImageLock();
        }

        foreach (var other in kept.Platforms.Keys.Where(name => request.Platforms.Count > 0 && !request.Platforms.Contains(name)).ToList())
            kept.Platforms.Remove(other);
        kept.Platforms[platform.ToString()] = entry;
        return await WriteAsync(kept, cancellationToken);
    }

    private async Task<bool> WriteAsync(ImageLock content, CancellationToken cancellationToken)
    {
        byte[] bytes = [.. JsonSerializer.SerializeToUtf8Bytes(content, ImageLockJsonContext.Written.ImageLock), (byte)'\n'];
        var partial = $"{request.File}.{Guid.NewGuid():n}.partial";
        try
        {
            if (File.Exists(request.File) && (await File.ReadAllBytesAsync(request.File, cancellationToken)).AsSpan().SequenceEqual(bytes))
                return false;
            Directory.CreateDirectory(Path.GetDirectoryName(request.File)!);
            await File.WriteAllBytesAsync(partial, bytes, cancellationToken);
            File.Move(partial, request.File, overwrite: true);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.DiskFailed,
                $"'{Text.Sanitize(request.File)}' can not be written: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private async Task<ImageLock?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!File.Exists(request.File))
                return null;
            if (new FileInfo(request.File).Length > MaxLength)
                throw Damaged("it is too large");
            var read = JsonReading.Read(
                await File.ReadAllBytesAsync(request.File, cancellationToken),
                ImageLockJsonContext.Written.ImageLock,
                "document"
            );
            return read.Version == ImageLock.CurrentVersion
                ? Checked(read)
                : throw Damaged($"it is of version {read.Version}, which this version of ImagePublish.Tasks does not know");
        }
        catch (JsonException exception)
        {
            throw Damaged(exception.Message, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Damaged(exception.Message, exception);
        }
    }

    // What a merge or a hand left in it must not reach a download.
    private ImageLock Checked(ImageLock read)
    {
        foreach (var entry in read.Platforms.Values)
        {
            if (
                entry?.Base is { } locked
                && (
                    !Digest.TryParse(locked.Digest, out _)
                    || (locked.Reference is { } reference && !Reference.TryParse(reference, out _, out _))
                )
            )
                throw Damaged($"'{Text.Sanitize(locked.Reference ?? locked.Digest)}' is no base image");
            if (
                entry is null
                || (entry.Packages is null) != (entry.Requested is null)
                || entry.Requested?.Contains(null!) == true
                || entry.Packages?.FirstOrDefault(package => package?.ToPackage() is null || package.Location is not null) is not null
            )
                throw Damaged("a package in it is none");
        }

        return read with
        {
            Platforms = new SortedDictionary<string, PlatformLock>(read.Platforms, StringComparer.Ordinal),
        };
    }

    private ImagePublishException Damaged(string why, Exception? cause = null) =>
        new(
            DiagnosticCodes.PackageLockOutdated,
            $"The lock file '{Text.Sanitize(request.File)}' can't be used: {Text.Sanitize(why).TrimEnd('.')}. Renew it: dotnet msbuild -t:UpdateImageLock.",
            cause
        );
}

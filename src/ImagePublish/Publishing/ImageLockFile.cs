using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>
/// A lock file: the exact base image and packages of an image, for each platform. It names no host that the project does not name itself,
/// and no machine.
/// </summary>
internal sealed record ImageLock
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The entry of each platform, by its name, such as <c>linux/amd64</c>.</summary>
    public SortedDictionary<string, PlatformLock> Platforms { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>What one platform's image is based on.</summary>
internal sealed record PlatformLock
{
    /// <summary>The base image; null for <c>scratch</c>.</summary>
    public LockedBase? Base { get; init; }

    /// <summary>The other images of registries that files or layers are taken from, by name; null where there are none.</summary>
    public IReadOnlyList<LockedImage>? Images { get; init; }

    /// <summary>The packages that were asked for, by name or pattern, in order; null where none were.</summary>
    public IReadOnlyList<string>? Requested { get; init; }

    /// <summary>The packages that the image gets, by name; null where none were asked for.</summary>
    public IReadOnlyList<PackageDocument>? Packages { get; init; }
}

/// <summary>A base image, exactly.</summary>
/// <param name="Reference"> The project's name for it; null for one of this machine, since local paths are not written to the lock file.
/// </param>
internal sealed record LockedBase(string? Reference, string Digest);

/// <summary>Another image, exactly.</summary>
internal sealed record LockedImage(string Reference, string Digest);

[JsonSerializable(typeof(ImageLock))]
internal sealed partial class ImageLockJsonContext : JsonSerializerContext
{
    public static ImageLockJsonContext Written { get; } = new(ReadableJson.NewOptions());
}

/// <summary>Reads and writes a lock file.</summary>
internal sealed class ImageLockFile(LockRequest request)
{
    private const int MaxLength = 16 << 20;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <summary>Reads a platform's entry.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6010</c>: the file is damaged, or newer than this.</exception>
    public async Task<PlatformLock?> ReadAsync(Platform platform, CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken))?.Platforms.GetValueOrDefault(platform.ToString());

    /// <summary>Writes a platform's entry. Entries of other platforms of the project stay.</summary>
    public async Task<bool> WriteAsync(Platform platform, PlatformLock entry, CancellationToken cancellationToken)
    {
        var name = Digest.Compute(Encoding.UTF8.GetBytes(request.File)).Hex[..16];
        var folder = Path.Combine(request.LockFolder, name);
        var waited = new FileLockRequest(Path.Combine(folder, "lock"), $"changes '{Text.Sanitize(request.File)}'", LongestWait);
        using var held = await FileLock.RequireAsync(waited, DiagnosticCodes.Locked, cancellationToken);
        ImageLock content;
        try
        {
            content = await ReadAsync(cancellationToken) ?? new ImageLock();
        }
        catch (ImagePublishException) when (!request.IsLocked)
        {
            content = new ImageLock();
        }

        if (request.Platforms.Count > 0)
        {
            foreach (var other in content.Platforms.Keys.Except(request.Platforms).ToList())
                content.Platforms.Remove(other);
        }

        content.Platforms[platform.ToString()] = entry;
        return Write(content);
    }

    private bool Write(ImageLock content)
    {
        byte[] bytes = [.. JsonSerializer.SerializeToUtf8Bytes(content, ImageLockJsonContext.Written.ImageLock), (byte)'\n'];
        return WholeFile.Write(request.File, "lock file", bytes);
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

    // The file may have been merged or edited by hand: nothing malformed in it may reach a download.
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
                throw Damaged($"'{Text.Sanitize(locked.Reference ?? locked.Digest)}' is not a base image");
            if (entry?.Images is { } images && !AreImages(images))
                throw Damaged("an image in it is not valid, or is listed twice");
            if (
                entry is null
                || (entry.Packages is null) != (entry.Requested is null)
                || entry.Requested?.Contains(null!) == true
                || entry.Packages?.FirstOrDefault(package => package?.ToPackage() is null || package.Location is not null) is not null
            )
                throw Damaged("a package in it is not valid");
        }

        return read with
        {
            Platforms = new SortedDictionary<string, PlatformLock>(read.Platforms, StringComparer.Ordinal),
        };
    }

    private static bool AreImages(IReadOnlyList<LockedImage> images) =>
        images.All(image => image is not null && Digest.TryParse(image.Digest, out _) && Reference.TryParse(image.Reference, out _, out _))
        && images.DistinctBy(image => image.Reference).Count() == images.Count;

    private ImagePublishException Damaged(string why, Exception? cause = null) =>
        new(
            DiagnosticCodes.PackageLockOutdated,
            $"The lock file '{Text.Sanitize(request.File)}' can't be used: {Text.Sanitize(why).TrimEnd('.')}. "
                + "Renew it: dotnet msbuild -t:UpdateImageLock.",
            cause
        );
}

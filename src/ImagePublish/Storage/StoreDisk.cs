using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Storage;

/// <summary>Every touch of the disk: files are written beside their target and moved into place, and what the disk refuses becomes one
/// clear error.</summary>
internal sealed class StoreDisk(StoreLayout layout, StoreOptions options)
{
    private const int MoveAttempts = 5;

    public StoreLayout Layout { get; } = layout;

    public StoreOptions Options { get; } = options;

    public StoreGrowth Growth { get; } = new(layout.GrowthFile, options.IsShared);

    public FileLockOptions LockOptions => Options.IsShared ? FileLockOptions.Shared : FileLockOptions.None;

    public DateTimeOffset Now => Options.Time.GetUtcNow();

    /// <summary>Whether an exception is the disk's: full, read-only, forbidden, gone.</summary>
    public static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    public ImagePublishException Refused(string path, Exception cause) =>
        new(
            DiagnosticCodes.StoreFailed,
            $"The local store in '{Layout.Folder}' can't be used: {Text.Sanitize(cause.Message)} ('{path}'). Free some "
                + "space, check the folder's permissions, or choose another folder with ImageStore.",
            cause
        );

    public T Run<T>(string path, Func<string, T> action)
    {
        try
        {
            return action(path);
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            throw Refused(path, exception);
        }
    }

    public void Run(string path, Action<string> action) => Run(path, target =>
        {
            action(target);
            return true;
        });

    /// <summary>Waits until no other process, and no other task of this one, changes the store.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3102</c>: another process has the lock for too long; <c>IMG3101</c>: the disk
    /// refuses.</exception>
    public async Task<FileLock> LockAsync(CancellationToken cancellationToken)
    {
        var path = Layout.LockFile;
        // Versions of this package that did not delete the file wait for the same one: it stays.
        var request = new FileLockRequest(path, $"changes the local store in '{Layout.Folder}'", Options.LockTimeout)
        {
            Options = FileLockOptions.NamesOwner | LockOptions,
            Time = Options.Time,
            Log = Options.Log,
        };
        try
        {
            return await FileLock.RequireAsync(request, DiagnosticCodes.StoreBusy, cancellationToken);
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            throw Refused(path, exception);
        }
    }

    /// <summary>Makes sure that the store is the user's alone, unless it is shared, and creates its folder.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3112</c>: it belongs to another user, or others can write to it; <c>IMG3101</c>: the
    /// disk refuses.</exception>
    public void Claim()
    {
        if (Options.IsShared)
        {
            Run(Layout.Folder, CreateFolder);
            return;
        }

        // A folder that has something else in it was not made for the store: what others may read in it is not ours to say.
        var isOwn = Run(Layout.Folder, folder =>
            !Directory.Exists(folder) || File.Exists(Layout.LayoutFile) || !Directory.EnumerateFileSystemEntries(folder).Any()
        );
        if (Run(Layout.Folder, folder => PrivateFiles.Claim(folder, mayChange: isOwn)) is { } problem)
        {
            throw new ImagePublishException(
                DiagnosticCodes.StoreForeign,
                $"The local store in '{Layout.Folder}' {problem}, who could change what images are made of. Nothing was read "
                    + "from it or written to it. "
                    + "Make the folder yours alone, name another one with ImageStore, or set ImageStoreShared=true if "
                    + "everyone who can write there may decide what your images contain."
            );
        }
    }

    public void CreateFolder(string path)
    {
        if (Options.IsShared)
            Directory.CreateDirectory(path);
        else
            PrivateFiles.CreateFolder(path);
    }

    public (string Path, Stream Stream) CreateTemporary()
    {
        var path = Path.Combine(Layout.TemporaryFolder, Guid.NewGuid().ToString("N"));
        return Run(path, _ =>
        {
            CreateFolder(Layout.TemporaryFolder);
            return (path, Options.CreateFile?.Invoke(path) ?? CreateFile(path));
        });
    }

    /// <summary>Writes a small file in one go: others see the old content or the new, never a part.</summary>
    public async Task WriteAsync(string target, ReadOnlyMemory<byte> content, bool durable, CancellationToken cancellationToken)
    {
        var (path, stream) = CreateTemporary();
        try
        {
            await using (stream)
            {
                await stream.WriteAsync(content, cancellationToken);
                await stream.FlushAsync(cancellationToken);
                if (durable && stream is FileStream file)
                    RandomAccess.FlushToDisk(file.SafeFileHandle);
            }

            await MoveAsync(path, target, cancellationToken);
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            throw Refused(target, exception);
        }
        finally
        {
            Delete(path);
        }
    }

    public async Task MoveAsync(string path, string target, CancellationToken cancellationToken)
    {
        Run(Path.GetDirectoryName(target)!, CreateFolder);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                File.Move(path, target, overwrite: true);
                return;
            }
            catch (Exception exception) when (IsRefusal(exception))
            {
                // On Windows a reader or a virus scanner that has the target open is in the way, but not for long.
                if (!OperatingSystem.IsWindows() || attempt == MoveAttempts)
                    throw Refused(target, exception);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20 * attempt), Options.Time, cancellationToken);
        }
    }

    /// <summary>Notes that a file was used now. On a read-only disk that fails, but there nothing is pruned either.</summary>
    public bool Touch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, Now.UtcDateTime);
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            return true;
        }
    }

    /// <summary>Deletes a file, unless it was used since some time.</summary>
    /// <remarks>
    /// It is moved aside before its time is looked at for good: whoever notes a use either does so before, and the file comes back, or
    /// finds that it is gone.
    /// </remarks>
    public bool DeleteUnused(string path, DateTimeOffset since)
    {
        var aside = Path.Combine(Layout.TemporaryFolder, Guid.NewGuid().ToString("N"));
        try
        {
            if (File.GetLastWriteTimeUtc(path) >= since.UtcDateTime)
                return false;
            CreateFolder(Layout.TemporaryFolder);
            File.Move(path, aside);
            if (File.GetLastWriteTimeUtc(aside) < since.UtcDateTime)
                return Delete(aside);
            File.Move(aside, path, overwrite: true);
            return false;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            return false;
        }
    }

    /// <summary>Deletes a file that may be gone or in use; what stays is swept by a later prune.</summary>
    public static bool Delete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            return false;
        }
    }

    private FileStream CreateFile(string path)
    {
        var how = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 128 * 1024,
            Options = FileOptions.Asynchronous,
        };
        return Options.IsShared ? new FileStream(path, how) : PrivateFiles.Open(path, how);
    }
}

using System.Globalization;
using System.Text;
using ImagePublish.Diagnostics;

namespace ImagePublish.Common;

/// <summary>A lock between processes, and between the tasks of one: a file that is open for its owner alone. The operating system releases
/// it when its process ends, however it ends.</summary>
/// <remarks>
/// Every lock of this product is one of these; what differs is in <see cref="FileLockOptions"/> and <see cref="FileLockRequest"/>. On
/// network file systems that do not lock, everyone gets the lock: what it guards must stay correct without it.
/// </remarks>
internal sealed class FileLock : IDisposable
{
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(2);

    // Windows denies access to a file while it is being deleted.
    private static readonly TimeSpan LongestDeletion = TimeSpan.FromSeconds(5);

    private readonly FileStream file;
    private readonly FileLockOptions options;

    private FileLock(FileStream file, FileLockOptions options)
    {
        this.file = file;
        this.options = options;
    }

    /// <summary>The locked file, for those who lock what they read and write.</summary>
    public Stream Content => file;

    public static FileLock? TryAcquire(string path, FileLockOptions options, string? owner = null)
    {
        try
        {
            var isPrivate = (options & (FileLockOptions.Shared | FileLockOptions.InPlace)) == 0;
            var folder = Path.GetDirectoryName(path)!;
            if (isPrivate)
                PrivateFiles.CreateFolder(folder);
            else if (options.HasFlag(FileLockOptions.Shared))
                Directory.CreateDirectory(folder);
            // .NET deletes the file before it unlocks it, and opens a file again that was deleted before it could be locked. Deleted later
            // by its name, it could be another's: whoever waited has the old file locked, and the next one makes a new file.
            var onClose = options.HasFlag(FileLockOptions.Temporary) ? FileOptions.DeleteOnClose : FileOptions.None;
            var how = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                Options = onClose,
            };
            // Who can open the file can lock it.
            var file = isPrivate ? PrivateFiles.Open(path, how) : new FileStream(path, how);
            var held = new FileLock(file, options);
            held.WriteOwner(owner ?? Environment.MachineName);
            return held;
        }
        catch (IOException exception) when (exception.HResult is SharingViolation or LockViolation or WouldBlockOnLinux or WouldBlockOnMac)
        {
            return null;
        }
    }

    /// <summary>Waits for a lock. A wait that takes longer than two seconds is logged, once.</summary>
    /// <returns>The lock, or null if another process or task kept it for longer than the limit.</returns>
    public static async Task<FileLock?> AcquireAsync(FileLockRequest request, CancellationToken cancellationToken)
    {
        var started = request.Time.GetTimestamp();
        var isLogged = false;
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var waited = request.Time.GetElapsedTime(started);
            if (TryAcquire(request, waited) is { } held)
                return held;
            if (waited > request.Limit)
                return null;
            if (!isLogged && waited >= SilentFor)
            {
                isLogged = true;
                request.Log?.Information(
                    $"Waiting for {DescribeOwner(request.Path)}, which {request.Activity}, for at most {Describe(request.Limit)}."
                );
            }

            await Task.Delay(pause, request.Time, cancellationToken);
        }
    }

    /// <summary>Waits for a lock without which nothing can be done.</summary>
    /// <exception cref="ImagePublishException">Another process or task kept it for longer than the limit.</exception>
    public static async Task<FileLock> RequireAsync(FileLockRequest request, DiagnosticCode busy, CancellationToken cancellationToken) =>
        await AcquireAsync(request, cancellationToken)
        ?? throw new ImagePublishException(
            busy,
            $"{Capitalized(DescribeOwner(request.Path))}, which {request.Activity}, has kept '{request.Path}' locked for "
                + $"more than {Describe(request.Limit)}. Wait for it to end, or end it, and try again."
        );

    /// <summary>Waits for a lock where nothing can be awaited.</summary>
    /// <exception cref="IOException">Another process or task kept it for longer than the limit.</exception>
    public static FileLock Acquire(FileLockRequest request) =>
        AcquireAsync(request, CancellationToken.None).GetAwaiter().GetResult()
        ?? throw new IOException($"Another process keeps '{request.Path}' locked.");

    /// <summary>Which process has a lock, and the name that it gave; null where that is not known.</summary>
    public static (int Process, string Name)? ReadOwner(string path)
    {
        try
        {
            return
                File.ReadAllText(OwnerFile(path)).Split('\n') is [var id, var name]
                && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? (process, name)
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Who has a lock, for messages: <c>process 1234</c>, or <c>another process</c> where that is not known.</summary>
    public static string DescribeOwner(string path)
    {
        if (ReadOwner(path) is not var (process, machine))
            return "another process";
        if (machine != Environment.MachineName)
            return $"process {process} on {Text.Sanitize(machine)}";
        return process == Environment.ProcessId ? "another task of this build" : $"process {process}";
    }

    public static string Describe(TimeSpan limit) =>
        limit >= TimeSpan.FromMinutes(2) ? $"{(long)limit.TotalMinutes} minutes" : $"{(long)limit.TotalSeconds} seconds";

    public void Dispose()
    {
        if (options.HasFlag(FileLockOptions.NamesOwner) && !file.SafeFileHandle.IsClosed)
            TryOwnerFile(File.Delete);
        file.Dispose();
    }

    private static string Capitalized(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static FileLock? TryAcquire(FileLockRequest request, TimeSpan waited)
    {
        try
        {
            return TryAcquire(request.Path, request.Options);
        }
        catch (UnauthorizedAccessException)
            when (OperatingSystem.IsWindows() && request.Options.HasFlag(FileLockOptions.Temporary) && waited < LongestDeletion)
        {
            return null;
        }
    }

    // In a file of its own: the locked one can't be read by anybody else.
    private static string OwnerFile(string path) => path + ".owner";

    private void WriteOwner(string name)
    {
        if (!options.HasFlag(FileLockOptions.NamesOwner))
            return;
        var owner = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{name}"));
        if (options.HasFlag(FileLockOptions.Shared))
            TryOwnerFile(path => File.WriteAllBytes(path, owner));
        else
            TryOwnerFile(path => PrivateFiles.Write(path, owner));
    }

    private void TryOwnerFile(Action<string> action)
    {
        try
        {
            action(OwnerFile(file.Name));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is only for messages.
        }
    }
}

/// <summary>What becomes of a lock's file.</summary>
[Flags]
internal enum FileLockOptions
{
    None = 0,

    /// <summary>It is deleted when the lock is released. Everyone who uses the lock must use it so.</summary>
    Temporary = 1,

    /// <summary>Its owner is named in a file beside it, for those who wait.</summary>
    NamesOwner = 2,

    /// <summary>Other users lock it too: file and folder get the default permissions. Without this no other user can open it, and so none
    /// can keep it locked.</summary>
    Shared = 4,

    /// <summary>The file is not made for the lock: it is locked while its content is read and written. It stays, and its folder must be
    /// there.</summary>
    InPlace = 8,
}

internal sealed record FileLockRequest(string Path, string Activity, TimeSpan Limit)
{
    public FileLockOptions Options { get; init; } = FileLockOptions.NamesOwner;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where a long wait is logged; null for nowhere.</summary>
    public IPublishLog? Log { get; init; }
}

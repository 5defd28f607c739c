using ImagePublish.Diagnostics;

namespace ImagePublish.Storage;

/// <summary>How a store behaves.</summary>
public sealed record StoreOptions
{
    /// <summary>The clock, which last-used times come from.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where waiting for other processes is logged; null for nowhere.</summary>
    public IEngineLog? Log { get; init; }

    /// <summary>How long to wait for another process that changes the store.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a blob is kept after its last use although no image names it, besides what sessions protect.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Opens a new temporary file; tests fill the disk here.</summary>
    internal Func<string, Stream> CreateFile { get; init; } = path =>
        new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 128 * 1024, FileOptions.Asynchronous);
}

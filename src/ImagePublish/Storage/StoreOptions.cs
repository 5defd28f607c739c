using ImagePublish.Diagnostics;

namespace ImagePublish.Storage;

internal sealed record StoreOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where waiting for other processes is logged; null for nowhere.</summary>
    public IPublishLog? Log { get; init; }

    /// <summary>How long to wait for another process that changes the store.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a blob is kept after its last use although no image names it, besides what sessions protect.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether other users use the store too. Then its folders and files get the rights that the user gives to all; else they are
    /// the user's alone, and a store that others own or can write to is not used.</summary>
    public bool IsShared { get; init; }

    /// <summary>The key that this user's records are known by. Records that were written under another are not seen.</summary>
    public Func<StoreKey> Key { get; init; } = () => StoreKey.OfProcess;

    /// <summary>Opens a new temporary file; tests fill the disk here. Null for the usual one.</summary>
    internal Func<string, Stream>? CreateFile { get; init; }
}

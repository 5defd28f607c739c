using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What a prune may remove. With nothing set, only temporary files that a killed process left more than a day ago.</summary>
internal sealed record PruneOptions
{
    public bool Unreferenced { get; init; }

    /// <summary>Remove images, blobs that no image names, and cache records that were not used for this long.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Remove blobs that no image names, and that were not used for this long.</summary>
    public TimeSpan? MaxUnreferencedAge { get; init; }

    /// <summary>Remove these names from the list, and the blobs that only they need.</summary>
    public IReadOnlySet<string> Names { get; init; } = new HashSet<string>();

    /// <summary>The bytes that all blobs may have together. Above it the least recently used go: first blobs that no image names, then
    /// images.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Above <see cref="MaxSize"/>, how small the store is made, so that it is not above it again at once; <see cref="MaxSize"/>
    /// where it is null.</summary>
    public long? TargetSize { get; init; }

    /// <summary>Never remove an image from the list, only what no image names.</summary>
    public bool KeepImages { get; init; }

    public bool DryRun { get; init; }
}

/// <summary>What a prune removed, or would remove.</summary>
internal sealed record PruneResult
{
    public IReadOnlyList<StoredImage> Images { get; init; } = [];

    public IReadOnlyList<PrunedBlob> Blobs { get; init; } = [];

    public int Records { get; init; }

    /// <summary>The number of temporary files that killed processes left.</summary>
    public int TemporaryFiles { get; init; }

    public long FreedBytes => Blobs.Sum(blob => blob.Size);

    public long RemainingBytes { get; init; }
}

internal sealed record PrunedBlob(Digest Digest, long Size);

/// <summary>A prune of the store: <see cref="PrunePlan"/> decides, and this removes.</summary>
internal sealed class StorePrune(ImageStore store)
{
    private static readonly TimeSpan StaleTemporary = TimeSpan.FromDays(1);

    private readonly StoreDisk disk = store.Disk;

    public async Task<PruneResult> RunAsync(PruneOptions options, CancellationToken cancellationToken)
    {
        // Names are given only under the lock, and only to images that are whole: none can be given to what is being swept.
        using var held = await disk.LockAsync(cancellationToken);
        var list = await store.Index.ReadAsync(cancellationToken);
        var plan = await PlanAsync(list, options, cancellationToken);
        var images = new List<StoredImage>();
        foreach (var removed in plan.RemovedEntries.Where(removed => StoredAttachments.SubjectOf(removed.Entry) is null))
            images.Add(await store.DescribeAsync(removed.Entry, cancellationToken));
        var leftovers = new Leftovers(
            FindOld(disk.Layout.RecordsFolder, options.MaxAge),
            FindOld(disk.Layout.TemporaryFolder, StaleTemporary),
            FindOld(disk.Layout.LocksFolder, StaleTemporary)
        );
        var blobs = options.DryRun ? plan.RemovedBlobs : await RemoveAsync(list, plan, leftovers, cancellationToken);
        var remaining = plan.RemainingBytes + plan.RemovedBlobs.Except(blobs).Sum(blob => blob.Size);
        if (!options.DryRun)
            disk.Growth.Reset(disk.Now, remaining);
        return new PruneResult
        {
            Images = images,
            Blobs = [.. blobs.Select(blob => new PrunedBlob(blob.Digest, blob.Size))],
            Records = leftovers.Records.Count,
            TemporaryFiles = leftovers.TemporaryFiles.Count,
            RemainingBytes = remaining,
        };
    }

    /// <returns>The blobs that were removed: a publish may have started to use others meanwhile.</returns>
    private async Task<List<PruneBlob>> RemoveAsync(
        ImageIndex list,
        PrunePlan plan,
        Leftovers leftovers,
        CancellationToken cancellationToken
    )
    {
        if (plan.RemovedEntries.Count > 0)
        {
            var left = list.Manifests.Except(plan.RemovedEntries.Select(removed => removed.Entry));
            await store.Index.WriteAsync(list with { Manifests = [.. left] }, cancellationToken);
        }

        var blobs = plan
            .RemovedBlobs.TakeWhile(_ => !cancellationToken.IsCancellationRequested)
            .Where(blob => disk.DeleteUnused(blob.Path, plan.ProtectedSince))
            .ToList();
        // Names that are gone are reported; the rest of their content is removed by the next prune.
        if (plan.RemovedEntries.Count == 0)
            cancellationToken.ThrowIfCancellationRequested();
        foreach (var path in leftovers.Records.Concat(leftovers.TemporaryFiles))
            StoreDisk.Delete(path);
        leftovers.Locks.ForEach(DeleteLock);
        return blobs;
    }

    private async Task<PrunePlan> PlanAsync(ImageIndex list, PruneOptions options, CancellationToken cancellationToken)
    {
        var blobs = disk.Run(disk.Layout.BlobsFolder, _ =>
            store
                .BlobFiles()
                .Where(blob => blob.File.LinkTarget is null)
                .Select(blob => new PruneBlob(
                    blob.Digest,
                    blob.File.FullName,
                    blob.File.Length,
                    new DateTimeOffset(blob.File.LastWriteTimeUtc, TimeSpan.Zero)
                ))
                .ToList()
        );
        var used = blobs.ToDictionary(blob => blob.Digest, blob => blob.LastUsed);
        var entries = new List<PruneEntry>();
        foreach (var entry in list.Manifests)
        {
            var content = await new StoreWalker(store).WalkAsync(entry, cancellationToken);
            entries.Add(new PruneEntry(entry, content.Reached.Keys.ToHashSet(), used.GetValueOrDefault(entry.Digest)));
        }

        var graced = disk.Now - disk.Options.GracePeriod;
        var oldest = StoreSession.OldestStart(disk);
        return new PrunePlan(entries, blobs, options, disk.Now, oldest < graced ? oldest : graced).Decide();
    }

    // Left by a killed process: no process has it open.
    private void DeleteLock(string path)
    {
        try
        {
            using var held = FileLock.TryAcquire(path, FileLockOptions.Temporary | disk.LockOptions);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            // The next prune tries again.
        }
    }

    private List<string> FindOld(string folder, TimeSpan? age) =>
        disk.Run(folder, _ =>
            age is null || !Directory.Exists(folder)
                ? []
                : new DirectoryInfo(folder)
                    .EnumerateFiles("*", SearchOption.AllDirectories)
                    .Where(file => disk.Now - file.LastWriteTimeUtc > age)
                    .Select(file => file.FullName)
                    .ToList()
        );

    /// <summary>Files besides blobs that are too old: cache records, and what killed processes left.</summary>
    private sealed record Leftovers(List<string> Records, List<string> TemporaryFiles, List<string> Locks);
}

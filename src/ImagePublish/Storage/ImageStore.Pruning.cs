using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <content>Tidying up.</content>
internal sealed partial class ImageStore
{
    private static readonly TimeSpan StaleTemporary = TimeSpan.FromDays(1);

    /// <summary>Begins a publish: what it finds or writes from now on is not pruned before the session is disposed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses; <c>IMG3102</c>: another process keeps the store locked.</exception>
    public Task<StoreSession> BeginSessionAsync(CancellationToken cancellationToken) => StoreSession.BeginAsync(disk, cancellationToken);

    /// <summary>Keeps the store within a limit, without looking at it more often than needed: once a day, and when so much was written that it may be above the limit.</summary>
    /// <param name="limit">The bytes that all blobs may have together. Images that have a name are never removed for it.</param>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult?> KeepWithinAsync(long limit, CancellationToken cancellationToken) =>
        disk.Growth.IsPruneDue(disk.Now, limit)
            ? await PruneAsync(
                new PruneOptions
                {
                    MaxSize = limit,
                    TargetSize = limit - (limit / StoreGrowth.LeastShare),
                    KeepImages = true,
                },
                cancellationToken
            )
            : null;

    /// <summary>Removes what is not needed. Nothing that a listed image needs, that a running publish uses, or that was used within the grace period.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult> PruneAsync(PruneOptions options, CancellationToken cancellationToken)
    {
        // Names are given only under the lock, and only to images that are whole: none can be given to what is being swept.
        using var held = await disk.LockAsync(cancellationToken);
        var list = await index.ReadAsync(cancellationToken);
        var plan = await PlanAsync(list, options, cancellationToken);
        var images = new List<StoredImage>();
        foreach (var removed in plan.RemovedEntries)
            images.Add(await DescribeAsync(removed.Entry, cancellationToken));
        var records = Old(disk.Layout.RecordsFolder, options.MaxAge);
        var temporary = Old(disk.Layout.TemporaryFolder, StaleTemporary);
        var locks = Old(disk.Layout.LocksFolder, StaleTemporary);
        var blobs = plan.RemovedBlobs;
        if (!options.DryRun)
        {
            if (images.Count > 0)
                await index.WriteAsync(
                    list with
                    {
                        Manifests = [.. list.Manifests.Except(plan.RemovedEntries.Select(removed => removed.Entry))],
                    },
                    cancellationToken
                );
            blobs =
            [
                .. blobs
                    .TakeWhile(_ => !cancellationToken.IsCancellationRequested)
                    .Where(blob => disk.DeleteUnused(blob.Path, plan.ProtectedSince)),
            ];
            // Names that are gone are reported; the rest of their content goes with the next time.
            if (images.Count == 0)
                cancellationToken.ThrowIfCancellationRequested();
            records.Concat(temporary).ToList().ForEach(path => StoreDisk.Delete(path));
            locks.ForEach(DeleteLock);
        }

        var remaining = plan.RemainingBytes + plan.RemovedBlobs.Except(blobs).Sum(blob => blob.Size);
        if (!options.DryRun)
            disk.Growth.Reset(disk.Now, remaining);
        return new PruneResult
        {
            Images = images,
            Blobs = [.. blobs.Select(blob => new PrunedBlob(blob.Digest, blob.Size))],
            Records = records.Count,
            TemporaryFiles = temporary.Count,
            RemainingBytes = remaining,
        };
    }

    /// <summary>Every file among the blobs that is named as a digest, links included.</summary>
    internal IEnumerable<(Digest Digest, FileInfo File)> BlobFiles()
    {
        if (!Directory.Exists(disk.Layout.BlobsFolder))
            yield break;
        foreach (var folder in new DirectoryInfo(disk.Layout.BlobsFolder).EnumerateDirectories())
        {
            foreach (var file in folder.EnumerateFiles())
            {
                if (Digest.TryParse($"{folder.Name}:{file.Name}", out var digest))
                    yield return (digest, file);
            }
        }
    }

    private async Task<PrunePlan> PlanAsync(ImageIndex list, PruneOptions options, CancellationToken cancellationToken)
    {
        var blobs = disk.Run(disk.Layout.BlobsFolder, _ =>
            BlobFiles()
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
            var content = await new StoreWalker(this).WalkAsync(entry, cancellationToken);
            entries.Add(new PruneEntry(entry, content.Reached.Keys.ToHashSet(), used.GetValueOrDefault(entry.Digest)));
        }

        var graced = disk.Now - disk.Options.GracePeriod;
        var oldest = StoreSession.OldestStart(disk);
        return new PrunePlan(entries, blobs, options, disk.Now, oldest < graced ? oldest : graced).Decide();
    }

    // What a killed process left: nobody has it open.
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

    private List<string> Old(string folder, TimeSpan? age) =>
        disk.Run(folder, _ =>
            age is null || !Directory.Exists(folder)
                ? []
                : new DirectoryInfo(folder)
                    .EnumerateFiles("*", SearchOption.AllDirectories)
                    .Where(file => disk.Now - file.LastWriteTimeUtc > age)
                    .Select(file => file.FullName)
                    .ToList()
        );
}

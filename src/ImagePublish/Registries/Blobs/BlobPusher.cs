using System.Collections.Concurrent;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Blobs;

/// <summary>Gets blobs into the repositories of one registry. It alone decides what is pushed once, what is mounted from where, who waits
/// for whom, and how many are uploaded at a time.</summary>
/// <remarks>
/// <list type="number">
/// <item>A push of the same blob to the same repository, under way or done in this build, is not repeated.</item>
/// <item>HEAD: a blob that is there is not pushed. <see cref="BlobLookup"/> says where that is not asked. For a blob that is likely new,
/// the upload's session is opened at the same time, and deleted again if the blob is there.</item>
/// <item>The same blob on its way to another repository, from this build, is waited for: afterwards it can be mounted.</item>
/// <item>Mount source: the repository that the blob is read from, one that this build has seen to have it, one that earlier builds
/// have.</item>
/// <item>Without one, other processes that upload it to this registry are waited for, and mount sources looked for again.</item>
/// <item>It is mounted, or else uploaded, so many at a time.</item>
/// </list>
/// </remarks>
internal sealed class BlobPusher(RegistryConnection connection) : IDisposable
{
    private readonly ConcurrentDictionary<Reference, Lazy<Task<BlobPushResult>>> pushes = new();

    // Blobs that the registry had confirmed and then reported as missing: no HEAD and no mount is believed until one was uploaded that
    // began afterwards. Each report is an object of its own.
    private readonly ConcurrentDictionary<Reference, object> missing = new();

    private readonly ConcurrentDictionary<Digest, Repository> confirmed = new();
    private readonly ConcurrentDictionary<Digest, SemaphoreSlim> locks = new();

    // Whether this machine had seen a repository before the first blob of this build: what this build sees there says nothing of the rest.
    private readonly ConcurrentDictionary<Repository, Lazy<Task<bool>>> seen = new();

    private readonly SemaphoreSlim uploads = new(connection.Options.ParallelBlobs);

    public async Task<BlobPushResult> PushAsync(
        Repository target,
        BlobSource blob,
        IBlobLocations? locations,
        CancellationToken cancellationToken
    )
    {
        var key = target.ReferenceTo(blob.Descriptor.Digest);
        var own = new Lazy<Task<BlobPushResult>>(() => TransferAsync(target, blob, locations, cancellationToken));
        while (true)
        {
            var push = pushes.GetOrAdd(key, own);
            if (push == own)
                break;
            await ((Task)push.Value)
                .WaitAsync(cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            cancellationToken.ThrowIfCancellationRequested();
            if (push.Value.IsCompletedSuccessfully)
                return BlobPushResult.Existing;
            // The other caller's push failed or was cancelled: this one has its own chance.
            pushes.TryRemove(new(key, push));
        }

        try
        {
            // To its very end, also when it is cancelled: it deletes its upload session.
            return await own.Value;
        }
        catch
        {
            pushes.TryRemove(new(key, own));
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>Finds another repository of the target's registry that a blob can be mounted from. Whether the registry does it is known
    /// only by doing it.</summary>
    public async Task<Repository?> FindMountSourceAsync(
        Repository target,
        BlobSource blob,
        IBlobLocations? locations,
        CancellationToken cancellationToken
    )
    {
        if (FindMountSource(target, blob, remembered: []) is { } known)
            return known;
        if (locations is null)
            return null;
        return FindMountSource(target, blob, await locations.FindAsync(blob.Descriptor.Digest, cancellationToken));
    }

    private Repository? FindMountSource(Repository target, BlobSource blob, IReadOnlyList<Repository> remembered)
    {
        Repository?[] candidates = [blob.Repository, confirmed.GetValueOrDefault(blob.Descriptor.Digest), .. remembered];
        return Array.Find(candidates, repository => repository?.Registry == target.Registry && repository != target);
    }

    /// <summary>Notes that the registry misses a blob that it had confirmed: the next push uploads it, whatever the registry
    /// says.</summary>
    public void MarkMissing(Repository target, Digest digest)
    {
        missing[target.ReferenceTo(digest)] = new object();
        pushes.TryRemove(target.ReferenceTo(digest), out _);
        // Perhaps it confirmed a POST that it took nothing from.
        connection.TakesBlobsByPost = false;
        if (confirmed.TryGetValue(digest, out var known) && known == target)
            confirmed.TryRemove(new(digest, known));
    }

    public void Dispose() => uploads.Dispose();

    private async Task<BlobPushResult> TransferAsync(
        Repository target,
        BlobSource blob,
        IBlobLocations? locations,
        CancellationToken cancellationToken
    )
    {
        var digest = blob.Descriptor.Digest;
        var isMissing = missing.TryGetValue(target.ReferenceTo(digest), out var report);
        var lookup = isMissing || blob is not MemoryBlobSource small ? BlobLookup.Always : small.Lookup;
        if (lookup == BlobLookup.Never)
            return await UploadAsync(target, blob, cancellationToken);
        if (lookup == BlobLookup.Remembered && await IsRememberedAsync(target, digest, locations, cancellationToken))
            return BlobPushResult.Existing;
        await using var upload = new BlobUpload(connection, target, blob);
        var isLikelyNew = !isMissing && await IsLikelyNewAsync(target, blob, locations, cancellationToken);
        var looking = isMissing
            ? Task.FromResult(BlobPresence.Unknown)
            : BlobExistence.LookAsync(connection, target, blob.Descriptor, cancellationToken);
        if (isLikelyNew)
            await upload.OpenAsync(cancellationToken);
        var presence = await looking;
        if (presence == BlobPresence.Present)
            return await RememberAsync(target, digest, locations, BlobPushResult.Existing, cancellationToken);
        var result = await MountOrUploadAsync(target, upload, locations, isMissing, cancellationToken);
        if (report is not null)
            missing.TryRemove(new(target.ReferenceTo(digest), report));
        return result with { WasAbsent = presence == BlobPresence.Absent && result.Kind != BlobPushKind.Existing };
    }

    // If this machine knows the repository, and has seen the blob nowhere.
    private async Task<bool> IsLikelyNewAsync(
        Repository target,
        BlobSource blob,
        IBlobLocations? locations,
        CancellationToken cancellationToken
    ) =>
        locations is not null
        && await seen.GetOrAdd(target, _ => new(() => locations.HaveSeenAsync(target, CancellationToken.None))).Value
        && blob.Repository is null
        && !confirmed.ContainsKey(blob.Descriptor.Digest)
        && (await locations.FindAsync(blob.Descriptor.Digest, cancellationToken)).Count == 0;

    private async Task<BlobPushResult> MountOrUploadAsync(
        Repository target,
        BlobUpload upload,
        IBlobLocations? locations,
        bool isMissing,
        CancellationToken cancellationToken
    )
    {
        var blob = upload.Source;
        var digest = blob.Descriptor.Digest;
        // What the push to another repository has confirmed by then can be mounted.
        var digestLock = locks.GetOrAdd(digest, _ => new SemaphoreSlim(1, 1));
        await digestLock.WaitAsync(cancellationToken);
        try
        {
            var source = isMissing ? null : await FindMountSourceAsync(target, blob, locations, cancellationToken);
            var others = isMissing || source is not null ? null : locations;
            using var processLock = others is null ? null : await others.LockAsync(digest, target.Registry, cancellationToken);
            if (others is not null)
            {
                var uploaded = await others.FindAsync(digest, cancellationToken);
                if (uploaded.Contains(target) && await BlobExistence.CheckAsync(connection, target, blob.Descriptor, cancellationToken))
                    return await RememberAsync(target, digest, locations, BlobPushResult.Existing, cancellationToken);
                source = FindMountSource(target, blob, uploaded);
            }

            var result = await upload.RunAsync(source, uploads, cancellationToken);
            return await RememberAsync(target, digest, locations, result, cancellationToken);
        }
        finally
        {
            digestLock.Release();
        }
    }

    private static async Task<bool> IsRememberedAsync(
        Repository target,
        Digest digest,
        IBlobLocations? locations,
        CancellationToken cancellationToken
    ) => locations is not null && (await locations.FindAsync(digest, cancellationToken)).Contains(target);

    private async Task<BlobPushResult> UploadAsync(Repository target, BlobSource blob, CancellationToken cancellationToken)
    {
        await using var upload = new BlobUpload(connection, target, blob);
        return await upload.RunAsync(mountSource: null, uploads, cancellationToken);
    }

    private async Task<BlobPushResult> RememberAsync(
        Repository target,
        Digest digest,
        IBlobLocations? locations,
        BlobPushResult result,
        CancellationToken cancellationToken
    )
    {
        confirmed.TryAdd(digest, target);
        await (locations?.RememberAsync(digest, target, cancellationToken) ?? Task.CompletedTask);
        return result;
    }
}

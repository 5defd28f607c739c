using System.Collections.Concurrent;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Endpoints;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries.Blobs;

/// <summary>Pushes blobs to one registry: each to each repository at most once per build, mounting instead of uploading where another repository of the registry has the blob.</summary>
internal sealed class BlobPusher(RegistryConnection connection)
{
    private readonly ConcurrentDictionary<(Repository Target, Digest Digest), Lazy<Task<BlobPushResult>>> pushes = new();
    private readonly ConcurrentDictionary<(Repository Target, Digest Digest), bool> missing = new();
    private readonly ConcurrentDictionary<Digest, Repository> homes = new();
    private readonly ConcurrentDictionary<Digest, SemaphoreSlim> turns = new();

    /// <summary>Makes sure that a repository has a blob.</summary>
    public async Task<BlobPushResult> PushAsync(Repository target, BlobSource blob, CancellationToken cancellationToken)
    {
        var key = (target, blob.Descriptor.Digest);
        while (true)
        {
            var isMine = false;
            var push = pushes.GetOrAdd(key, _ => new(() =>
                {
                    isMine = true;
                    return PushOnceAsync(target, blob, cancellationToken);
                }));
            var task = push.Value;
            // One's own push is waited for to its very end: also for a cancelled one to tidy up.
            await ((Task)task)
                .WaitAsync(isMine ? CancellationToken.None : cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (task.IsCompletedSuccessfully && !isMine)
                return new BlobPushResult(BlobPushKind.Existing, 0);
            if (task.IsCompletedSuccessfully)
                return await task;
            cancellationToken.ThrowIfCancellationRequested();
            pushes.TryRemove(new(key, push));
            // If it was another's push that failed or was cancelled, this one has its own chance.
            if (isMine)
                return await task;
        }
    }

    /// <summary>The registry misses a blob that it had confirmed: the next push sends it, whatever the registry says.</summary>
    public void MarkMissing(Repository target, Digest digest)
    {
        pushes.TryRemove((target, digest), out _);
        missing[(target, digest)] = true;
        if (homes.TryGetValue(digest, out var home) && home == target)
            homes.TryRemove(new(digest, home));
    }

    private async Task<BlobPushResult> PushOnceAsync(Repository target, BlobSource blob, CancellationToken cancellationToken)
    {
        var digest = blob.Descriptor.Digest;
        var isMissing = missing.TryRemove((target, digest), out _);
        if (!isMissing && await BlobExistence.FindAsync(connection, target, blob.Descriptor, cancellationToken))
            return Record(target, digest, new BlobPushResult(BlobPushKind.Existing, 0));

        // The same blob on its way to another repository is worth waiting for: it can be mounted from there.
        var turn = turns.GetOrAdd(digest, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            return Record(target, digest, await SendAsync(target, blob, mayMount: !isMissing, cancellationToken));
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<BlobPushResult> SendAsync(Repository target, BlobSource blob, bool mayMount, CancellationToken cancellationToken)
    {
        UploadSession? begun = null;
        if (mayMount && HomeOf(blob, target) is { } home)
        {
            (var isMounted, begun) = await MountAsync(target, home, blob.Descriptor.Digest, cancellationToken);
            if (isMounted)
                return new BlobPushResult(BlobPushKind.Mounted, 0) { From = home };
        }

        connection.Log.Sending(blob.Descriptor.Digest.Value, blob.Descriptor.Size);
        try
        {
            return new BlobPushResult(BlobPushKind.Uploaded, await UploadAsync(target, blob, begun, cancellationToken));
        }
        finally
        {
            connection.Log.Settled(blob.Descriptor.Digest.Value);
        }
    }

    private async Task<long> UploadAsync(Repository target, BlobSource blob, UploadSession? begun, CancellationToken cancellationToken)
    {
        await connection.Uploads.WaitAsync(cancellationToken);
        try
        {
            using var upload = new BlobUpload(connection, target, blob, begun);
            return await upload.RunAsync(cancellationToken);
        }
        finally
        {
            connection.Uploads.Release();
        }
    }

    private Repository? HomeOf(BlobSource blob, Repository target)
    {
        var home = blob.Repository is { } own && own.Registry == target.Registry ? own : homes.GetValueOrDefault(blob.Descriptor.Digest);
        return home == target ? null : home;
    }

    // Whatever else than 201 and 202 comes: mounting is an offer, and uploading does without.
    private async Task<(bool IsMounted, UploadSession? Begun)> MountAsync(
        Repository target,
        Repository home,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var endpoint = new MountBlob(target, home, digest);
        try
        {
            using var response = await connection.SendOnceAsync(endpoint, cancellationToken);
            if (response.Status == HttpStatusCode.Created)
                return (true, null);
            if (response.Status == HttpStatusCode.Accepted)
                return (
                    false,
                    UploadSession.From(response, Redirects.Resolve(endpoint, await connection.RootAsync(cancellationToken), response))
                );
        }
        catch (Exception e) when (e is TransportException or ImagePublishException)
        {
            connection.Log.Detail($"{home} gives no blob to {target}: {e.Message}");
        }

        return (false, null);
    }

    private BlobPushResult Record(Repository target, Digest digest, BlobPushResult push)
    {
        homes.TryAdd(digest, target);
        return push;
    }
}

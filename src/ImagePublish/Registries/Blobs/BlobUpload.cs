using System.Globalization;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries.Blobs;

/// <summary>Where an upload is after one of its requests.</summary>
internal enum UploadOutcome
{
    /// <summary>The registry does not have the blob yet: another request is to be sent.</summary>
    Incomplete,

    Complete,
}

/// <summary>Mounts or uploads one blob to one repository, and recovers from everything that can be recovered from.</summary>
/// <remarks>
/// <para><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs">distribution-spec, Pushing
/// blobs</see>. States and transitions:</para>
/// <code>
///              POST ?mount=, or POST ?digest= with the blob: 201        201, or HEAD: 200
///  no session ----------------------------------------------------------------------------------&gt; complete
///   |    ^  |                                                                                        ^
///   |    |  | POST ?mount=: 202, or POST: 202                                                        |
///   |    |  v                                                                                        |
///   |    |  session at offset --+-- PUT with all that is left, and the digest: 201 ------------------+
///   |    |    ^   ^             |                                                                    |
///   |    |    |   +-------------+-- PATCH with a chunk: 202, offset moves on                         |
///   |    |    |                 |                                                                    |
///   |    |    |                 +-- connection lost, 429, 5xx: wait -- HEAD, after the last byte ----+
///   |    |    |                 |                               |
///   |    |    +---- GET session: 204, offset as it says --------+
///   |    |                      |                               |
///   |    +---- DELETE session --+-- 404, or nothing to be known of the session, at most 4 times
///   v
///  failed: any other status; no retries left; the blob's file changed
/// </code>
/// <para>
/// Nearly every upload is POST and one PUT. How the bytes are sent changes on the way (<see cref="Mode"/>): in chunks once a connection was
/// lost in a body, or a proxy found it too large (413); as one PATCH where a PUT with content is answered 404; whole again, for good, where
/// chunks are refused.
/// </para>
/// <para>
/// The registry's word is not taken blindly: an offset that does not move although the chunk was accepted is ignored, one beyond what was
/// sent ends the session. The last word has the digest on the last PUT: the registry has the blob, or it does not. Each Location, relative
/// or absolute, is used byte for byte.
/// </para>
/// <para>Failures are counted from zero whenever the registry has more bytes than before: a bad connection may break as often as it likes,
/// as long as bytes arrive.</para>
/// </remarks>
internal sealed class BlobUpload(RegistryConnection connection, Repository target, BlobSource source) : IAsyncDisposable
{
    private const int MaxRestarts = 4;
    private const int MaxQuestions = 2;
    private const long SmallestChunk = 64 * 1024;
    private const long LargestMinimum = 100 << 20;

    // Servers read so much of a body that they ignore, and close the connection where there is more.
    private const long LargestPost = 128 << 10;

    private readonly Descriptor blob = source.Descriptor;
    private readonly BlobReader reader = new(source);
    private Session? session;
    private Mode mode;
    private bool refusesChunks;
    private bool wasLastRefused;
    private long chunkSize = connection.Options.ChunkSize;
    private long bytesSent;
    private long bytesReported;
    private int attempts = 1;
    private int restarts;

    private enum Mode
    {
        Monolithic,

        Chunked,

        /// <summary>One PATCH with everything that does not say which part it is, and an empty PUT.</summary>
        Streamed,
    }

    public BlobSource Source => source;

    /// <summary>Has the registry take the blob from another of its repositories; uploads it where that is not known or not
    /// possible.</summary>
    /// <param name="slots">Limits the uploads at a time. A mount needs none.</param>
    /// <exception cref="ImagePublishException">It can't be done.</exception>
    public async Task<BlobPushResult> RunAsync(Repository? mountSource, SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        if (mountSource is not null && await TryMountAsync(mountSource, cancellationToken))
            return new BlobPushResult(BlobPushKind.Mounted, 0) { From = mountSource };

        connection.Log.Sending(blob.Digest.Value, blob.Size);
        try
        {
            await slots.WaitAsync(cancellationToken);
            try
            {
                if (await TryPostAsync(cancellationToken))
                    return new BlobPushResult(BlobPushKind.Uploaded, bytesSent);
                while (await StepAsync(cancellationToken) == UploadOutcome.Incomplete) { }

                session = null;
                return new BlobPushResult(BlobPushKind.Uploaded, bytesSent);
            }
            finally
            {
                slots.Release();
            }
        }
        finally
        {
            connection.Log.Settled(blob.Digest.Value);
        }
    }

    /// <summary>Opens the session before it is known whether the blob has to be uploaded. Where that fails, the upload opens it.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var request = new StartUpload(target, blob.Digest);
        try
        {
            using var response = await connection.SendSignedInAsync(request, cancellationToken);
            await TakeSessionAsync(request, response);
        }
        catch (Exception e) when (e is TransportException or ImagePublishException)
        {
            connection.Log.Detail($"No upload of {blob.Digest} to {target} was opened ahead: {e.Message}");
        }
    }

    /// <summary>Deletes the session, as far as possible, where the upload did not end.</summary>
    public async ValueTask DisposeAsync()
    {
        await AbandonAsync();
        reader.Dispose();
    }

    // Where it is refused, the upload goes on in the session that the registry may have opened instead.
    private async Task<bool> TryMountAsync(Repository from, CancellationToken cancellationToken)
    {
        var request = new MountBlob(target, from, blob.Digest);
        try
        {
            using var response = await connection.SendSignedInAsync(request, cancellationToken);
            if (response.Status == HttpStatusCode.Created)
                return true;
            await TakeSessionAsync(request, response);
        }
        catch (Exception e) when (e is TransportException or ImagePublishException)
        {
            // Quirk: mount-refused. The blob can be uploaded all the same.
            connection.Log.Detail($"{blob.Digest} can't be mounted from {from} in {target}: {e.Message}");
        }

        return false;
    }

    // Goes on in the session that the registry has opened, if it has.
    private async Task TakeSessionAsync(RegistryRequest request, TransportResponse response)
    {
        if (response.Status != HttpStatusCode.Accepted)
            return;
        var opened = new Session(response, await connection.ResolveLocationAsync(request, response));
        await AbandonAsync();
        session = opened;
    }

    // A blob that is not mounted and not asked for takes one request where the registry reads it from the POST, and two elsewhere.
    private async Task<bool> TryPostAsync(CancellationToken cancellationToken)
    {
        if (source is not MemoryBlobSource { Lookup: BlobLookup.Never } small || blob.Size > LargestPost || !connection.TakesBlobsByPost)
            return false;
        var request = new PostBlob(target, small);
        try
        {
            using var response = await connection.SendSignedInAsync(request, cancellationToken);
            bytesSent += blob.Size;
            if (response.Status == HttpStatusCode.Created && response.Header("Docker-Content-Digest") == blob.Digest.Value)
            {
                ReportProgress(blob.Size);
                connection.Retry.RecordSuccess();
                return true;
            }

            // Quirk: post-ignores-blob. It is sent in the session that the registry has opened instead.
            connection.TakesBlobsByPost = false;
            await TakeSessionAsync(request, response);
        }
        catch (Exception e) when (e is TransportException or ImagePublishException)
        {
            connection.TakesBlobsByPost = false;
            connection.Log.Detail($"{blob.Digest} can't be sent to {target} with one request: {e.Message}");
        }

        return false;
    }

    // One request with bytes of the blob, and what follows from its response.
    private async Task<UploadOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var current = session ??= await StartAsync(cancellationToken);
        if (current.Offset < blob.Size)
            await reader.PrepareAsync(current.Offset, cancellationToken);
        using var step = NextStep(current);
        RegistryFailure failure;
        try
        {
            using var response = await connection.SendSignedInAsync(step.Request, cancellationToken);
            // Quirk: chunk-accepted. Any success is one; the specification has only 202 for a chunk.
            if (response.IsSuccess)
                return step.IsLast
                    ? await VerifyStoredAsync(step.Request, response, cancellationToken)
                    : await AdvanceAsync(step, current, response);
            failure = await connection.ReadFailureAsync(step.Request, response);
        }
        catch (TransportException e)
        {
            failure = connection.ToFailure(step.Request, reader.Problem is null ? e : throw reader.Problem);
        }
        finally
        {
            bytesSent += step.Part.Sent;
            current.SentUpTo = Math.Max(current.SentUpTo, step.Part.Reached);
        }

        // Not earlier: the rest of the response would be lost with the stream.
        step.Part.Stop();
        return await RecoverAsync(failure, step, cancellationToken);
    }

    private Step NextStep(Session session)
    {
        var left = blob.Size - session.Offset;
        var isLast = left == 0 || (session.Offset == 0 && mode == Mode.Monolithic);
        var minimum = Math.Min(session.MinChunk, LargestMinimum);
        var length = isLast || mode == Mode.Streamed ? left : Math.Min(left, Math.Max(chunkSize, minimum));
        var part = new BlobPart(reader, session.Offset, length) { Advanced = ReportProgress };
        UploadRequest request = isLast
            ? new PutUpload(target, blob.Digest, session.Location, part)
            : new PatchUpload(target, blob.Digest, session.Location, part)
            {
                IsRanged = session.Offset > 0 || mode != Mode.Streamed,
                // Quirk: session-lost-with-connection. What breaks connections after so many bytes or seconds does not hit chunks then.
                IsAlone = restarts > 0,
            };
        return new Step(request, part, isLast);
    }

    // What is sent again is no progress. A body that is no longer wanted may still be on its way beside the next.
    private void ReportProgress(long reached)
    {
        var before = InterlockedMax(ref bytesReported, reached);
        if (reached > before)
            connection.Log.Sent(blob.Digest.Value, reached - before);
    }

    private static long InterlockedMax(ref long most, long value)
    {
        var before = Interlocked.Read(ref most);
        while (value > before)
        {
            var found = Interlocked.CompareExchange(ref most, value, before);
            if (found == before)
                return before;
            before = found;
        }

        return before;
    }

    private Task<Session> StartAsync(CancellationToken cancellationToken)
    {
        var request = new StartUpload(target, blob.Digest);
        return connection.SendWithRetriesAsync(
            request,
            async response =>
                // Quirk: upload-started. The specification has only 202.
                response.Status
                    is HttpStatusCode.Accepted
                        or HttpStatusCode.Created
                        or HttpStatusCode.OK
                        or HttpStatusCode.NoContent
                    ? new Session(response, await connection.ResolveLocationAsync(request, response))
                    : throw (await connection.ReadFailureAsync(request, response)).ToException(),
            cancellationToken
        );
    }

    // A chunk was accepted. Quirk: stuck-range. The registry's offset is believed where it is plausible, and else ours: if that is wrong,
    // it refuses the next chunk.
    private async Task<UploadOutcome> AdvanceAsync(Step step, Session session, TransportResponse response)
    {
        var end = step.Part.Offset + step.Part.Length;
        var offset = UploadRange.Parse(response.Header("Range")) ?? end;
        if (offset > end)
            return await RestartAsync(await connection.ReadFailureAsync(step.Request, response));
        await MoveToAsync(session, offset > step.Part.Offset ? offset : end, step.Request, response);
        return UploadOutcome.Incomplete;
    }

    private async Task MoveToAsync(Session session, long offset, UploadRequest request, TransportResponse response)
    {
        session.Offset = offset;
        if (response.Location is not null)
            session.Location = await connection.ResolveLocationAsync(request, response);
        if (session.Offset <= session.Confirmed)
            return;
        session.Confirmed = session.Offset;
        attempts = 1;
        connection.Retry.RecordSuccess();
    }

    // The registry says that it has the blob: it is believed if it says that it is the right one.
    private async Task<UploadOutcome> VerifyStoredAsync(
        UploadRequest request,
        TransportResponse response,
        CancellationToken cancellationToken
    )
    {
        var failure = new RegistryFailure(request.Description, response.Method, response.Url) { Status = response.Status };
        var isNamed =
            Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest) && digest.Algorithm == blob.Digest.Algorithm;
        if (isNamed && digest != blob.Digest)
            throw failure.ToException(
                DiagnosticCodes.ContentMismatch,
                $"The registry stored {digest} instead. Report it to the registry's operator."
            );
        // Quirk: upload-closed. Another success may come from something in front of the registry.
        var isStored =
            response.Status == HttpStatusCode.Created || await BlobExistence.CheckAsync(connection, target, blob, cancellationToken);
        if (!isStored)
            throw failure.ToException(
                DiagnosticCodes.RegistryProtocol,
                "But the blob is not there. Build again, and report it to the registry's operator if it stays so."
            );
        connection.Retry.RecordSuccess();
        return UploadOutcome.Complete;
    }

    // ---- Recovery: a step failed.

    private async Task<UploadOutcome> RecoverAsync(RegistryFailure failure, Step step, CancellationToken cancellationToken)
    {
        if (failure.IsTransient)
            return await ResumeAsync(failure, step, cancellationToken);
        switch ((int?)failure.Status)
        {
            case 404 or 410:
                // Quirk: no-monolithic-put.
                if (step.IsLast && step.Part is { Length: > 0, Offset: 0 })
                    mode = Mode.Streamed;
                return await RestartAsync(failure);
            case 413:
                return await ShrinkAsync(failure, step.Part, cancellationToken);
            case 416 when !step.IsLast:
                return await RealignAsync(failure, step.Part, cancellationToken);
            case 400 or 416 when step.IsLast:
                return await RepeatAsync(failure, cancellationToken);
            case 400 or 405 or 415 or 501 when mode == Mode.Chunked:
                return await StopChunkingAsync(failure);
            default:
                throw failure.ToException();
        }
    }

    // A transient failure: wait, ask how far the upload is, and continue from there.
    private async Task<UploadOutcome> ResumeAsync(RegistryFailure failure, Step step, CancellationToken cancellationToken)
    {
        ChunkAfterLostConnection(failure, step.Part);
        for (var questions = 1; ; questions++)
        {
            if (!await connection.Retry.WaitAsync(failure, attempts, cancellationToken, blob.Digest.Value))
                throw failure.ToException();
            attempts++;
            // A session that can't even be asked about may be held by the request that was lost.
            if (questions > MaxQuestions)
                return await RestartAsync(failure);
            try
            {
                if (
                    step is { IsLast: true, Part.WasSentWhole: true }
                    && await BlobExistence.CheckOnceAsync(connection, target, blob, cancellationToken) == true
                )
                    return UploadOutcome.Complete;
                if (await LocateAsync(failure, cancellationToken) is not { } next)
                    return UploadOutcome.Incomplete;
                failure = next;
            }
            catch (TransportException e)
            {
                failure = connection.ToFailure(new UploadStatus(target, blob.Digest, session!.Location), e);
            }
        }
    }

    // A connection that was lost while the whole was sent may last for chunks, and for smaller ones if it is lost in those too.
    private void ChunkAfterLostConnection(RegistryFailure failure, BlobPart part)
    {
        if (failure.Transport is null || part.Length == 0)
            return;
        if (mode == Mode.Chunked && part.Offset <= session!.Confirmed)
            chunkSize = Math.Max(Math.Min(chunkSize, 1 << 20), chunkSize / 2);
        else if (!refusesChunks && part.Length > chunkSize)
            mode = Mode.Chunked;
    }

    // Asks how far the upload is. Null: it is known now, or the upload was restarted (Quirk: no-upload-status).
    private async Task<RegistryFailure?> LocateAsync(RegistryFailure reason, CancellationToken cancellationToken)
    {
        var session = this.session!;
        var request = new UploadStatus(target, blob.Digest, session.Location);
        using var response = await connection.SendSignedInAsync(request, cancellationToken);
        if (HttpFailure.IsTransientStatus(response.Status))
            return await connection.ReadFailureAsync(request, response);
        var offset = response.IsSuccess ? UploadRange.Parse(response.Header("Range")) : null;
        var isPartial = offset > 0 && offset < blob.Size;
        if (offset is null || offset > session.SentUpTo || (isPartial && refusesChunks))
            await RestartAsync(reason);
        else
            await MoveToAsync(session, offset.Value, request, response);
        return null;
    }

    // 413: a proxy with a limit that it does not name.
    private async Task<UploadOutcome> ShrinkAsync(RegistryFailure failure, BlobPart part, CancellationToken cancellationToken)
    {
        chunkSize = Math.Min(chunkSize, part.Length / 2);
        mode = Mode.Chunked;
        if (chunkSize < SmallestChunk || refusesChunks)
            throw failure.ToException();
        connection.Log.Detail(
            $"{connection.Registry} refuses {part.Length} bytes in one request; continuing with chunks of {chunkSize} bytes."
        );
        if (part.Sent > 0)
            await LocateOrRestartAsync(failure, cancellationToken);
        return UploadOutcome.Incomplete;
    }

    // 416: the registry's offset is another than ours, or the chunk is too large for it. Quirk: chunk-limits.
    private async Task<UploadOutcome> RealignAsync(RegistryFailure failure, BlobPart part, CancellationToken cancellationToken)
    {
        if (mode != Mode.Chunked)
            return await RestartAsync(failure);
        await LocateOrRestartAsync(failure, cancellationToken);
        if (this.session is not { } session)
            return UploadOutcome.Incomplete;
        if (session.Offset < session.Confirmed)
        {
            // Quirk: chunks-lost.
            mode = Mode.Monolithic;
            return await RestartAsync(failure);
        }

        if (session.Offset != part.Offset)
            return UploadOutcome.Incomplete;
        chunkSize = Math.Min(chunkSize, part.Length) / 2;
        return chunkSize < SmallestChunk ? await StopChunkingAsync(failure) : UploadOutcome.Incomplete;
    }

    private async Task LocateOrRestartAsync(RegistryFailure failure, CancellationToken cancellationToken)
    {
        try
        {
            if (await LocateAsync(failure, cancellationToken) is not null)
                await RestartAsync(failure);
        }
        catch (TransportException)
        {
            await RestartAsync(failure);
        }
    }

    // Quirk: last-put-refused.
    private async Task<UploadOutcome> RepeatAsync(RegistryFailure failure, CancellationToken cancellationToken)
    {
        if (await BlobExistence.IsKnownToExistAsync(connection, target, blob, cancellationToken))
            return UploadOutcome.Complete;
        if (wasLastRefused)
            throw failure.ToException();
        wasLastRefused = true;
        mode = Mode.Monolithic;
        return await RestartAsync(failure);
    }

    // Quirk: no-chunks.
    private async Task<UploadOutcome> StopChunkingAsync(RegistryFailure failure)
    {
        refusesChunks = true;
        mode = Mode.Monolithic;
        return await RestartAsync(failure);
    }

    private async Task<UploadOutcome> RestartAsync(RegistryFailure failure)
    {
        restarts++;
        if (restarts > MaxRestarts)
            throw failure.ToException();
        connection.Log.Detail($"The upload of {blob.Digest} to {target} is restarted: {failure.Reason}.");
        // Quirk: unknown-session-kept. It is deleted also where the registry says that it is gone.
        await AbandonAsync();
        return UploadOutcome.Incomplete;
    }

    // So that the registry need not keep an upload that will not be finished. If this fails too, it cleans up by itself some day.
    private async Task AbandonAsync()
    {
        if (session is not { Location: var location })
            return;
        session = null;
        using var timeout = new CancellationTokenSource(connection.Options.TidyTimeout, connection.Time);
        try
        {
            using var response = await connection.SendSignedInAsync(new CancelUpload(target, blob.Digest, location), timeout.Token);
        }
        catch (Exception e) when (e is TransportException or ImagePublishException or OperationCanceledException)
        {
            connection.Log.Detail($"The upload session of {blob.Digest} to {target} could not be deleted.");
        }
    }

    private sealed record Step(UploadRequest Request, BlobPart Part, bool IsLast) : IDisposable
    {
        public void Dispose() => Part.Dispose();
    }

    private sealed class Session(TransportResponse response, RequestUrl location)
    {
        /// <summary>Where the next request goes: each response may name another address.</summary>
        public RequestUrl Location { get; set; } = location;

        public long Offset { get; set; }

        public long Confirmed { get; set; }

        public long SentUpTo { get; set; }

        /// <summary>The smallest chunk that the registry accepts, in bytes; 0 if it does not say.</summary>
        /// <remarks><see
        /// href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks">distribution-spec,
        /// OCI-Chunk-Min-Length</see>.</remarks>
        public long MinChunk { get; } =
            long.TryParse(response.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                ? minimum
                : 0;
    }
}

/// <summary>What a registry says of the bytes that it has of an upload.</summary>
/// <remarks><see
/// href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks">distribution-spec</see>:
/// <c>0-N</c>, where N is the last byte's position. <c>0-0</c> may mean one byte or none; it is read as none, because then the registry
/// refuses what follows, and the mistake is noticed.</remarks>
internal static class UploadRange
{
    /// <summary>The number of bytes that are there; null where the header does not say.</summary>
    public static long? Parse(string? header)
    {
        if (header is not { Length: <= 64 })
            return null;
        var text = header.AsSpan().Trim();
        // Quirk: range-with-unit. "bytes=0-N".
        if (text.StartsWith("bytes", StringComparison.OrdinalIgnoreCase))
            text = text["bytes".Length..].TrimStart(" =");
        var dash = text.IndexOf('-');
        if (dash < 1)
            return null;
        if (!long.TryParse(text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first) || first != 0)
            return null;
        if (!long.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var last))
            return null;
        // Quirk: range-of-nothing.
        return last is 0 or long.MaxValue ? 0 : last + 1;
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Blobs;

/// <content>What to do when a step did not go as it should.</content>
internal sealed partial class BlobUpload
{
    // True: the blob is there after all. False: go on. Otherwise it ends here.
    private async Task<bool> RecoverAsync(RegistryFailure failure, BlobPart part, bool closes, CancellationToken cancellationToken)
    {
        if (failure.IsTransient)
            return await ResumeAsync(failure, part, closes, cancellationToken);
        switch ((int?)failure.Status)
        {
            case 404 or 410:
                // Or the registry does not know the short way.
                way = closes && part.Length > 0 && part.Offset == 0 ? UploadMode.Streamed : way;
                return await RestartAsync(failure);
            case 413:
                return await ShrinkAsync(failure, part, cancellationToken);
            case 416 when !closes:
                return await RealignAsync(failure, part, cancellationToken);
            case 400 or 416 when closes:
                return await RepeatAsync(failure, cancellationToken);
            case 400 or 405 or 415 or 501 when way == UploadMode.Chunked:
                return await WithoutChunksAsync(failure);
            default:
                throw failure.ToException();
        }
    }

    // Something that passes: wait, ask where the upload stands, and go on from there.
    private async Task<bool> ResumeAsync(RegistryFailure failure, BlobPart part, bool closes, CancellationToken cancellationToken)
    {
        Adapt(failure, part);
        for (var questions = 1; await connection.Retry.WaitAsync(failure, tries++, cancellationToken, blob.Digest.Value); questions++)
        {
            // A session that can't even be asked after may be held by the request that broke.
            if (questions > MaxQuestions)
                return await RestartAsync(failure);
            try
            {
                if (closes && part.WasSentWhole && await BlobExistence.LookAsync(connection, target, blob, cancellationToken) == true)
                    return true;
                if (await LocateAsync(failure, cancellationToken) is not { } again)
                    return false;
                failure = again;
            }
            catch (TransportException e)
            {
                failure = connection.ToFailure(new UploadStatus(target, blob.Digest, session!.Location), e);
            }
        }

        throw failure.ToException();
    }

    // A line that broke under the whole may carry it in chunks, and smaller ones if those break it too.
    private void Adapt(RegistryFailure failure, BlobPart part)
    {
        if (failure.Transport is null || part.Length == 0)
            return;
        if (way == UploadMode.Chunked && part.Offset <= session!.Confirmed)
            chunk = Math.Max(Math.Min(chunk, 1 << 20), chunk / 2);
        else if (!refusesChunks && part.Length > chunk)
            way = UploadMode.Chunked;
    }

    // Asks where the upload stands. Null: known, or the session is to be begun anew.
    private async Task<RegistryFailure?> LocateAsync(RegistryFailure reason, CancellationToken cancellationToken)
    {
        var session = this.session!;
        var request = new UploadStatus(target, blob.Digest, session.Location);
        using var response = await connection.SendSignedInAsync(request, cancellationToken);
        if (HttpFailure.IsTransientStatus(response.Status))
            return await connection.ReadFailureAsync(request, response);
        var there = response.IsSuccess ? UploadRange.Parse(response.Header("Range")) : null;
        var isPartial = there > 0 && there < blob.Size;
        if (there is not { } offset || offset > session.SentUpTo || (isPartial && refusesChunks))
        {
            await RestartAsync(reason);
            return null;
        }

        session.Offset = offset;
        if (response.Location is not null)
            session.Location = await LocationAsync(request, response);
        Confirm(session);
        return null;
    }

    // 413: a proxy with a limit that it does not tell.
    private async Task<bool> ShrinkAsync(RegistryFailure failure, BlobPart part, CancellationToken cancellationToken)
    {
        chunk = Math.Min(chunk, part.Length / 2);
        way = UploadMode.Chunked;
        if (chunk < SmallestChunk || refusesChunks)
            throw failure.ToException();
        connection.Log.Detail($"{connection.Registry} takes no {part.Length} bytes in one request; going on with chunks of {chunk}.");
        if (part.Sent > 0)
            await RelocateAsync(failure, cancellationToken);
        return false;
    }

    // 416: the registry stands elsewhere than we thought, or finds the chunk too large.
    private async Task<bool> RealignAsync(RegistryFailure failure, BlobPart part, CancellationToken cancellationToken)
    {
        if (way != UploadMode.Chunked)
            return await RestartAsync(failure);
        await RelocateAsync(failure, cancellationToken);
        if (this.session is not { } session)
            return false;
        if (session.Offset < session.Confirmed)
        {
            // What it had taken it has lost, or never counted: trust is used up.
            way = UploadMode.Monolithic;
            return await RestartAsync(failure);
        }

        if (session.Offset != part.Offset)
            return false;
        chunk = Math.Min(chunk, part.Length) / 2;
        return chunk < SmallestChunk && await WithoutChunksAsync(failure);
    }

    private async Task RelocateAsync(RegistryFailure failure, CancellationToken cancellationToken)
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

    // The last PUT was refused: some registries do that although they have the blob, or once in a while.
    private async Task<bool> RepeatAsync(RegistryFailure failure, CancellationToken cancellationToken)
    {
        if (await IsThereAsync(cancellationToken))
            return true;
        if (wasRefused)
            throw failure.ToException();
        wasRefused = true;
        way = UploadMode.Monolithic;
        return await RestartAsync(failure);
    }

    private async Task<bool> WithoutChunksAsync(RegistryFailure failure)
    {
        refusesChunks = true;
        way = UploadMode.Monolithic;
        return await RestartAsync(failure);
    }

    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await BlobExistence.LookAsync(connection, target, blob, cancellationToken) == true;
        }
        catch (TransportException)
        {
            return false;
        }
    }

    // Always false: the blob is not there yet.
    private async Task<bool> RestartAsync(RegistryFailure failure)
    {
        if (++restarts > MaxRestarts)
            throw failure.ToException();
        connection.Log.Detail($"Beginning anew to {failure.Purpose}: {failure.Reason}.");
        // Also where it is said to be gone: some registries know nothing of sessions that they keep all the same.
        await AbandonAsync();
        return false;
    }

    // So that the registry need not keep what nobody will finish. If this fails too, it tidies up by itself some day.
    private async Task AbandonAsync()
    {
        if (this.session is not { } session)
            return;
        this.session = null;
        using var timeout = new CancellationTokenSource(connection.Options.TidyTimeout, connection.Time);
        try
        {
            using var response = await connection.SendSignedInAsync(new CancelUpload(target, blob.Digest, session.Location), timeout.Token);
        }
        catch (Exception e) when (e is TransportException or ImagePublishException or OperationCanceledException)
        {
            connection.Log.Detail($"The upload of {blob.Digest} to {target} could not be deleted.");
        }
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Registries.Endpoints;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries.Blobs;

/// <content>What to do when a step did not go as it should.</content>
internal sealed partial class BlobUpload
{
    // True: the blob is there after all. False: go on. Otherwise it ends here.
    private async Task<bool> RecoverAsync(Failure failure, BlobPart part, bool closes, CancellationToken cancellationToken)
    {
        if (failure.IsTransient)
            return await ResumeAsync(failure, part, closes, cancellationToken);
        switch ((int?)failure.Status)
        {
            case 404 or 410:
                // Or the registry does not know the short way.
                _way = closes && part.Length > 0 && part.Offset == 0 ? UploadWay.Stream : _way;
                return await RestartAsync(failure);
            case 413:
                return await ShrinkAsync(failure, part, cancellationToken);
            case 416 when !closes:
                return await RealignAsync(failure, part, cancellationToken);
            case 400 or 416 when closes:
                return await RepeatAsync(failure, cancellationToken);
            case 400 or 405 or 415 or 501 when _way == UploadWay.Chunks:
                return await WithoutChunksAsync(failure);
            default:
                throw failure.ToException();
        }
    }

    // Something that passes: wait, ask where the upload stands, and go on from there.
    private async Task<bool> ResumeAsync(Failure failure, BlobPart part, bool closes, CancellationToken cancellationToken)
    {
        Adapt(failure, part);
        for (var questions = 1; await _connection.Retry.WaitAsync(failure, _tries++, cancellationToken, _blob.Digest); questions++)
        {
            // A session that can't even be asked after may be held by the request that broke.
            if (questions > MaxQuestions)
                return await RestartAsync(failure);
            try
            {
                if (closes && part.WasSentWhole && await BlobPresence.LookAsync(_connection, _target, _blob, cancellationToken) == true)
                    return true;
                if (await LocateAsync(failure, cancellationToken) is not { } again)
                    return false;
                failure = again;
            }
            catch (LineException e)
            {
                failure = _connection.Failed(new UploadStatus(_target, _blob.Digest, _session!.Location), e);
            }
        }

        throw failure.ToException();
    }

    // A line that broke under the whole may carry it in chunks, and smaller ones if those break it too.
    private void Adapt(Failure failure, BlobPart part)
    {
        if (failure.Line is null || part.Length == 0)
            return;
        if (_way == UploadWay.Chunks && part.Offset <= _session!.Confirmed)
            _chunk = Math.Max(Math.Min(_chunk, 1 << 20), _chunk / 2);
        else if (!_refusesChunks && part.Length > _chunk)
            _way = UploadWay.Chunks;
    }

    // Asks where the upload stands. Null: known, or the session is to be begun anew.
    private async Task<Failure?> LocateAsync(Failure reason, CancellationToken cancellationToken)
    {
        var session = _session!;
        var endpoint = new UploadStatus(_target, _blob.Digest, session.Location);
        using var response = await _connection.SendOnceAsync(endpoint, cancellationToken);
        if (Failure.IsTransientStatus(response.Status))
            return await Failure.OfAsync(endpoint.Description, response, _connection.Time);
        var there = response.IsSuccess ? UploadRange.Parse(response.Header("Range")) : null;
        var isPartial = there > 0 && there < _blob.Size;
        if (there is not { } offset || offset > session.SentUpTo || (isPartial && _refusesChunks))
        {
            await RestartAsync(reason);
            return null;
        }

        session.Offset = offset;
        if (response.Location is not null)
            session.Location = await LocationAsync(endpoint, response);
        Confirm(session);
        return null;
    }

    // 413: a proxy with a limit that it does not tell.
    private async Task<bool> ShrinkAsync(Failure failure, BlobPart part, CancellationToken cancellationToken)
    {
        _chunk = Math.Min(_chunk, part.Length / 2);
        _way = UploadWay.Chunks;
        if (_chunk < SmallestChunk || _refusesChunks)
            throw failure.ToException();
        _connection.Log.Detail($"{_connection.Registry} takes no {part.Length} bytes in one request; going on with chunks of {_chunk}.");
        if (part.Sent > 0)
            await RelocateAsync(failure, cancellationToken);
        return false;
    }

    // 416: the registry stands elsewhere than we thought, or finds the chunk too large.
    private async Task<bool> RealignAsync(Failure failure, BlobPart part, CancellationToken cancellationToken)
    {
        if (_way != UploadWay.Chunks)
            return await RestartAsync(failure);
        await RelocateAsync(failure, cancellationToken);
        if (_session is not { } session)
            return false;
        if (session.Offset < session.Confirmed)
        {
            // What it had taken it has lost, or never counted: trust is used up.
            _way = UploadWay.Whole;
            return await RestartAsync(failure);
        }

        if (session.Offset != part.Offset)
            return false;
        _chunk = Math.Min(_chunk, part.Length) / 2;
        return _chunk < SmallestChunk && await WithoutChunksAsync(failure);
    }

    private async Task RelocateAsync(Failure failure, CancellationToken cancellationToken)
    {
        try
        {
            if (await LocateAsync(failure, cancellationToken) is not null)
                await RestartAsync(failure);
        }
        catch (LineException)
        {
            await RestartAsync(failure);
        }
    }

    // The last PUT was refused: some registries do that although they have the blob, or once in a while.
    private async Task<bool> RepeatAsync(Failure failure, CancellationToken cancellationToken)
    {
        if (await IsThereAsync(cancellationToken))
            return true;
        if (_wasRefused)
            throw failure.ToException();
        _wasRefused = true;
        _way = UploadWay.Whole;
        return await RestartAsync(failure);
    }

    private async Task<bool> WithoutChunksAsync(Failure failure)
    {
        _refusesChunks = true;
        _way = UploadWay.Whole;
        return await RestartAsync(failure);
    }

    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await BlobPresence.LookAsync(_connection, _target, _blob, cancellationToken) == true;
        }
        catch (LineException)
        {
            return false;
        }
    }

    // Always false: the blob is not there yet.
    private async Task<bool> RestartAsync(Failure failure)
    {
        if (++_restarts > MaxRestarts)
            throw failure.ToException();
        _connection.Log.Detail($"Beginning anew to {failure.Doing}: {failure.Reason}.");
        // Also where it is said to be gone: some registries know nothing of sessions that they keep all the same.
        await AbandonAsync();
        return false;
    }

    // So that the registry need not keep what nobody will finish. If this fails too, it tidies up by itself some day.
    private async Task AbandonAsync()
    {
        if (_session is not { } session)
            return;
        _session = null;
        using var timeout = new CancellationTokenSource(_connection.Options.TidyTimeout, _connection.Time);
        try
        {
            using var response = await _connection.SendOnceAsync(new CancelUpload(_target, _blob.Digest, session.Location), timeout.Token);
        }
        catch (Exception e) when (e is LineException or ImagePublishException or OperationCanceledException)
        {
            _connection.Log.Detail($"The upload of {_blob.Digest} to {_target} could not be deleted.");
        }
    }
}

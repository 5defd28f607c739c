using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Endpoints;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries.Blobs;

/// <summary>Brings one blob into one repository, whatever it takes.</summary>
/// <remarks>
/// <para>Anatomy of an upload (<see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs">distribution-spec, Pushing blobs</see>):</para>
/// <list type="number">
/// <item>HEAD: is it there? Then nothing is to be done.</item>
/// <item>POST with <c>mount</c>, if another repository of the same registry has it: 201 and it is here as well; 202 and the registry would not, but has begun an upload: that very one is used.</item>
/// <item>POST: begins an upload. Its Location, relative or absolute, is used byte for byte, and so is each new one that a later answer names.</item>
/// <item>One PUT to the Location with <c>digest</c> appended and the whole blob in it. Nearly every upload ends here.</item>
/// </list>
/// <para>
/// What this class is about is the rest. If the line breaks, or a proxy finds the body too large (413), the upload goes on in chunks, each a PATCH with its <c>Content-Range</c>, from where the
/// registry says it stands: after every setback it is asked. Its word is not taken blindly: a range that does not advance although the chunk was taken is ignored, a range beyond what was sent
/// ends the session. A session that is gone, or past mending, is begun anew; one given up is deleted. A registry that takes no chunks gets the whole again. When the line breaks after the last
/// byte, a HEAD decides. The judge over all of it is the digest on the last PUT: the registry has the blob, or it has not.
/// </para>
/// <para>
/// Distribution, the most common registry, forgets a session when a chunk broke in the middle: nobody can go on there. After that each chunk gets a connection of its own, so that what breaks
/// connections after so many bytes or seconds does not hit chunks.
/// </para>
/// <para>Setbacks are counted anew whenever bytes have arrived since the last: a bad line may break as often as it likes, as long as it moves.</para>
/// </remarks>
internal sealed partial class BlobUpload : IDisposable
{
    private const int MaxRestarts = 4;
    private const int MaxQuestions = 2;
    private const long SmallestChunk = 64 * 1024;
    private const long LargestMinimum = 100 << 20;

    private readonly RegistryConnection _connection;
    private readonly Repository _target;
    private readonly Descriptor _blob;
    private readonly BlobReader _reader;
    private UploadSession? _session;
    private UploadWay _way;
    private bool _refusesChunks;
    private bool _wasRefused;
    private long _chunk;
    private long _sent;
    private long _told;
    private int _tries = 1;
    private int _restarts;

    public BlobUpload(RegistryConnection connection, Repository target, BlobSource blob, UploadSession? begun)
    {
        (_connection, _target, _blob, _session) = (connection, target, blob.Descriptor, begun);
        _reader = new BlobReader(blob);
        _chunk = connection.Options.ChunkSize;
    }

    /// <summary>Sends the blob.</summary>
    /// <returns>The bytes that were sent, repetitions included.</returns>
    /// <exception cref="ImagePublishException">It can't be done; the session is deleted as far as possible.</exception>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!await StepAsync(cancellationToken))
            {
            }

            return _sent;
        }
        catch
        {
            await AbandonAsync();
            throw;
        }
    }

    public void Dispose() => _reader.Dispose();

    // One request with bytes in it, and what follows from its answer. True: the blob is there.
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        var session = _session ??= await StartAsync(cancellationToken);
        var closes = (session.Offset == 0 && _way == UploadWay.Whole) || session.Offset == _blob.Size;
        var part = new BlobPart(_reader, session.Offset, closes || _way == UploadWay.Stream ? _blob.Size - session.Offset : NextChunk(session)) { Advanced = Tell };
        UploadEndpoint endpoint = closes
            ? new PutUpload(_target, _blob.Digest, session.Location, part)
            : new PatchUpload(_target, _blob.Digest, session.Location, part, IsRanged: session.Offset > 0 || _way != UploadWay.Stream, IsAlone: _restarts > 0);
        try
        {
            using var response = await SendAsync(endpoint, session, part, cancellationToken);
            if (response.IsSuccess)
                return closes ? await ConfirmAsync(endpoint, response, cancellationToken) : await AdvanceAsync(endpoint, response, part);
            return await RecoverAsync(await Failure.OfAsync(endpoint.Description, response, _connection.Time), part, closes, cancellationToken);
        }
        catch (LineException e)
        {
            return await RecoverAsync(_connection.Failed(endpoint, e), part, closes, cancellationToken);
        }
    }

    // What is sent again is no progress.
    private void Tell(long reached)
    {
        if (reached <= _told)
            return;
        _connection.Log.Sent(_blob.Digest.Value, reached - _told);
        _told = reached;
    }

    private async Task<RegistryResponse> SendAsync(UploadEndpoint endpoint, UploadSession session, BlobPart part, CancellationToken cancellationToken)
    {
        try
        {
            return await _connection.SendOnceAsync(endpoint, cancellationToken);
        }
        catch (LineException) when (_reader.Problem is not null)
        {
            throw _reader.Problem;
        }
        finally
        {
            _sent += part.Sent;
            session.SentUpTo = Math.Max(session.SentUpTo, part.Reached);
        }
    }

    private long NextChunk(UploadSession session) =>
        Math.Min(_blob.Size - session.Offset, Math.Max(_chunk, Math.Min(session.MinChunk, LargestMinimum)));

    private Task<UploadSession> StartAsync(CancellationToken cancellationToken)
    {
        var endpoint = new StartUpload(_target, _blob.Digest);
        return _connection.SendAsync(
            endpoint,
            async response => response.Status is HttpStatusCode.Accepted or HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent
                ? UploadSession.From(response, await LocationAsync(endpoint, response))
                : throw (await Failure.OfAsync(endpoint.Description, response, _connection.Time)).ToException(),
            cancellationToken);
    }

    private async Task<RequestUrl> LocationAsync(Endpoint endpoint, RegistryResponse response) =>
        Redirects.Resolve(endpoint, await _connection.RootAsync(CancellationToken.None), response);

    // A chunk was taken. The registry's count is believed where it makes sense, and else ours: if that is wrong, it refuses the next chunk.
    private async Task<bool> AdvanceAsync(UploadEndpoint endpoint, RegistryResponse response, BlobPart part)
    {
        var session = _session!;
        var end = part.Offset + part.Length;
        var there = UploadRange.Parse(response.Header("Range")) ?? end;
        if (there > end)
            return await RestartAsync(await Failure.OfAsync(endpoint.Description, response, _connection.Time));
        session.Offset = there > part.Offset ? there : end;
        if (response.Location is not null)
            session.Location = await LocationAsync(endpoint, response);
        Confirm(session);
        return false;
    }

    private void Confirm(UploadSession session)
    {
        if (session.Offset <= session.Confirmed)
            return;
        session.Confirmed = session.Offset;
        _tries = 1;
        _connection.Retry.Succeeded();
    }

    // The registry says it has the blob: not before it also says that it is the right one.
    private async Task<bool> ConfirmAsync(UploadEndpoint endpoint, RegistryResponse response, CancellationToken cancellationToken)
    {
        var failure = new Failure(endpoint.Description, response.Method, response.Url) { Status = response.Status };
        if (Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest) && digest.Algorithm == _blob.Digest.Algorithm && digest != _blob.Digest)
            throw failure.ToException(DiagnosticCodes.ContentMismatch, $"The registry stored {digest} instead. Report it to the registry's operator.");
        var isConfirmed = response.Status == HttpStatusCode.Created || await BlobPresence.FindAsync(_connection, _target, _blob, cancellationToken);
        if (!isConfirmed)
            throw failure.ToException(DiagnosticCodes.RegistryProtocol, "But the blob is not there. Build again, and report it to the registry's operator if it stays so.");
        _connection.Retry.Succeeded();
        return true;
    }
}

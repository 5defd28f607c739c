using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Blobs;

/// <summary>Uploads one blob to one repository, and recovers from everything that can be recovered from.</summary>
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

    private readonly RegistryConnection connection;
    private readonly Repository target;
    private readonly Descriptor blob;
    private readonly BlobReader reader;
    private UploadSession? session;
    private UploadMode way;
    private bool refusesChunks;
    private bool wasRefused;
    private long chunk;
    private long sent;
    private long told;
    private int tries = 1;
    private int restarts;

    public BlobUpload(RegistryConnection connection, Repository target, BlobSource blob, UploadSession? begun)
    {
        (this.connection, this.target, this.blob, session) = (connection, target, blob.Descriptor, begun);
        reader = new BlobReader(blob);
        chunk = connection.Options.ChunkSize;
    }

    /// <summary>Sends the blob.</summary>
    /// <exception cref="ImagePublishException">It can't be done; the session is deleted as far as possible.</exception>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!await StepAsync(cancellationToken)) { }

            return sent;
        }
        catch
        {
            await AbandonAsync();
            throw;
        }
    }

    public void Dispose() => reader.Dispose();

    // One request with bytes in it, and what follows from its answer. True: the blob is there.
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        var session = this.session ??= await StartAsync(cancellationToken);
        var closes = (session.Offset == 0 && way == UploadMode.Monolithic) || session.Offset == blob.Size;
        if (session.Offset < blob.Size)
            await reader.PrepareAsync(session.Offset, cancellationToken);
        using var part = new BlobPart(
            reader,
            session.Offset,
            closes || way == UploadMode.Streamed ? blob.Size - session.Offset : NextChunk(session)
        )
        {
            Advanced = ReportProgress,
        };
        UploadRequest request = closes
            ? new PutUpload(target, blob.Digest, session.Location, part)
            : new PatchUpload(
                target,
                blob.Digest,
                session.Location,
                part,
                IsRanged: session.Offset > 0 || way != UploadMode.Streamed,
                IsAlone: restarts > 0
            );
        try
        {
            RegistryFailure failure;
            using (var response = await SendAsync(request, session, part, cancellationToken))
            {
                if (response.IsSuccess)
                    return closes ? await ConfirmAsync(request, response, cancellationToken) : await AdvanceAsync(request, response, part);
                failure = await connection.ReadFailureAsync(request, response);
            }

            // Not earlier: the rest of the answer would be lost with the stream.
            part.Stop();
            return await RecoverAsync(failure, part, closes, cancellationToken);
        }
        catch (TransportException e)
        {
            return await RecoverAsync(connection.ToFailure(request, e), part, closes, cancellationToken);
        }
    }

    // What is sent again is no progress. A body that is no longer wanted may still be on its way beside the next.
    private void ReportProgress(long reached)
    {
        var before = InterlockedMax(ref told, reached);
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

    private async Task<TransportResponse> SendAsync(
        UploadRequest request,
        UploadSession session,
        BlobPart part,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await connection.SendSignedInAsync(request, cancellationToken);
        }
        catch (TransportException) when (reader.Problem is not null)
        {
            throw reader.Problem;
        }
        finally
        {
            sent += part.Sent;
            session.SentUpTo = Math.Max(session.SentUpTo, part.Reached);
        }
    }

    private long NextChunk(UploadSession session) =>
        Math.Min(blob.Size - session.Offset, Math.Max(chunk, Math.Min(session.MinChunk, LargestMinimum)));

    private Task<UploadSession> StartAsync(CancellationToken cancellationToken)
    {
        var request = new StartUpload(target, blob.Digest);
        return connection.SendWithRetriesAsync(
            request,
            async response =>
                response.Status is HttpStatusCode.Accepted or HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent
                    ? UploadSession.From(response, await LocationAsync(request, response))
                    : throw (await connection.ReadFailureAsync(request, response)).ToException(),
            cancellationToken
        );
    }

    private async Task<RequestUrl> LocationAsync(RegistryRequest request, TransportResponse response) =>
        Redirects.Resolve(request, await connection.GetRootAsync(CancellationToken.None), response);

    // A chunk was taken. The registry's count is believed where it makes sense, and else ours: if that is wrong, it refuses the next chunk.
    private async Task<bool> AdvanceAsync(UploadRequest request, TransportResponse response, BlobPart part)
    {
        var session = this.session!;
        var end = part.Offset + part.Length;
        var there = UploadRange.Parse(response.Header("Range")) ?? end;
        if (there > end)
            return await RestartAsync(await connection.ReadFailureAsync(request, response));
        session.Offset = there > part.Offset ? there : end;
        if (response.Location is not null)
            session.Location = await LocationAsync(request, response);
        Confirm(session);
        return false;
    }

    private void Confirm(UploadSession session)
    {
        if (session.Offset <= session.Confirmed)
            return;
        session.Confirmed = session.Offset;
        tries = 1;
        connection.Retry.RecordSuccess();
    }

    // The registry says it has the blob: not before it also says that it is the right one.
    private async Task<bool> ConfirmAsync(UploadRequest request, TransportResponse response, CancellationToken cancellationToken)
    {
        var failure = new RegistryFailure(request.Description, response.Method, response.Url) { Status = response.Status };
        if (
            Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest)
            && digest.Algorithm == blob.Digest.Algorithm
            && digest != blob.Digest
        )
            throw failure.ToException(
                DiagnosticCodes.ContentMismatch,
                $"The registry stored {digest} instead. Report it to the registry's operator."
            );
        var isConfirmed =
            response.Status == HttpStatusCode.Created || await BlobExistence.FindAsync(connection, target, blob, cancellationToken);
        if (!isConfirmed)
            throw failure.ToException(
                DiagnosticCodes.RegistryProtocol,
                "But the blob is not there. Build again, and report it to the registry's operator if it stays so."
            );
        connection.Retry.RecordSuccess();
        return true;
    }
}

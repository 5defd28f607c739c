using System.Globalization;
using System.Text.RegularExpressions;

namespace ImagePublish.Testing;

/// <summary>Takes the bytes of uploads: PATCH, PUT and the single POST.</summary>
/// <seealso href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks"/>
internal sealed partial class UploadBody(TestRegistry registry)
{
    private UploadOptions Options => registry.Options.Uploads;

    public async Task PatchAsync(Exchange exchange, UploadSession session)
    {
        if (await RangeProblemAsync(exchange, session, isLast: false))
            return;
        if (Options.ReusedLocationKeepsLastChunkOnly && session.Patches > 0 && exchange.Record.Query == session.LastQuery)
            session.StartOver();
        session.LastQuery = exchange.Record.Query;
        await ReceiveAsync(exchange, session);
        session.Patches++;
        Progress(exchange, session, withUnit: false);
        exchange.Status(202);
    }

    public async Task PutAsync(Exchange exchange, UploadSession session)
    {
        if (exchange.Query("digest") is not { } digest)
            await exchange.ErrorAsync(400, "DIGEST_INVALID", "digest is missing");
        else if (Options.PutNeedsPatch && session.Patches == 0)
            await exchange.ErrorAsync(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        else if (!await RangeProblemAsync(exchange, session, isLast: true))
            await FinishAsync(exchange, session, digest);
    }

    public async Task FinishAsync(Exchange exchange, UploadSession session, string digest)
    {
        if (!Digests.IsValid(digest))
        {
            await exchange.ErrorAsync(400, "DIGEST_INVALID", "provided digest is malformed", digest);
            return;
        }

        await ReceiveAsync(exchange, session);
        var matches = session.Buffer.Matches(digest);
        if (matches)
            registry.Content.Add(exchange.Repository, digest, session.Buffer.Finish());
        registry.Content.Remove(session);
        if (matches)
            Created(exchange, digest);
        else
            await exchange.ErrorAsync(400, "DIGEST_INVALID", "provided digest did not match uploaded content", digest);
    }

    public void Created(Exchange exchange, string digest)
    {
        exchange.Header("Location", $"{(Options.AbsoluteLocations ? Base(exchange) : "")}/v2/{exchange.Repository}/blobs/{digest}");
        exchange.Header("Docker-Content-Digest", digest);
        exchange.Status(201);
    }

    /// <summary>Where the upload stands and where it goes on.</summary>
    public void Progress(Exchange exchange, UploadSession session, bool withUnit)
    {
        var location = $"/v2/{session.Repository}/blobs/uploads/{session.Id}";
        if (Options.CheckState)
            location += "?" + session.NextState();
        exchange.Header(
            "Location",
            (Options.AbsoluteLocations || Options.OnSecondHost || Options.LocationBase is not null ? Base(exchange) : "") + location
        );
        // What nothing and one byte look like is the same: distribution's ambiguity.
        exchange.Header(
            "Range",
            string.Create(CultureInfo.InvariantCulture, $"{(withUnit ? "bytes=" : "")}0-{Math.Max(0, session.Buffer.Length - 1)}")
        );
        exchange.Header("Docker-Upload-UUID", session.Id);
    }

    private string Base(Exchange exchange) =>
        Options.LocationBase ?? (Options.OnSecondHost ? $"{registry.Scheme}://{registry.OtherHost}" : exchange.Authority);

    private async Task ReceiveAsync(Exchange exchange, UploadSession session)
    {
        var buffer = new byte[128 << 10];
        var whole = false;
        try
        {
            for (int read; (read = await exchange.Http.Request.Body.ReadAsync(buffer, exchange.Cancelled)) > 0; )
                session.Buffer.Write(buffer.AsSpan(0, read));
            whole = true;
        }
        finally
        {
            if (!whole && !Options.KeepPartial)
                registry.Content.Remove(session);
        }
    }

    /// <summary>Answers and is true when the chunk doesn't fit.</summary>
    private async Task<bool> RangeProblemAsync(Exchange exchange, UploadSession session, bool isLast)
    {
        var length = exchange.Http.Request.ContentLength;
        if (exchange.Record.Header("Content-Range") is not { } header)
        {
            if (isLast || !Options.ContentRangeAfterFirst || session.Patches == 0)
                return false;
            await exchange.ErrorAsync(416, "RANGE_INVALID", "the Content-Range is missing");
            return true;
        }

        var match = ContentRange().Match(header);
        if (Options.RefuseRanges)
            await exchange.ErrorAsync(400, "UNSUPPORTED", "chunked uploads are not supported");
        else if (!match.Success)
            await exchange.ErrorAsync(400, "BLOB_UPLOAD_INVALID", "the Content-Range is not <start>-<end>", header);
        else if (Number(match, "from") != session.Buffer.Length)
            await OutOfOrderAsync(exchange, session);
        else if (length is { } announced && Number(match, "to") - Number(match, "from") + 1 != announced)
            await exchange.ErrorAsync(400, "SIZE_INVALID", "Content-Range and Content-Length don't agree", header);
        else if (length > Options.ChunkMaxLength)
            await OutOfOrderAsync(exchange, session);
        else if (!isLast && length < Options.ChunkMinLength)
            await exchange.ErrorAsync(400, "BLOB_UPLOAD_INVALID", $"chunks have at least {Options.ChunkMinLength} bytes");
        else
            return false;
        return true;
    }

    private Task OutOfOrderAsync(Exchange exchange, UploadSession session)
    {
        Progress(exchange, session, withUnit: false);
        return exchange.ErrorAsync(416, "RANGE_INVALID", $"the upload stands at {session.Buffer.Length}");
    }

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^(?<from>[0-9]{1,18})-(?<to>[0-9]{1,18})$", RegexOptions.ExplicitCapture)]
    private static partial Regex ContentRange();
}

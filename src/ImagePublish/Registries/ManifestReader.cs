using System.Net;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries;

/// <summary>Reads and looks for manifests, and believes nothing that it has not checked.</summary>
internal static class ManifestReader
{
    private static readonly string[] Vague = ["application/json", "application/octet-stream", "text/plain", "binary/octet-stream"];

    /// <summary>Reads a manifest; null where the registry says there is none.</summary>
    public static Task<RemoteManifest?> GetAsync(
        RegistryConnection connection,
        Reference reference,
        bool mustExist,
        CancellationToken cancellationToken
    )
    {
        var request = new GetManifest(reference);
        return connection.SendWithRetriesAsync<RemoteManifest?>(
            request,
            async response =>
            {
                if (response.Status == HttpStatusCode.OK)
                    return await ReadAsync(reference, response);
                return response.Status == HttpStatusCode.NotFound && !mustExist
                    ? null
                    : throw (await connection.ReadFailureAsync(request, response)).ToException();
            },
            cancellationToken
        );
    }

    /// <summary>Looks for a manifest without reading it; null where the registry says there is none.</summary>
    public static async Task<Descriptor?> FindAsync(RegistryConnection connection, Reference reference, CancellationToken cancellationToken)
    {
        var request = new HeadManifest(reference);
        var answer = await connection.SendWithRetriesAsync(
            request,
            async response =>
                response.Status switch
                {
                    HttpStatusCode.OK => Describe(reference, response),
                    HttpStatusCode.NotFound => new HeadAnswer(true, null),
                    // Quirk: no-head.
                    HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => new HeadAnswer(false, null),
                    _ => throw (await connection.ReadFailureAsync(request, response)).ToException(),
                },
            cancellationToken
        );
        return answer.IsKnown ? answer.Found : (await GetAsync(connection, reference, mustExist: false, cancellationToken))?.Descriptor;
    }

    /// <summary>The description in the headers of an answer; not known where it is not whole.</summary>
    public static HeadAnswer Describe(Reference reference, TransportResponse response)
    {
        var isWhole =
            Digest.TryParse(response.Header("Docker-Content-Digest"), out var digest)
            & response.ContentLength is > 0
            & (MediaTypes.IsIndex(response.ContentType) || MediaTypes.IsManifest(response.ContentType));
        return isWhole && (reference.Digest is null || reference.Digest == digest)
            ? new HeadAnswer(true, new Descriptor(response.ContentType!, digest!, response.ContentLength!.Value))
            : new HeadAnswer(false, null);
    }

    private static async Task<RemoteManifest> ReadAsync(Reference reference, TransportResponse response)
    {
        var (bytes, isCut) = await response.ReadAsync(OciJson.MaxManifestSize);
        if (isCut)
            throw new ImagePublishException(
                DiagnosticCodes.TooLarge,
                $"The manifest {reference} is larger than {OciJson.MaxManifestSize >> 20} MiB, which no registry should have. Choose "
                    + "another image."
            );
        if (response.ContentLength is { } length && length != bytes.Length)
            throw new TransportException(TransportError.Broken, "the answer ended early");
        var digest = Verify(reference, response, bytes);
        var mediaType = Check(reference, bytes, response.ContentType);
        return new RemoteManifest(reference, new MemoryBlobSource(new Descriptor(mediaType, digest, bytes.Length), bytes));
    }

    private static Digest Verify(Reference reference, TransportResponse response, byte[] bytes)
    {
        var claimed = Digest.TryParse(response.Header("Docker-Content-Digest"), out var header) ? header : null;
        var expected = reference.Digest ?? claimed;
        if (expected is null)
            return Digest.Compute(bytes);
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(expected.HashAlgorithm);
        hash.AppendData(bytes);
        if (!expected.Matches(hash.GetHashAndReset()))
            throw new ImagePublishException(
                DiagnosticCodes.ContentMismatch,
                $"The manifest {reference} does not match its digest {expected}. The registry or a proxy changed it; it was not used."
            );
        return expected;
    }

    // One document, one meaning: what the header calls it, what it calls itself and what it holds must agree (CVE-2021-41190).
    private static string Check(Reference reference, byte[] bytes, string? contentType)
    {
        try
        {
            var own = OwnType(bytes, out var schema);
            if (schema == 1 || contentType?.StartsWith(MediaTypes.DockerSchema1, StringComparison.Ordinal) == true)
                throw new ImagePublishException(
                    DiagnosticCodes.FormatObsolete,
                    $"{reference} is in Docker's schema 1 format, which is obsolete. Push the image again with a current "
                        + "tool, or choose another."
                );
            // Quirk: vague-manifest-type.
            var sent = contentType is null || Vague.Contains(contentType) ? null : contentType;
            if (own is not null && sent is not null && own != sent)
                throw Invalid(reference, $"calls itself {Text.Sanitize(own)} but was sent as {Text.Sanitize(sent)}");
            var mediaType = own ?? sent ?? throw Invalid(reference, "does not say what it is");
            if (MediaTypes.IsIndex(mediaType))
                _ = OciJson.ReadIndex(bytes);
            else if (MediaTypes.IsManifest(mediaType))
                _ = OciJson.ReadManifest(bytes);
            else
                throw Invalid(reference, $"is neither an image nor an index but {Text.Sanitize(mediaType)}");
            return mediaType;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ImagePublishException { Code.Id: "IMG1002" })
        {
            throw Invalid(reference, $"is malformed ({Text.Sanitize(e.Message)})");
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException exception)
        {
            throw new JsonException($"it {JsonSyntax.NotJson(exception)}", exception);
        }
    }

    private static string? OwnType(byte[] bytes, out int schema)
    {
        var json = bytes.AsMemory().Span.StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
        using var document = Parse(json);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException("it is not an object");
        schema =
            root.TryGetProperty("schemaVersion", out var version)
            && version.ValueKind == JsonValueKind.Number
            && version.TryGetInt32(out var number)
                ? number
                : 0;
        return root.TryGetProperty("mediaType", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
    }

    private static ImagePublishException Invalid(Reference reference, string how) =>
        new(DiagnosticCodes.RegistryProtocol, $"The manifest {reference} {how}. Choose another image, or push it again.");
}

/// <summary>What the headers of an answer say of a manifest. A class, since the code that carries a class is compiled ahead of
/// time.</summary>
internal sealed record HeadAnswer(bool IsKnown, Descriptor? Found);

/// <summary>A manifest or an index as a registry has it, verified.</summary>
internal sealed record RemoteManifest(Reference Reference, MemoryBlobSource Content)
{
    public Descriptor Descriptor => Content.Descriptor;

    public bool IsIndex => MediaTypes.IsIndex(Descriptor.MediaType);
}

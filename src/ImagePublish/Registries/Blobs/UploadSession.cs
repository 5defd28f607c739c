using System.Globalization;
using ImagePublish.Http;

namespace ImagePublish.Registries.Blobs;

/// <summary>An upload that a registry has begun for us.</summary>
internal sealed class UploadSession(RequestUrl location)
{
    private const string ChunkMinimum = "OCI-Chunk-Min-Length";

    /// <summary>Where it goes on: each answer may name another place.</summary>
    public RequestUrl Location { get; set; } = location;

    /// <summary>The bytes that the registry has, as far as is known.</summary>
    public long Offset { get; set; }

    /// <summary>The most bytes that the registry confirmed so far.</summary>
    public long Confirmed { get; set; }

    /// <summary>The end of the last byte that was sent.</summary>
    public long SentUpTo { get; set; }

    /// <summary>The smallest chunk that the registry takes, in bytes; 0 if it does not say.</summary>
    public long MinChunk { get; private init; }

    /// <summary>The session that an answer begins.</summary>
    /// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks">distribution-spec, OCI-Chunk-Min-Length</see>.</remarks>
    public static UploadSession From(TransportResponse response, RequestUrl location) =>
        new(location)
        {
            MinChunk = long.TryParse(response.Header(ChunkMinimum), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                ? minimum
                : 0,
        };
}

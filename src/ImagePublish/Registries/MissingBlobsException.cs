using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>The registry refuses a manifest because it misses what the manifest refers to, although it had confirmed it: <c>IMG4012</c>.</summary>
/// <remarks>
/// Pushing those blobs and the manifest once more helps. The client remembers which they are, and sends them this time without asking whether they exist.
/// </remarks>
internal sealed class MissingBlobsException(Repository target, IReadOnlyList<Digest> digests, string message)
    : ImagePublishException(DiagnosticCodes.BlobMissing, message)
{
    /// <summary>The repository that misses them.</summary>
    public Repository Target { get; } = target;

    /// <summary>What is missing: what the registry names, or everything the manifest refers to if it names nothing.</summary>
    public IReadOnlyList<Digest> Digests { get; } = digests;
}

using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>
/// Reads where layers may be reused from and which of those images are believed: <c>ImageCacheFrom</c>, <c>ImageCacheTrust</c> and the
/// variable <c>IMAGE_CACHE_KEY</c>.
/// </summary>
internal static class CacheTrustReader
{
    private const string KeyVariable = "IMAGE_CACHE_KEY";

    /// <summary>The images that <c>ImageCacheFrom</c> names; null for <c>none</c>.</summary>
    public static IReadOnlyList<Reference>? ReadSources(string? cacheFrom) =>
        string.Equals(InputParser.Optional(cacheFrom), "none", StringComparison.OrdinalIgnoreCase)
            ? null
            : [.. InputParser.Words(cacheFrom).Select(text => InputParser.Named("ImageCacheFrom", text, Reference.Parse))];

    /// <summary>Which images are believed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5010</c>: the key is too short. <c>IMG1xxx</c>: a repository is malformed.</exception>
    public static CacheTrust Read(string? repositories, bool verifyReused) =>
        new()
        {
            Key = ReadKey(),
            Repositories = [.. InputParser.Words(repositories).Select(ReadRepository)],
            VerifyReused = verifyReused,
        };

    /// <summary>The key that builds share, or null.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5010</c>: it is too short.</exception>
    public static CacheSecret? ReadKey() => ReadKey(TaskEnvironment.Variable(KeyVariable));

    internal static CacheSecret? ReadKey(string? variable)
    {
        if (InputParser.Optional(variable) is not { } secret)
            return null;
        return CacheSecret.TryCreate(secret, out var key)
            ? key
            : throw new ImagePublishException(
                DiagnosticCodes.CacheKeyUnusable,
                $"The environment variable {KeyVariable} has {secret.Length} characters; a cache key needs "
                    + $"at least {CacheSecret.MinLength}. Make one "
                    + $"with 'openssl rand -base64 32', or remove the variable."
            );
    }

    private static Repository ReadRepository(string text)
    {
        var reference = InputParser.Named("ImageCacheTrust", text, Reference.Parse);
        var hasTag = text.LastIndexOf(':') > text.LastIndexOf('/');
        return reference.Digest is null && !hasTag
            ? reference.Repository
            : throw InputParser.Invalid(
                "ImageCacheTrust",
                text,
                "expected a repository without a tag, such as ghcr.io/acme/app, because anyone who may push to it can push any tag"
            );
    }
}

using System.Diagnostics.CodeAnalysis;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>Where an image is: repository and tag, digest or both, such as <c>docker.io/library/nginx:1.27@sha256:…</c>.</summary>
/// <remarks>
/// Short forms mean what they mean to Docker: <c>nginx</c> is <c>docker.io/library/nginx:latest</c>. With both a tag and a digest, the
/// digest decides. Grammar: <see href="https://pkg.go.dev/github.com/distribution/reference">distribution/reference</see>.
/// </remarks>
internal sealed record Reference(Repository Repository, Tag? Tag, Digest? Digest)
{
    private static readonly Tag Latest = Tag.Parse("latest");

    /// <summary>What to ask a registry for: the digest if there is one, else the tag.</summary>
    public string Identifier => Digest?.Value ?? (Tag ?? Latest).Value;

    /// <summary>Reads a reference; one with neither tag nor digest gets the tag <c>latest</c>.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1001</c>: it is malformed.</exception>
    public static Reference Parse(string text) =>
        TryParse(text, out var reference, out var reason)
            ? reference
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidReference,
                $"'{Text.Sanitize(text)}' is not an image reference: {reason}. Expected registry/repository:tag or "
                    + "registry/repository@sha256:…."
            );

    public static bool TryParse(string text, [NotNullWhen(true)] out Reference? reference, [NotNullWhen(false)] out string? reason)
    {
        reference = null;
        var (rest, digestText) = SplitLast(text, '@', 0);
        var (name, tagText) = SplitLast(rest, ':', rest.LastIndexOf('/') + 1);
        Tag? tag = null;
        Digest? digest = null;
        if (digestText is not null && !Digest.TryParse(digestText, out digest))
            reason = "its digest is malformed";
        else if (tagText is not null && !Tag.TryParse(tagText, out tag))
            reason = "its tag is malformed";
        else if (!TrySplitRegistry(name, out var registry, out var path))
            reason = "its registry is malformed";
        else if (!Repository.TryOf(registry, path, out var repository))
            reason = Repository.TryOf(registry, path.ToLowerInvariant(), out _)
                ? "its repository has capital letters, and must be lower case"
                : "its repository is malformed";
        else
        {
            reference = new Reference(repository, tag ?? (digest is null ? Latest : null), digest);
            reason = null;
            return true;
        }

        return false;
    }

    /// <summary>This reference pinned to a digest; the tag stays, for display.</summary>
    public Reference Pinned(Digest digest) => this with { Digest = digest };

    public override string ToString() => Repository + (Tag is null ? "" : $":{Tag}") + (Digest is null ? "" : $"@{Digest}");

    private static (string Head, string? Tail) SplitLast(string text, char separator, int from)
    {
        var at = text.IndexOf(separator, from);
        return at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
    }

    // As Docker does: the first part is a host only if it can't be a part of a repository's name.
    private static bool TrySplitRegistry(string name, [NotNullWhen(true)] out Registry? registry, out string path)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var namesHost = first.AsSpan().ContainsAny('.', ':', '[') || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        path = namesHost ? name[(slash + 1)..] : name;
        registry = Registry.DockerHub;
        return !namesHost || Registry.TryParse(first, out registry);
    }
}

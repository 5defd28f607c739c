using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>Sources that an image is said to be built from.</summary>
/// <param name="Address">Of the repository, without <c>git+</c>, branch and <c>.git</c>.</param>
internal sealed record SourceClaim(string Address, string? Commit);

/// <summary>What a statement claims of an image. All of it is foreign text.</summary>
/// <param name="Predicate">The type of the statement's predicate.</param>
internal sealed record AttestationClaims(string Predicate)
{
    private const int MaxDepth = 64;
    private const int MaxSources = 100;

    public string? Builder { get; init; }

    /// <summary>Empty where the statement is no provenance, or does not say.</summary>
    public IReadOnlyList<SourceClaim> Sources { get; init; } = [];

    public bool IsProvenance => Predicate == AttachmentTypes.Provenance;

    public bool IsSbom => Predicate.StartsWith(AttachmentTypes.Spdx, StringComparison.Ordinal) || Predicate == AttachmentTypes.CycloneDx;

    /// <summary>Reads a statement about an image.</summary>
    /// <exception cref="FormatException">It is malformed, or about something else; the message is a clause with the subject
    /// "it".</exception>
    public static AttestationClaims Read(ReadOnlyMemory<byte> statement, Digest image, string predicate)
    {
        try
        {
            using var document = JsonDocument.Parse(
                statement,
                new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false }
            );
            var root = document.RootElement;
            if (root.GetProperty("predicateType").GetString() != predicate)
                throw new FormatException("is of another type than its manifest says");
            if (!root.GetProperty("subject").EnumerateArray().Any(subject => IsOf(subject, image)))
                throw new FormatException("is about another image");
            return ReadPredicate(root.GetProperty("predicate"), predicate);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"is malformed ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    /// <summary>The address of a repository as it is compared: <c>git+https://host/acme/shop.git@refs/heads/main</c> and
    /// <c>https://host/acme/shop</c> are the same.</summary>
    public static string Normalize(string address)
    {
        var text = address.StartsWith("git+", StringComparison.Ordinal) ? address[4..] : address;
        // After the host: a user's name before it is part of the address.
        var path = text.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0
            ? text.IndexOf('/', scheme + 3)
            : text.IndexOf('/', StringComparison.Ordinal);
        if (path >= 0 && text.IndexOfAny(['@', '#'], path) is var end and >= 0)
            text = text[..end];
        text = text.TrimEnd('/');
        return text.EndsWith(".git", StringComparison.Ordinal) ? text[..^4] : text;
    }

    private static AttestationClaims ReadPredicate(JsonElement predicate, string type)
    {
        var claims = new AttestationClaims(type);
        if (!claims.IsProvenance)
            return claims;
        return claims with
        {
            Builder = TextAt(predicate, "runDetails", "builder", "id"),
            Sources = [.. ReadSources(predicate).Take(MaxSources)],
        };
    }

    // This package's own field, that of GitHub's workflows, and every material with a commit.
    private static IEnumerable<SourceClaim> ReadSources(JsonElement predicate)
    {
        if (TextAt(predicate, "buildDefinition", "externalParameters", "source", "uri") is { } own)
            yield return new SourceClaim(
                Normalize(own),
                TextAt(predicate, "buildDefinition", "externalParameters", "source", "digest", "gitCommit")
            );
        if (
            !predicate.TryGetProperty("buildDefinition", out var definition)
            || !definition.TryGetProperty("resolvedDependencies", out var materials)
            || materials.ValueKind != JsonValueKind.Array
        )
            yield break;
        foreach (var material in materials.EnumerateArray())
        {
            if (TextAt(material, "digest", "gitCommit") is { } commit && TextAt(material, "uri") is { } address)
                yield return new SourceClaim(Normalize(address), commit);
        }
    }

    private static bool IsOf(JsonElement subject, Digest image) =>
        subject.GetProperty("digest").TryGetProperty(image.Algorithm, out var hex) && hex.GetString() == image.Hex;

    internal static string? TextAt(JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return null;
        }

        return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
    }
}

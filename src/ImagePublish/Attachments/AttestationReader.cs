using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>What provenance claims, in short. All of it is foreign text, and nobody has signed it.</summary>
internal sealed record ProvenanceSummary(string? Builder, string? Invocation, string? Source, string? Commit)
{
    /// <summary>The version of the .NET SDK, where this package made the provenance.</summary>
    public string? Sdk { get; init; }

    /// <summary>The version of this package.</summary>
    public string? Tool { get; init; }
}

/// <summary>Reads what is attached to an image, wherever that is: listed by a registry or a layout, under a tag of cosign's, or as an entry
/// of the image's index.</summary>
/// <remarks>
/// Everything in it is foreign: an attachment counts only for what it itself names as its subject, a statement only for the image whose
/// digest is in it, and sizes and numbers have limits.
/// </remarks>
internal sealed class AttestationReader(IImageContent content)
{
    private const int MaxCount = 1000;
    private const int MaxDepth = 64;

    /// <summary>Lists what is attached to an image and to its platforms.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4018</c>, or what the place fails with.</exception>
    public async Task<IReadOnlyList<AttachmentInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var root = content.Root;
        var children = MediaTypes.IsIndex(root.Descriptor.MediaType) ? OciJson.ReadIndex(root.Content.Span).Manifests : [];
        var platforms = children.Where(child => child.Platform?.Os != "unknown").Select(child => child.Digest);
        var found = new List<AttachmentInfo>();
        foreach (var subject in platforms.Prepend(root.Descriptor.Digest).Distinct())
        {
            foreach (var (descriptor, tag) in await content.AttachmentsAsync(subject, cancellationToken))
                await AddAsync(found, new Candidate(descriptor, subject, tag), cancellationToken);
        }

        foreach (var child in children)
        {
            if (
                Digest.TryParse(child.Annotations?.GetValueOrDefault(AttachmentTypes.ReferenceDigest), out var subject)
                && child.Annotations!.GetValueOrDefault(AttachmentTypes.ReferenceType) == AttachmentTypes.AttestationManifest
            )
                await AddAsync(found, new Candidate(child, subject, Tag: null) { IsInIndex = true }, cancellationToken);
        }

        return [.. found.DistinctBy(one => (one.Descriptor.Digest, one.Subject))];
    }

    /// <summary>Reads provenance; null where the attachment has none.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4018</c>, or what the place fails with.</exception>
    public async Task<ProvenanceSummary?> ReadProvenanceAsync(AttachmentInfo attachment, CancellationToken cancellationToken)
    {
        if (
            !attachment.Types.Contains(AttachmentTypes.Provenance)
            || await content.TryReadAsync(attachment.Descriptor, cancellationToken) is not { } document
        )
            return null;
        var layer = OciJson
            .ReadManifest(document.Content.Span)
            .Layers.FirstOrDefault(one =>
                one.MediaType == AttachmentTypes.InToto
                && one.Annotations?.GetValueOrDefault(AttachmentTypes.PredicateType) == AttachmentTypes.Provenance
            );
        if (layer is null)
            return null;
        if (layer.Size > Statement.MaxSize)
            throw Invalid(attachment, $"its statement has {layer.Size} bytes; at most {Statement.MaxSize} are read");
        try
        {
            using var statement = JsonDocument.Parse(
                await ReadAsync(attachment, layer, cancellationToken),
                new JsonDocumentOptions { MaxDepth = MaxDepth }
            );
            return Read(statement.RootElement, attachment);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Invalid(attachment, $"its statement is malformed ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    private async Task AddAsync(List<AttachmentInfo> found, Candidate candidate, CancellationToken cancellationToken)
    {
        var (entry, subject, tag) = candidate;
        if (found.Count == MaxCount)
            throw new ImagePublishException(
                DiagnosticCodes.AttachmentInvalid,
                $"More than {MaxCount} manifests are attached to {subject} and its platforms. Delete those that are no longer needed."
            );
        if (tag is not null)
        {
            found.Add(new AttachmentInfo(entry, subject, [NameOf(tag)]));
            return;
        }

        if (await content.TryReadAsync(entry, cancellationToken) is not { } document)
            return;
        try
        {
            if (AttachmentInfo.TryRead(document, subject, candidate.IsInIndex) is { } attachment)
                found.Add(attachment);
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.AttachmentInvalid,
                $"{entry.Digest}, which is attached to {subject}, is malformed: {Text.Sanitize(exception.Message)}. Delete it.",
                exception
            );
        }
    }

    // What a list, a tag or an index names as attached.
    private sealed record Candidate(Descriptor Entry, Digest Subject, Tag? Tag)
    {
        public bool IsInIndex { get; init; }
    }

    private static string NameOf(Tag tag) =>
        Path.GetExtension(tag.Value) switch
        {
            ".sig" => "signature (cosign, by tag)",
            ".att" => "attestation (cosign, by tag)",
            _ => "SBOM (cosign, by tag)",
        };

    private async Task<byte[]> ReadAsync(AttachmentInfo attachment, Descriptor layer, CancellationToken cancellationToken)
    {
        var bytes = new byte[layer.Size];
        await using var stream = await content
            .Blob(layer)
            .OpenVerifiedAsync(() => Invalid(attachment, $"the content of {layer.Digest} differs from its digest"), cancellationToken);
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private static ProvenanceSummary Read(JsonElement statement, AttachmentInfo attachment)
    {
        if (statement.GetProperty("predicateType").GetString() != AttachmentTypes.Provenance)
            throw Invalid(attachment, "its statement is of another type than its manifest says");
        var isAbout = statement
            .GetProperty("subject")
            .EnumerateArray()
            .Any(subject =>
                subject.GetProperty("digest").TryGetProperty(attachment.Subject.Algorithm, out var hex)
                && hex.GetString() == attachment.Subject.Hex
            );
        if (!isAbout)
            throw Invalid(attachment, "its statement is about another image");
        var predicate = statement.GetProperty("predicate");
        return new ProvenanceSummary(
            AttestationClaims.TextAt(predicate, "runDetails", "builder", "id"),
            AttestationClaims.TextAt(predicate, "runDetails", "metadata", "invocationId"),
            AttestationClaims.TextAt(predicate, "buildDefinition", "externalParameters", "source", "uri"),
            AttestationClaims.TextAt(predicate, "buildDefinition", "externalParameters", "source", "digest", "gitCommit")
        )
        {
            Sdk = AttestationClaims.TextAt(predicate, "buildDefinition", "internalParameters", "sdk"),
            Tool = AttestationClaims.TextAt(predicate, "runDetails", "builder", "version", "ImagePublish.Tasks"),
        };
    }

    internal static ImagePublishException Invalid(AttachmentInfo attachment, string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.AttachmentInvalid,
            $"{attachment.Descriptor.Digest}, which is attached to {attachment.Subject}, can't be used: {reason}. Delete it.",
            cause
        );
}

using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Trust;

namespace ImagePublish.Commands;

/// <summary>An image whose attestations are verified.</summary>
/// <param name="Signer">Who signed the image itself; null for no trusted signer.</param>
/// <param name="Trust">Whose signatures count; null for nobody's.</param>
internal sealed record AttestedSubject(VerifiedSubject Image, string? Signer, TrustPolicy? Trust);

/// <summary>What must be attested of an image.</summary>
internal sealed record AttestationRequirements
{
    public bool Sbom { get; init; }

    public bool Provenance { get; init; }

    /// <summary>Whether attestations count that nobody signed who is trusted.</summary>
    public bool AcceptsUnsigned { get; init; }

    /// <summary>The builder that provenance must name; <c>*</c> in it stands for any characters.</summary>
    public string? Builder { get; init; }

    /// <summary>The repository that provenance must name, as <see cref="AttestationClaims.Normalize"/> has it.</summary>
    public string? Source { get; init; }

    public string? Commit { get; init; }

    public bool NeedsProvenance => Provenance || Builder is not null || Source is not null || Commit is not null;

    /// <summary>Whether provenance claims what it must.</summary>
    public bool IsMetBy(AttestationClaims claims) =>
        (Builder is null || (claims.Builder is { } builder && IdentityPattern.Matches(Builder, builder)))
        && ((Source is null && Commit is null) || claims.Sources.Any(IsMetBy));

    private bool IsMetBy(SourceClaim source) =>
        (Source is null || IdentityPattern.Matches(Source, source.Address))
        && (Commit is null || Commit.Equals(source.Commit, StringComparison.OrdinalIgnoreCase));
}

/// <summary>An attestation of an image, or what keeps it from being one.</summary>
/// <param name="Digest">That of its manifest.</param>
internal sealed record VerifiedAttestation(Digest Subject, Digest Digest, AttestationClaims Claims)
{
    /// <summary>Who signed it, as far as they are trusted; null for nobody.</summary>
    public string? Signer { get; init; }

    /// <summary>Why it does not count, as a clause with the subject "it"; null where it does.</summary>
    public string? Problem { get; init; }
}

/// <summary>All attestations of an image that were looked at.</summary>
internal sealed record AttestationReport(IReadOnlyList<VerifiedAttestation> Attestations)
{
    /// <summary>Why the image is not accepted; null where it is.</summary>
    public ImagePublishException? Failure { get; init; }
}

/// <summary>Verifies what is attested of images, and by whom.</summary>
/// <remarks>
/// An attestation is signed where its own bundle is (DSSE), where its manifest is signed as an image is, or where it is an entry of a
/// signed index. Otherwise it is what whoever may push to the repository wrote.
/// </remarks>
internal sealed class AttestationVerifier(RegistryClient registries, ImageStore store)
{
    // Each may have a statement of 16 MiB.
    private const int MaxAttachments = 100;

    private readonly ImageOpener sources = new(registries, store);
    private readonly ImageVerifier verifier = new(registries, store, registries.Time);

    /// <summary>Verifies the attestations of an image and of its platforms.</summary>
    public async Task<AttestationReport> VerifyAsync(
        AttestedSubject subject,
        AttestationRequirements wanted,
        CancellationToken cancellationToken
    )
    {
        var (image, signer, trust) = subject;
        var name = image.Location.ReferenceTo(image.Digests[0]);
        var content = await sources.OpenAsync(new RegistryImage(name), cancellationToken);
        var index = MediaTypes.IsIndex(content.Root.Descriptor.MediaType) ? OciJson.ReadIndex(content.Root.Content.Span) : null;
        var search = new Search(content, image, trust)
        {
            Covered = signer is null ? [] : (index?.Manifests.ToDictionary(entry => entry.Digest, _ => signer) ?? []),
        };
        var found = new List<VerifiedAttestation>();
        foreach (var attachment in (await new AttestationReader(content).ListAsync(cancellationToken)).Take(MaxAttachments))
            found.AddRange(await ReadAsync(search, attachment, cancellationToken));
        var platforms = index?.Manifests.Where(entry => entry.Platform?.Os != "unknown").Select(entry => entry.Digest).ToList()
            ?? [content.Root.Descriptor.Digest];
        return new AttestationReport(found) { Failure = Judge(image, platforms, found, wanted) };
    }

    private static ImagePublishException? Judge(
        VerifiedSubject image,
        IReadOnlyList<Digest> platforms,
        List<VerifiedAttestation> found,
        AttestationRequirements wanted
    )
    {
        foreach (var platform in platforms)
        {
            var usable = found
                .Where(one => one.Subject == platform || one.Subject == image.Digests[0])
                .Where(one => one.Problem is null && (wanted.AcceptsUnsigned || one.Signer is not null))
                .Select(one => one.Claims)
                .ToList();
            if (FindUnmet(usable, wanted) is not { } unmet)
                continue;
            var hidden = found.Find(one => one.Problem is not null) ?? found.Find(one => !wanted.AcceptsUnsigned && one.Signer is null);
            var why =
                hidden is null ? ""
                : hidden.Problem is { } problem ? $" An attached one is not accepted: it {problem}."
                : " The attached ones are not signed by a trusted signer.";
            return new ImagePublishException(
                DiagnosticCodes.AttestationUnmet,
                $"The image '{image.Name}' is refused: {platform} {unmet}.{why} Choose another image, or change ImageRequiredAttestations."
            );
        }

        return null;
    }

    private static string? FindUnmet(List<AttestationClaims> usable, AttestationRequirements wanted)
    {
        if (wanted.Sbom && !usable.Exists(claims => claims.IsSbom))
            return "has no bill of materials";
        if (!wanted.NeedsProvenance)
            return null;
        var provenance = usable.FindAll(claims => claims.IsProvenance);
        if (provenance.Count == 0)
            return "has no provenance";
        return provenance.Exists(wanted.IsMetBy) ? null : $"has provenance that does not meet the requirements: {Describe(provenance[0])}";
    }

    /// <summary>What provenance claims, in a line.</summary>
    public static string Describe(AttestationClaims claims)
    {
        if (!claims.IsProvenance)
            return "";
        var source = claims.Sources.Count > 0 ? claims.Sources[0] : null;
        string?[] parts =
        [
            claims.Builder is { } builder ? $"builder {Text.Sanitize(builder)}" : "no builder",
            source is null ? "no source" : $"source {Text.Sanitize(source.Address)}",
            source?.Commit is { } commit ? $"commit {Text.Sanitize(commit)}" : null,
        ];
        return string.Join(", ", parts.OfType<string>());
    }

    private async Task<IReadOnlyList<VerifiedAttestation>> ReadAsync(
        Search search,
        AttachmentInfo attachment,
        CancellationToken cancellationToken
    )
    {
        if (await search.Content.TryReadAsync(attachment.Descriptor, cancellationToken) is not { } document)
            return [];
        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
            return [];
        var manifest = OciJson.ReadManifest(document.Content.Span);
        var type = manifest.ArtifactType ?? manifest.Config.MediaType;
        if (type.StartsWith(SigstoreBundle.MediaTypePrefix, StringComparison.Ordinal))
            return await ReadBundleAsync(search, attachment, manifest, cancellationToken) is { } one ? [one] : [];
        var claimed = new List<VerifiedAttestation>();
        foreach (var layer in manifest.Layers)
        {
            if (await ReadClaimsAsync(search, attachment, layer, cancellationToken) is { } claims)
                claimed.Add(claims);
        }

        if (claimed.Count == 0 || search.Trust is null)
            return claimed;
        var signer = await FindSignerAsync(search, attachment.Descriptor.Digest, cancellationToken);
        return [.. claimed.Select(one => one with { Signer = signer })];
    }

    // A statement as it is, or a document without one.
    private static async Task<VerifiedAttestation?> ReadClaimsAsync(
        Search search,
        AttachmentInfo attachment,
        Descriptor layer,
        CancellationToken cancellationToken
    )
    {
        var digest = attachment.Descriptor.Digest;
        var predicate = layer.MediaType switch
        {
            AttachmentTypes.InToto => layer.Annotations?.GetValueOrDefault(AttachmentTypes.PredicateType),
            "application/spdx+json" => AttachmentTypes.Spdx,
            "application/vnd.cyclonedx+json" => AttachmentTypes.CycloneDx,
            _ => null,
        };
        if (predicate is null || new AttestationClaims(predicate) is not { } known || !(known.IsSbom || known.IsProvenance))
            return null;
        var found = new VerifiedAttestation(attachment.Subject, digest, known);
        if (layer.MediaType != AttachmentTypes.InToto)
            return found;
        try
        {
            var statement = await ReadBlobAsync(search, layer, Statement.MaxSize, cancellationToken);
            return found with { Claims = AttestationClaims.Read(statement, attachment.Subject, predicate) };
        }
        catch (FormatException exception)
        {
            return found with { Problem = exception.Message };
        }
    }

    private async Task<VerifiedAttestation?> ReadBundleAsync(
        Search search,
        AttachmentInfo attachment,
        ImageManifest manifest,
        CancellationToken cancellationToken
    )
    {
        var predicate = manifest.Annotations?.GetValueOrDefault(SigstoreBundle.PredicateAnnotation);
        if (predicate is null or SigstoreBundle.SignaturePredicate || manifest.Layers is not [var layer])
            return null;
        var found = new VerifiedAttestation(attachment.Subject, attachment.Descriptor.Digest, new AttestationClaims(predicate));
        try
        {
            var bundle = await ReadBlobAsync(search, layer, AttestationFinder.MaxBundle, cancellationToken);
            var artifact = new SignatureArtifact(SignatureForm.SigstoreBundle, found.Digest)
            {
                MediaType = layer.MediaType,
                Content = bundle,
                Predicate = predicate,
            };
            var statement = SigstoreBundle.Read(bundle).Statement;
            found = found with { Claims = AttestationClaims.Read(statement, attachment.Subject, predicate) };
            if (search.Trust is null)
                return found;
            var result = verifier.Verify(search.Trust, artifact, search.Image.Name.Repository, attachment.Subject);
            return found with
            {
                Signer = result.Accepted?.Signer,
                Problem = result.Refused is { } refused ? $"is refused: {refused.Message}" : null,
            };
        }
        catch (Exception exception) when (exception is FormatException or RefusedSignatureException)
        {
            return found with { Problem = exception is FormatException ? exception.Message : $"is refused: {exception.Message}" };
        }
    }

    private async Task<string?> FindSignerAsync(Search search, Digest manifest, CancellationToken cancellationToken)
    {
        if (search.Covered.GetValueOrDefault(manifest) is { } covering)
            return covering;
        await foreach (var result in verifier.VerifyAsync(search.Trust!, search.Image, manifest, cancellationToken))
        {
            if (result.Accepted is { } accepted)
                return accepted.Signer;
        }

        return null;
    }

    private static async Task<byte[]> ReadBlobAsync(Search search, Descriptor layer, int limit, CancellationToken cancellationToken)
    {
        if (layer.Size < 0 || layer.Size > limit)
            throw new FormatException($"has {layer.Size} bytes; at most {limit} are read");
        var bytes = new byte[layer.Size];
        await using var stream = await search
            .Content.Blob(layer)
            .OpenVerifiedAsync(
                () =>
                    new ImagePublishException(
                        DiagnosticCodes.ContentMismatch,
                        $"The content of {layer.Digest} in {search.Image.Location} differs from its digest. Publish the image again."
                    ),
                cancellationToken
            );
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    /// <summary>One image that is looked at.</summary>
    private sealed record Search(IImageContent Content, VerifiedSubject Image, TrustPolicy? Trust)
    {
        /// <summary>Manifests that a signed index names, with its signer.</summary>
        public required Dictionary<Digest, string> Covered { get; init; }
    }
}

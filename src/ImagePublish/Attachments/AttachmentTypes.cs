namespace ImagePublish.Attachments;

/// <summary>The media types and annotations of what is attached to images.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage">image-spec, Guidelines
/// for Artifact Usage</see>; attestations as
/// <see href="https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md">BuildKit stores them</see>.
/// </remarks>
internal static class AttachmentTypes
{
    public const string EmptyConfig = "application/vnd.oci.empty.v1+json";

    /// <summary>The artifact type of a manifest whose layers are in-toto statements about one image.</summary>
    public const string Attestation = "application/vnd.docker.attestation.manifest.v1+json";

    public const string InToto = "application/vnd.in-toto+json";

    public const string PredicateType = "in-toto.io/predicate-type";

    /// <summary>In an index: the digest of the image that an attestation manifest is about.</summary>
    public const string ReferenceDigest = "vnd.docker.reference.digest";

    /// <summary>In an index: what an entry is, where it is no image.</summary>
    public const string ReferenceType = "vnd.docker.reference.type";

    public const string AttestationManifest = "attestation-manifest";

    /// <summary>The artifact type of a manifest whose layer is a tar of debug symbols, at their paths in the image.</summary>
    public const string Symbols = "application/vnd.imagepublish.symbols.v1";

    /// <summary>The digest of that tar, by which the same symbols are known before they are compressed.</summary>
    public const string SymbolsDiffId = "io.imagepublish.symbols.diff-id";

    public const string Provenance = "https://slsa.dev/provenance/v1";

    public const string Spdx = "https://spdx.dev/Document";

    public const string CycloneDx = "https://cyclonedx.org/bom";

    /// <summary>What a predicate type is called in a table: a few words instead of an address.</summary>
    public static string NameOf(string type) =>
        type switch
        {
            _ when type.StartsWith("https://slsa.dev/provenance/", StringComparison.Ordinal) => "provenance",
            _ when type.StartsWith(Spdx, StringComparison.Ordinal) || type == "application/spdx+json" => "SBOM (SPDX)",
            Symbols => "symbols",
            CycloneDx or "application/vnd.cyclonedx+json" => "SBOM (CycloneDX)",
            "application/vnd.cncf.notary.signature" => "signature (Notation)",
            "application/vnd.dev.cosign.artifact.sig.v1+json" => "signature (cosign)",
            _ when type.StartsWith("application/vnd.dev.sigstore.bundle", StringComparison.Ordinal) => "signature (sigstore)",
            _ => type,
        };
}

/// <summary>Where attestations of an image are.</summary>
internal enum AttestationPlacement
{
    /// <summary>Beside the image, found by its digest: the image and its digest are as without them.</summary>
    Referrers,

    /// <summary>In the image's index too, as BuildKit has them: an image for one platform becomes an index.</summary>
    Index,

    None,
}

namespace ImagePublish.Testing;

/// <summary>How manifests, tags and blobs are kept and listed.</summary>
public sealed class ContentOptions
{
    public int MaxManifestBytes { get; set; } = 4 << 20;

    /// <summary>A tag that exists can't move to another digest: answered with this status, 409 or 412.</summary>
    public int? ImmutableTagStatus { get; set; }

    /// <summary>Which tags <see cref="ImmutableTagStatus"/> is about; all by default.</summary>
    public Func<string, bool> ImmutableTags { get; set; } = static _ => true;

    /// <summary>Blobs, and children of an index, have to be in the repository before what refers to them.</summary>
    public bool CheckReferences { get; set; } = true;

    /// <summary>The status of MANIFEST_BLOB_UNKNOWN.</summary>
    public int BlobUnknownStatus { get; set; } = 400;

    /// <summary>Layers with <c>urls</c> make a manifest invalid.</summary>
    public bool RefuseUrls { get; set; }

    /// <summary>Docker's media types are answered 415.</summary>
    public bool RefuseDockerTypes { get; set; }

    /// <summary>GET and HEAD of a manifest whose type the Accept header doesn't name are answered 404.</summary>
    public bool CheckAccept { get; set; }

    public bool DeleteManifests { get; set; } = true;

    public bool DeleteBlobs { get; set; } = true;

    /// <summary>The referrers endpoint, and <c>OCI-Subject</c> in answers.</summary>
    public bool Referrers { get; set; } = true;

    /// <summary>A tag such as <c>sha256-…</c> is the manifest of that digest, if there is one.</summary>
    public bool TagsMeanDigests { get; set; }

    /// <summary>
    /// Blob downloads are redirected to a signed URL on <see cref="TestRegistry.OtherHost"/>, which refuses an Authorization header with
    /// 400.
    /// </summary>
    public bool RedirectBlobs { get; set; }

    /// <summary>Pages of lists hold at most this many entries, whatever n says.</summary>
    public int MaxPageSize { get; set; } = int.MaxValue;

    /// <summary>An n above <see cref="MaxPageSize"/> is answered 400.</summary>
    public bool RefuseLargePages { get; set; }

    /// <summary>Links lead on by a cursor of their own and <c>last</c> is ignored.</summary>
    public bool OpaqueLinks { get; set; }

    /// <summary>Links to next pages are absolute.</summary>
    public bool AbsoluteLinks { get; set; }

    /// <summary>When not null: only these repositories exist, pushes to others are refused with 404 NAME_UNKNOWN.</summary>
    public IReadOnlySet<string>? Repositories { get; set; }

    /// <summary>A push to a repository that doesn't exist is an abrupt disconnect.</summary>
    public bool DisconnectOnUnknownRepository { get; set; }
}

namespace ImagePublish.Testing;

/// <summary>How blobs are taken.</summary>
public sealed class UploadOptions
{
    /// <summary>Upload Locations carry <c>?_state=…%2B…</c>, new with each answer, and must come back byte for byte.</summary>
    public bool CheckState { get; set; } = true;

    /// <summary>Raw text at the end of each state, to make it harder to keep: <c>%7E%2f</c>.</summary>
    public string StateSuffix { get; set; } = "%3D";

    /// <summary>Absolute Locations instead of <c>/v2/…</c>.</summary>
    public bool AbsoluteLocations { get; set; }

    /// <summary>Scheme and authority of absolute Locations instead of the registry's own.</summary>
    public string? LocationBase { get; set; }

    /// <summary>
    /// Uploads go to <see cref="TestRegistry.OtherHost"/>, where the Location itself is the permission and an Authorization header is
    /// refused with 400.
    /// </summary>
    public bool OnSecondHost { get; set; }

    /// <summary>Bytes received before a connection broke stay in the session; otherwise the session is gone with them.</summary>
    public bool KeepPartial { get; set; } = true;

    /// <summary>Sent as <c>OCI-Chunk-Min-Length</c> and demanded of every chunk but the last, in bytes.</summary>
    public long? ChunkMinLength { get; set; }

    /// <summary>The minimum holds but is not announced.</summary>
    public bool HideChunkMinLength { get; set; }

    /// <summary>Larger chunks with a Content-Range are answered 416, in bytes.</summary>
    public long ChunkMaxLength { get; set; } = long.MaxValue;

    /// <summary>A PATCH after the first needs a Content-Range.</summary>
    public bool ContentRangeAfterFirst { get; set; }

    /// <summary>PATCH with a Content-Range is refused with 400 UNSUPPORTED.</summary>
    public bool RefuseRanges { get; set; }

    /// <summary>A second PATCH to a Location used before replaces what the first one brought. Needs <see cref="CheckState"/> off.</summary>
    public bool ReusedLocationKeepsLastChunkOnly { get; set; }

    /// <summary>404 for a PUT that follows the POST directly, without a PATCH.</summary>
    public bool PutNeedsPatch { get; set; }

    /// <summary><c>POST ?digest=</c> takes the blob; otherwise it answers 202 and opens a session.</summary>
    public bool SinglePost { get; set; } = true;

    /// <summary>Mounts happen; otherwise each is answered 202.</summary>
    public bool Mount { get; set; } = true;

    /// <summary>A mount without the pull scope on its source is answered 401, as distribution does; otherwise 202.</summary>
    public bool MountNeedsScope { get; set; } = true;

    /// <summary>A mount without <c>from</c> is answered 400.</summary>
    public bool MountNeedsFrom { get; set; }

    /// <summary><c>Range: bytes=0-N</c> in answers to POST and GET.</summary>
    public bool RangeWithUnit { get; set; }
}

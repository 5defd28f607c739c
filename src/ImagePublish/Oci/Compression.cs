namespace ImagePublish.Oci;

/// <summary>How a layer's tar is compressed.</summary>
public enum Compression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>gzip (RFC 1952), which everything reads.</summary>
    Gzip,

    /// <summary>Zstandard (RFC 8878), in the OCI family only.</summary>
    Zstd,
}

namespace ImagePublish.Oci;

/// <summary>A family of media types. All documents and layers of one image are of one family.</summary>
public enum ImageFormat
{
    /// <summary>The OCI image specification's.</summary>
    Oci,

    /// <summary>Docker's image manifest version 2, schema 2. It has no annotations and no zstd.</summary>
    Docker,
}

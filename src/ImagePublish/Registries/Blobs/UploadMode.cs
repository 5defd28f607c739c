namespace ImagePublish.Registries.Blobs;

/// <summary>The ways to send a blob, the best first.</summary>
internal enum UploadMode
{
    /// <summary>One PUT with everything.</summary>
    Monolithic,

    /// <summary>PATCHes that say which part they are, and an empty PUT.</summary>
    Chunked,

    /// <summary>One PATCH with everything that does not say what part it is, and an empty PUT.</summary>
    Streamed,
}

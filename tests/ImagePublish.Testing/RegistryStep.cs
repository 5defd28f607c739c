namespace ImagePublish.Testing;

/// <summary>What a request is for; the unit that faults are aimed at and requests are counted by.</summary>
public enum RegistryStep
{
    /// <summary>Anything that is no endpoint of a registry.</summary>
    Unknown,

    /// <summary><c>GET /v2/</c>.</summary>
    Ping,

    /// <summary>GET and POST at the token endpoint.</summary>
    Token,

    /// <summary><c>POST /oauth2/exchange</c>, as Azure has it.</summary>
    TokenExchange,

    /// <summary>The place that blob downloads are redirected to.</summary>
    StorageGet,

    BlobHead,
    BlobGet,
    BlobDelete,

    /// <summary><c>POST blobs/uploads/?mount=</c>.</summary>
    MountPost,

    /// <summary><c>POST blobs/uploads/</c>, also with <c>?digest=</c> and the whole blob.</summary>
    UploadPost,
    UploadPatch,
    UploadPut,
    UploadStatus,
    UploadDelete,
    ManifestHead,
    ManifestGet,
    ManifestPut,
    ManifestDelete,
    TagsList,
    Referrers,
    Catalog,
}

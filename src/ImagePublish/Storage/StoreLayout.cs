using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>Paths in a store's folder. A digest, valid by construction, is the only part of a path that comes from outside.</summary>
internal sealed record StoreLayout(string Folder)
{
    public string LayoutFile => Path.Combine(Folder, "oci-layout");

    public string IndexFile => Path.Combine(Folder, "index.json");

    /// <summary>The folder that has one folder for each digest algorithm.</summary>
    public string BlobsFolder => Path.Combine(Folder, "blobs");

    /// <summary>Files that are being written, on the same volume as their targets.</summary>
    public string TemporaryFolder => Path.Combine(OwnFolder, "tmp");

    public string LockFile => Path.Combine(OwnFolder, "lock");

    public string SessionsFolder => Path.Combine(OwnFolder, "sessions");

    /// <summary>One locked file for each piece of work that others wait for.</summary>
    public string LocksFolder => Path.Combine(OwnFolder, "locks");

    /// <summary>When the store was last pruned, and how much was written since.</summary>
    public string GrowthFile => Path.Combine(OwnFolder, "growth");

    public string RecordsFolder => Path.Combine(OwnFolder, "records");

    // Other tools pass over what the specification does not know; one folder of ours keeps it tidy.
    private string OwnFolder => Path.Combine(Folder, ".imagepublish");

    public string BlobFile(Digest digest) => Path.Combine(BlobsFolder, digest.Algorithm, digest.Hex);
}

using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What this machine knows of layers: which blob a tar became, and which repositories have a blob.</summary>
/// <remarks>All of it is a hint: a blob that it names may be pruned here or gone from the registry, and whoever uses it checks.</remarks>
internal sealed class LayerCache(ImageStore store)
{
    private const string LayerKind = "layers";
    private const string RepositoriesKind = "places";
    private const string DiffIdKind = "diffids";
    private const int MaxRepositories = 8;

    public bool IsEmpty => store.Records.IsEmpty(LayerKind);

    /// <summary>Finds the blob that a tar became.</summary>
    /// <param name="compressionKey">Everything else that decides the blob's bytes: compression, level, compressor and its version,
    /// family.</param>
    public async Task<Descriptor?> FindAsync(Digest diffId, string compressionKey, CancellationToken cancellationToken)
    {
        var record = await store.Records.ReadAsync(LayerKind, LayerKey(diffId, compressionKey), cancellationToken);
        try
        {
            return record is null ? null : JsonObjectReader.Read(record, "record", Descriptor.Read);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Remembers which blob a tar became.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public Task RememberAsync(Digest diffId, string compressionKey, Descriptor layer, CancellationToken cancellationToken) =>
        store.Records.WriteAsync(LayerKind, LayerKey(diffId, compressionKey), OciJson.Write(layer), cancellationToken);

    public async Task<Digest?> FindDiffIdAsync(Digest contentKey, CancellationToken cancellationToken) =>
        await store.Records.ReadAsync(DiffIdKind, contentKey, cancellationToken) is { } record
        && Digest.TryParse(Encoding.UTF8.GetString(record), out var diffId)
            ? diffId
            : null;

    /// <summary>Remembers the digest of the tar that some content became.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public Task RememberDiffIdAsync(Digest contentKey, Digest diffId, CancellationToken cancellationToken) =>
        store.Records.WriteAsync(DiffIdKind, contentKey, Encoding.UTF8.GetBytes(diffId.Value), cancellationToken);

    public void ForgetDiffId(Digest contentKey) => store.Records.Remove(DiffIdKind, contentKey);

    /// <summary>The key of the tags of file contents. With another key nothing is known of any file.</summary>
    public byte[] DeriveContentTagKey(int size) => store.Records.Key.Derive("content tags", size);

    /// <summary>Finds the repositories that are known to have a blob, the latest first: another of the same registry can mount it from
    /// there.</summary>
    public async Task<IReadOnlyList<Repository>> FindRepositoriesAsync(Digest blob, CancellationToken cancellationToken)
    {
        var record = await store.Records.ReadAsync(RepositoriesKind, blob, cancellationToken) ?? [];
        var repositories = new List<Repository>();
        foreach (var name in Encoding.UTF8.GetString(record).Split('\n'))
        {
            if (Reference.TryParse(name, out var reference, out _))
                repositories.Add(reference.Repository);
        }

        return repositories;
    }

    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public async Task RememberRepositoryAsync(Digest blob, Repository repository, CancellationToken cancellationToken)
    {
        var known = await FindRepositoriesAsync(blob, cancellationToken);
        if (known.Count > 0 && known[0] == repository)
            return;
        var latest = known.Where(one => one != repository).Prepend(repository).Take(MaxRepositories);
        await store.Records.WriteAsync(RepositoriesKind, blob, Encoding.UTF8.GetBytes(string.Join('\n', latest)), cancellationToken);
        if (!await IsKnownAsync(repository, cancellationToken))
            await store.Records.WriteAsync(RepositoriesKind, KeyOf(repository), Array.Empty<byte>(), cancellationToken);
    }

    /// <summary>Whether a repository is known to have any blob.</summary>
    public async Task<bool> IsKnownAsync(Repository repository, CancellationToken cancellationToken) =>
        await store.Records.ReadAsync(RepositoriesKind, KeyOf(repository), cancellationToken) is not null;

    private static Digest KeyOf(Repository repository) => Digest.Compute(Encoding.UTF8.GetBytes($"repository\n{repository}"));

    /// <summary>Waits until no other process builds a layer.</summary>
    /// <param name="content">What distinguishes the layer from others: the key of its content, or the digest of its tar.</param>
    /// <returns>The lock, to be disposed when the layer is remembered; null where there is none to be had.</returns>
    internal Task<FileLock?> LockLayerAsync(Digest content, string compressionKey, string name, CancellationToken cancellationToken) =>
        WorkLock.AcquireAsync(
            store.Disk,
            LayerWork(content, compressionKey),
            $"builds the layer '{Text.Sanitize(name)}' too",
            cancellationToken
        );

    internal bool TryLockLayer(Digest content, string compressionKey, out FileLock? held) =>
        WorkLock.TryAcquire(store.Disk, LayerWork(content, compressionKey), out held);

    /// <summary>Waits until no other process uploads a blob to a registry: afterwards it can be mounted.</summary>
    /// <returns>The lock, to be disposed when the repository is remembered; null where there is none to be had.</returns>
    internal Task<FileLock?> LockBlobAsync(Digest blob, Registry registry, CancellationToken cancellationToken) =>
        WorkLock.AcquireAsync(store.Disk, $"blob\n{blob}\n{registry}", $"uploads {blob} to {registry} too", cancellationToken);

    private static string LayerWork(Digest content, string compressionKey) => $"layer\n{content}\n{compressionKey}";

    private static Digest LayerKey(Digest diffId, string compressionKey) =>
        Digest.Compute(Encoding.UTF8.GetBytes($"{diffId}\n{compressionKey}"));
}

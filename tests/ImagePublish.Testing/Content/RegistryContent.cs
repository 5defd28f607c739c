namespace ImagePublish.Testing;

/// <summary>Everything the registry holds. Safe to read and to change while it serves.</summary>
public sealed class RegistryContent : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, BlobData> blobs = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, RepositoryContent> repositories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, UploadSession> sessions = new(StringComparer.Ordinal);

    internal RegistryContent() { }

    public IReadOnlyList<string> Repositories => Locked(() => repositories.Keys.ToArray());

    /// <summary>What all of it takes, each blob and each manifest once.</summary>
    public long StoredBytes =>
        Locked(() =>
            blobs.Values.Sum(blob => blob.Size)
            + repositories.Values.SelectMany(one => one.Manifests).DistinctBy(one => one.Key).Sum(one => one.Value.Bytes.Length)
        );

    /// <summary>Uploads begun and neither finished nor deleted: 0 when nothing was orphaned.</summary>
    public int OpenUploadSessions => Locked(() => sessions.Count);

    /// <summary>Tag → digest of every repository, as <c>repository:tag</c>.</summary>
    public IReadOnlyDictionary<string, string> AllTags =>
        Locked(() =>
            repositories
                .SelectMany(r => r.Value.Tags.Select(t => (Name: $"{r.Key}:{t.Key}", t.Value)))
                .ToDictionary(t => t.Name, t => t.Value)
        );

    public IReadOnlyDictionary<string, string> Tags(string repository) =>
        Locked(() => Find(repository) is { } found ? new Dictionary<string, string>(found.Tags) : []);

    /// <summary>By tag or digest; null when it isn't there.</summary>
    public StoredManifest? Manifest(string repository, string reference) =>
        Locked(() =>
            Find(repository) is not { } found ? null : found.Manifests.GetValueOrDefault(found.Tags.GetValueOrDefault(reference, reference))
        );

    public IReadOnlyList<StoredManifest> Manifests(string repository) => Locked(() => Find(repository)?.Manifests.Values.ToArray() ?? []);

    public IReadOnlyCollection<string> Blobs(string repository) => Locked(() => Find(repository)?.Blobs.ToArray() ?? []);

    public bool HasBlob(string repository, string digest) => Locked(() => Find(repository)?.Blobs.Contains(digest) == true);

    /// <summary>Null when it isn't there; throws when its bytes were discarded.</summary>
    public byte[]? Blob(string repository, string digest)
    {
        if (FindBlob(repository, digest) is not { } data)
            return null;
        using var stream = data.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    /// <returns>Its digest.</returns>
    public string PutBlob(string repository, ReadOnlySpan<byte> bytes)
    {
        var digest = Digests.Sha256(bytes);
        Add(repository, digest, new MemoryBlob(bytes.ToArray()));
        return digest;
    }

    /// <summary>As it is, right or wrong: nothing is checked.</summary>
    /// <returns>Its digest.</returns>
    public string PutManifest(string repository, string? tag, ReadOnlySpan<byte> bytes, string mediaType)
    {
        var manifest = new StoredManifest(bytes.ToArray(), mediaType);
        Put(repository, tag, manifest, manifest.Digest);
        return manifest.Digest;
    }

    /// <summary>Makes another tag, or moves one.</summary>
    public void Tag(string repository, string tag, string digest) => Locked(() => FindOrAdd(repository).Tags[tag] = digest);

    /// <summary>Takes a blob away behind the client's back.</summary>
    public bool RemoveBlob(string repository, string digest) => Locked(() => Find(repository)?.Blobs.Remove(digest) == true);

    /// <summary>Takes a tag away behind the client's back; what it pointed at stays.</summary>
    public bool RemoveTag(string repository, string tag) => Locked(() => Find(repository)?.Tags.Remove(tag) == true);

    /// <summary>Forgets all uploads that are open, as a restarted or tidied registry does.</summary>
    public void RemoveUploadSessions() =>
        Locked(() =>
        {
            foreach (var session in sessions.Values)
                session.Ended = true;
            sessions.Clear();
            return 0;
        });

    public void Dispose()
    {
        foreach (var session in sessions.Values)
            session.Dispose();
        foreach (var blob in blobs.Values)
            blob.Remove();
    }

    internal bool HasRepository(string repository) => Locked(() => Find(repository) is not null);

    internal BlobData? FindBlob(string repository, string digest) =>
        Locked(() => HasBlob(repository, digest) ? blobs.GetValueOrDefault(digest) : null);

    internal BlobData? FindBlob(string digest) => Locked(() => blobs.GetValueOrDefault(digest));

    internal void Add(string repository, string digest, BlobData data) =>
        Locked(() =>
        {
            if (!blobs.TryAdd(digest, data))
                data.Remove();
            return FindOrAdd(repository).Blobs.Add(digest);
        });

    internal bool Mount(string repository, string from, string digest) =>
        Locked(() => HasBlob(from, digest) && (FindOrAdd(repository).Blobs.Add(digest) || true));

    internal void Put(string repository, string? tag, StoredManifest manifest, string digest) =>
        Locked(() =>
        {
            var found = FindOrAdd(repository);
            found.Manifests[digest] = manifest;
            if (tag is not null)
                found.Tags[tag] = digest;
            return digest;
        });

    internal bool Delete(string repository, string reference) =>
        Locked(() =>
        {
            if (Find(repository) is not { } found)
                return false;
            if (found.Tags.Remove(reference))
                return true;
            foreach (var tag in found.Tags.Where(t => t.Value == reference).Select(t => t.Key).ToArray())
                found.Tags.Remove(tag);
            return found.Manifests.Remove(reference);
        });

    internal void Add(UploadSession session) => Locked(() => sessions[session.Id] = session);

    internal UploadSession? FindSession(string repository, string id) =>
        Locked(() => sessions.TryGetValue(id, out var session) && session.Repository == repository ? session : null);

    internal void Remove(UploadSession session) =>
        Locked(() =>
        {
            session.Ended = true;
            session.Dispose();
            return sessions.Remove(session.Id);
        });

    private RepositoryContent? Find(string repository) => repositories.GetValueOrDefault(repository);

    private RepositoryContent FindOrAdd(string repository) => Find(repository) ?? (repositories[repository] = new());

    private T Locked<T>(Func<T> act)
    {
        lock (gate)
            return act();
    }
}

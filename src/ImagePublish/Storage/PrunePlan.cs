using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>An entry of the list with everything that it reaches.</summary>
internal sealed record PruneEntry(Descriptor Entry, IReadOnlySet<Digest> Reached, DateTimeOffset LastUsed);

/// <summary>A blob's file.</summary>
internal sealed record PruneBlob(Digest Digest, string Path, long Size, DateTimeOffset LastUsed);

/// <summary>Decides what a prune removes, from a picture of the store and without touching it: a dry run and a real one decide
/// alike.</summary>
/// <param name="protectedSince">Blobs used since then are kept: a publish under way may be about to name them.</param>
internal sealed class PrunePlan(
    IReadOnlyList<PruneEntry> entries,
    IReadOnlyList<PruneBlob> blobs,
    PruneOptions options,
    DateTimeOffset now,
    DateTimeOffset protectedSince
)
{
    private readonly List<PruneEntry> kept = [.. entries];
    private readonly List<PruneBlob> present =
    [
        .. blobs.OrderBy(blob => blob.LastUsed).ThenBy(blob => blob.Digest.Value, StringComparer.Ordinal),
    ];

    public List<PruneEntry> RemovedEntries { get; } = [];

    public List<PruneBlob> RemovedBlobs { get; } = [];

    public long RemainingBytes => present.Sum(blob => blob.Size);

    public DateTimeOffset ProtectedSince => protectedSince;

    public PrunePlan Decide()
    {
        if (!options.KeepImages && options.MaxAge is not null)
            kept.Where(entry => MayGo(entry) && IsTooOld(entry.LastUsed)).ToList().ForEach(Remove);
        var named = Named();
        if (options.Names.Count > 0)
            RemoveNamed(named);
        else
            named = RemoveDetached(named);
        if (options.Unreferenced || options.MaxAge is not null || options.MaxUnreferencedAge is not null)
            present
                .Where(blob =>
                    IsFree(blob, named)
                    && (options.Unreferenced || IsTooOld(blob.LastUsed) || now - blob.LastUsed > options.MaxUnreferencedAge)
                )
                .ToList()
                .ForEach(Remove);
        if (options.MaxSize is { } limit && RemainingBytes > limit)
            Shrink(options.TargetSize ?? limit);
        return this;
    }

    private void RemoveNamed(HashSet<Digest> named)
    {
        foreach (var entry in kept.Where(entry => ReferenceNames.Read(entry.Entry) is { } name && options.Names.Contains(name)).ToList())
            Remove(entry);
        named.IntersectWith(RemoveDetached(Named()));
        var freed = RemovedEntries.SelectMany(entry => entry.Reached).ToHashSet();
        present.Where(blob => freed.Contains(blob.Digest) && IsFree(blob, named)).ToList().ForEach(Remove);
    }

    private void Shrink(long limit)
    {
        RemoveFree(limit);
        foreach (
            var entry in kept.Where(entry => MayGo(entry) && entry.LastUsed < protectedSince).OrderBy(entry => entry.LastUsed).ToList()
        )
        {
            if (options.KeepImages || RemainingBytes <= limit)
                return;
            Remove(entry);
            RemoveDetached(Named());
            RemoveFree(limit);
        }
    }

    // What is attached to nothing that a name stands for goes: at once with an image that is removed, and otherwise unless a publish may be
    // about to name its subject.
    private HashSet<Digest> RemoveDetached(HashSet<Digest> named)
    {
        var recent = blobs.Where(blob => blob.LastUsed >= protectedSince).Select(blob => blob.Digest).ToHashSet();
        while (true)
        {
            var released = RemovedEntries.SelectMany(entry => entry.Reached).ToHashSet();
            var detached = kept.Where(entry =>
                    StoredAttachments.SubjectOf(entry.Entry) is { } subject
                    && !named.Contains(subject)
                    && (released.Contains(subject) || !recent.Contains(subject))
                )
                .ToList();
            if (detached.Count == 0)
                return named;
            detached.ForEach(Remove);
            named = Named();
        }
    }

    private void RemoveFree(long limit)
    {
        var named = Named();
        var size = RemainingBytes;
        foreach (var blob in present.Where(blob => IsFree(blob, named)).ToList())
        {
            if (size <= limit)
                return;
            Remove(blob);
            size -= blob.Size;
        }
    }

    private void Remove(PruneEntry entry)
    {
        kept.Remove(entry);
        RemovedEntries.Add(entry);
    }

    private void Remove(PruneBlob blob)
    {
        present.Remove(blob);
        RemovedBlobs.Add(blob);
    }

    // An entry without a name is another tool's, and its business.
    private static bool MayGo(PruneEntry entry) => ReferenceNames.Read(entry.Entry) is not null;

    private bool IsTooOld(DateTimeOffset lastUsed) => options.MaxAge is { } age && now - lastUsed > age;

    private bool IsFree(PruneBlob blob, HashSet<Digest> named) => blob.LastUsed < protectedSince && !named.Contains(blob.Digest);

    private HashSet<Digest> Named() => [.. kept.SelectMany(entry => entry.Reached)];
}

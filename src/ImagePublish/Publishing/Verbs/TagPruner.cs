using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Verbs;

/// <summary>Which tags of a repository may go.</summary>
/// <param name="Filter">Only those that match.</param>
/// <param name="Keep">Of them, the highest versions that stay.</param>
/// <param name="MaxAge">Of the rest, only images that were made longer ago; null for any.</param>
public sealed record TagPruneRules(Glob Filter, int Keep, TimeSpan? MaxAge);

/// <summary>What became of a repository's tags.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Removed">The tags that went, or would.</param>
/// <param name="Spared">Tags that the rules let go, but whose image another tag needs that stays.</param>
/// <param name="Kept">How many tags stay.</param>
public sealed record TagPruneResult(string Repository, IReadOnlyList<PrunedTag> Removed, IReadOnlyList<PrunedTag> Spared, int Kept);

/// <summary>A tag and what it points at.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">The image.</param>
public sealed record PrunedTag(Tag Tag, Digest Digest);

/// <summary>Removes old tags of a repository, with their images. An image that a tag needs that stays is never touched, not as a platform of an index either.</summary>
/// <param name="registries">The registries.</param>
/// <param name="store">The local store, which documents are kept in.</param>
/// <param name="time">The clock.</param>
public sealed class TagPruner(RegistryClient registries, ImageStore store, TimeProvider time)
{
    private const int AtOnce = 8;
    private const string AttachmentPrefix = "sha256-";
    private readonly RemoteDocuments documents = new(registries, store);
    private readonly ImageInspector inspector = new(registries, store);

    /// <summary>Decides, and then removes.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="rules">Which tags.</param>
    /// <param name="dryRun">Only decides.</param>
    /// <param name="cancellationToken">Gives up; what was not removed yet stays.</param>
    /// <returns>What went, or would.</returns>
    /// <exception cref="ImagePublishException"><c>IMG4015</c>: the registry does not delete; or what it fails with.</exception>
    public async Task<TagPruneResult> PruneAsync(Repository repository, TagPruneRules rules, bool dryRun, CancellationToken cancellationToken)
    {
        var all = await ReadAsync(repository, cancellationToken);
        // A tag that stands for attachments goes with nothing and stays with everything.
        var matching = all.Where(one => rules.Filter.Matches(one.Tag.Value) && !one.Tag.Value.StartsWith(AttachmentPrefix, StringComparison.Ordinal)).OrderByDescending(one => one.Tag, TagOrder.Instance);
        var old = await OldAsync(repository, [.. matching.Skip(rules.Keep)], rules.MaxAge, cancellationToken);
        var staying = all.Where(one => !old.Contains(new PrunedTag(one.Tag, one.Image.Digest))).Select(one => one.Image).ToList();
        var needed = await NeededAsync(repository, staying, cancellationToken);
        var removed = old.Where(one => !needed.Contains(one.Digest)).ToList();
        if (!dryRun)
        {
            foreach (var digest in removed.Select(one => one.Digest).Distinct())
                await registries.DeleteManifestAsync(repository.At(digest), cancellationToken);
        }

        return new TagPruneResult(repository.ToString(), removed, [.. old.Except(removed)], all.Count - removed.Count);
    }

    /// <summary>Removes one tag, with its image unless another tag needs it.</summary>
    /// <param name="reference">The repository and tag.</param>
    /// <param name="dryRun">Only decides.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What went, or would; the tag is spared where its image is another's too, since registries delete images and not tags.</returns>
    /// <exception cref="ImagePublishException"><c>IMG4006</c>: there is no such tag; <c>IMG4015</c>: the registry does not delete; or what it fails with.</exception>
    public async Task<TagPruneResult> RemoveAsync(Reference reference, bool dryRun, CancellationToken cancellationToken)
    {
        if (reference.Tag is null || reference.Digest is not null)
            throw new ImagePublishException(DiagnosticCodes.InvalidReference, $"'{reference}' names no tag. Name the tag that is to go, for example {reference.Repository}:1.0.");
        // Asked for what the registry says where there is none.
        _ = await registries.GetManifestAsync(reference, cancellationToken);
        return await PruneAsync(reference.Repository, new TagPruneRules(new Glob(reference.Tag.Value), 0, null), dryRun, cancellationToken);
    }

    private async Task<List<(Tag Tag, Descriptor Image)>> ReadAsync(Repository repository, CancellationToken cancellationToken)
    {
        var tags = await registries.ListTagsAsync(repository, cancellationToken).ToListAsync(cancellationToken);
        var images = new Descriptor?[tags.Count];
        await Parallel.ForAsync(0, tags.Count, Options(cancellationToken), async (at, stop) => images[at] = await registries.FindManifestAsync(repository.At(tags[at]), stop));
        return [.. tags.Zip(images).Where(one => one.Second is not null).Select(one => (one.First, one.Second!))];
    }

    private async Task<HashSet<PrunedTag>> OldAsync(Repository repository, List<(Tag Tag, Descriptor Image)> candidates, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        if (maxAge is null)
            return [.. candidates.Select(one => new PrunedTag(one.Tag, one.Image.Digest))];
        var limit = time.GetUtcNow() - maxAge.Value;
        var made = new DateTimeOffset?[candidates.Count];
        await Parallel.ForAsync(0, candidates.Count, Options(cancellationToken), async (at, stop) => made[at] = await CreatedAsync(repository.At(candidates[at].Image.Digest), stop));
        // What does not say when it was made stays.
        return [.. candidates.Where((_, at) => made[at] < limit).Select(one => new PrunedTag(one.Tag, one.Image.Digest))];
    }

    private async Task<DateTimeOffset?> CreatedAsync(Reference reference, CancellationToken cancellationToken)
    {
        var image = await inspector.InspectAsync(new RegistryImage(reference), cancellationToken);
        return DateTimeOffset.TryParse(image.Created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created) ? created : null;
    }

    private async Task<HashSet<Digest>> NeededAsync(Repository repository, List<Descriptor> staying, CancellationToken cancellationToken)
    {
        var needed = new HashSet<Digest>();
        var open = new Queue<Descriptor>(staying);
        while (open.TryDequeue(out var image))
        {
            if (!needed.Add(image.Digest) || !MediaTypes.IsIndex(image.MediaType))
                continue;
            if (await documents.FindAsync(repository.At(image.Digest), cancellationToken) is not { } index)
                continue;
            foreach (var child in OciJson.ReadIndex(index.Content.Span).Manifests)
                open.Enqueue(child);
        }

        return needed;
    }

    private static ParallelOptions Options(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
}

using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>What a prune removes of a repository.</summary>
/// <param name="Retained">Tags that the rules would remove, but whose image is needed by a tag that stays.</param>
internal sealed record TagPrunePlan(Repository Repository, IReadOnlyList<PrunedTag> Removed, IReadOnlyList<PrunedTag> Retained, int Kept)
{
    /// <summary>Names that the filter matches and that stay, because only versions are counted.</summary>
    public IReadOnlyList<Tag> KeptNames { get; init; } = [];

    /// <summary>All tags with what they point at: some list what is attached to others.</summary>
    internal IReadOnlyList<PrunedTag> All { get; init; } = [];

    internal IReadOnlyList<Descriptor> Staying { get; init; } = [];

    /// <summary>What the tags that stay need: their images, and the platforms of those.</summary>
    internal IReadOnlySet<Digest> Needed { get; init; } = new HashSet<Digest>();
}

/// <summary>A tag and what it points at.</summary>
internal sealed record PrunedTag(Tag Tag, Digest Digest);

/// <summary>Removes old tags of a repository, with their images. An image that a remaining tag references is kept, also
/// where it is a platform of an index.</summary>
internal sealed class TagPruner(RegistryClient registries, ImageStore store, TimeProvider time)
{
    private const int MaxConcurrency = 8;
    private const string AttachmentPrefix = "sha256-";
    private readonly RegistryDocuments documents = new(registries, store);
    private readonly ImageInspector inspector = new(registries, store);
    private readonly TagChanges changes = new(NameChange.Removed, registries.Log, registries.Time);

    /// <summary>Decides which tags are removed. Nothing is removed yet.</summary>
    /// <exception cref="ImagePublishException">What the registry fails with.</exception>
    public async Task<TagPrunePlan> PlanAsync(Repository repository, TagPruneRules rules, CancellationToken cancellationToken)
    {
        var all = await ListAsync(repository, cancellationToken);
        // Tags of attachments (referrers, cosign) are never removed by themselves, and keep nothing.
        string[] tags = [.. all.Select(one => one.Tag.Value).Where(tag => !tag.StartsWith(AttachmentPrefix, StringComparison.Ordinal))];
        var chosen = rules.Select(tags, rules.Filter.Matches, rules.Filter);
        var old = await FindOldAsync(repository, [.. all.Where(one => chosen.Contains(one.Tag.Value))], rules.MaxAge, cancellationToken);
        var plan = await PlanAsync(repository, all, old, cancellationToken);
        var keptNames = rules.Filter.IsAll ? [] : TagOrder.Sort(all.Select(one => one.Tag).Where(tag => IsKeptName(tag.Value)), tag => tag);
        return plan with { KeptNames = [.. keptNames] };

        bool IsKeptName(string tag) =>
            tags.Contains(tag) && !chosen.Contains(tag) && TagOrder.VersionOf(tag) is null && rules.Filter.Matches(tag);
    }

    /// <summary>Decides what removing one tag removes: it, unless its image has another tag that stays, since
    /// registries delete images and not tags.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4006</c>: there is no such tag; or what the registry fails with.</exception>
    public async Task<TagPrunePlan> PlanAsync(Reference reference, CancellationToken cancellationToken)
    {
        if (reference.Tag is not { } tag || reference.Digest is not null)
            throw new ImagePublishException(
                DiagnosticCodes.InvalidReference,
                $"'{reference}' names no tag. Name the tag that is to be removed, for example {reference.Repository}:1.0."
            );
        // If there is none, the registry's own answer is reported.
        _ = await registries.GetManifestAsync(reference, cancellationToken);
        var all = await ListAsync(reference.Repository, cancellationToken);
        return await PlanAsync(
            reference.Repository,
            all,
            [.. all.Where(one => one.Tag == tag).Select(one => new PrunedTag(one.Tag, one.Image.Digest))],
            cancellationToken
        );
    }

    /// <summary>Removes what was decided.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4015</c>: the registry does not delete; or what it fails with.</exception>
    public async Task RemoveAsync(TagPrunePlan plan, CancellationToken cancellationToken)
    {
        var attachments = new PrunedAttachments(registries, documents, plan);
        var removals = plan
            .Removed.GroupBy(one => one.Digest)
            .Select(image => new TagChange([.. image.Select(one => plan.Repository.ReferenceTo(one.Tag).ToString())], async cancelled =>
            {
                await attachments.FindAsync(image.Key, cancelled);
                await registries.DeleteManifestAsync(plan.Repository.ReferenceTo(image.Key), cancelled);
            }));
        await changes.MakeAsync([.. removals], cancellationToken, mayStop: true);
        await attachments.RemoveAsync(cancellationToken);
    }

    private async Task<TagPrunePlan> PlanAsync(
        Repository repository,
        List<(Tag Tag, Descriptor Image)> all,
        HashSet<PrunedTag> old,
        CancellationToken cancellationToken
    )
    {
        var staying = all.Where(one => !old.Contains(new PrunedTag(one.Tag, one.Image.Digest))).Select(one => one.Image).ToList();
        var needed = await FindNeededAsync(repository, staying, cancellationToken);
        var removed = TagOrder.Sort(old.Where(one => !needed.Contains(one.Digest)), one => one.Tag).ToList();
        var retained = TagOrder.Sort(old.Except(removed), one => one.Tag);
        return new TagPrunePlan(repository, removed, [.. retained], all.Count - removed.Count)
        {
            All = [.. all.Select(one => new PrunedTag(one.Tag, one.Image.Digest))],
            Staying = staying,
            Needed = needed,
        };
    }

    private async Task<List<(Tag Tag, Descriptor Image)>> ListAsync(Repository repository, CancellationToken cancellationToken)
    {
        var tags = await registries.ListTagsAsync(repository, cancellationToken).ToListAsync(cancellationToken);
        var images = new Descriptor?[tags.Count];
        await Parallel.ForAsync(0, tags.Count, Options(cancellationToken), async (at, stop) =>
            images[at] = await registries.FindManifestAsync(repository.ReferenceTo(tags[at]), stop)
        );
        return [.. tags.Zip(images).Where(one => one.Second is not null).Select(one => (one.First, one.Second!))];
    }

    private async Task<HashSet<PrunedTag>> FindOldAsync(
        Repository repository,
        List<(Tag Tag, Descriptor Image)> candidates,
        TimeSpan? maxAge,
        CancellationToken cancellationToken
    )
    {
        if (maxAge is null)
            return [.. candidates.Select(one => new PrunedTag(one.Tag, one.Image.Digest))];
        var limit = time.GetUtcNow() - maxAge.Value;
        var made = new DateTimeOffset?[candidates.Count];
        await Parallel.ForAsync(0, candidates.Count, Options(cancellationToken), async (at, stop) =>
            made[at] = await ReadCreatedAsync(repository.ReferenceTo(candidates[at].Image.Digest), stop)
        );
        // An image without a creation time is kept.
        return [.. candidates.Where((_, at) => made[at] < limit).Select(one => new PrunedTag(one.Tag, one.Image.Digest))];
    }

    private async Task<DateTimeOffset?> ReadCreatedAsync(Reference reference, CancellationToken cancellationToken)
    {
        var image = await inspector.InspectAsync(new RegistryImage(reference), cancellationToken);
        return DateTimeOffset.TryParse(image.Created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created)
            ? created
            : null;
    }

    private async Task<HashSet<Digest>> FindNeededAsync(
        Repository repository,
        List<Descriptor> staying,
        CancellationToken cancellationToken
    )
    {
        var needed = new HashSet<Digest>();
        var open = new Queue<Descriptor>(staying);
        while (open.TryDequeue(out var image))
        {
            if (!needed.Add(image.Digest) || !MediaTypes.IsIndex(image.MediaType))
                continue;
            if (await documents.FindAsync(repository.ReferenceTo(image.Digest), cancellationToken) is not { } index)
                continue;
            foreach (var child in OciJson.ReadIndex(index.Content.Span).Manifests)
                open.Enqueue(child);
        }

        return needed;
    }

    private static ParallelOptions Options(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken };
}

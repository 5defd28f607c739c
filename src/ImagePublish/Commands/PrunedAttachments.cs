using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Commands;

/// <summary>What is attached to images that are removed: it is found before they are, and removed after them.</summary>
/// <remarks>Platforms of a removed index count too, unless a tag that stays needs them: a tag that lists attachments would keep those for
/// ever. So do attachments, which can have signatures of their own. What can't be removed is reported and fails nothing, since the images
/// are gone already.</remarks>
internal sealed class PrunedAttachments(RegistryClient registries, RegistryDocuments documents, TagPrunePlan plan)
{
    private const int MaxCount = 1000;

    // A registry may answer anything, without an end.
    private const int MaxDepth = 8;
    private static readonly string[] Suffixes = ["", ".sig", ".att", ".sbom"];

    private readonly Repository repository = plan.Repository;
    private readonly Dictionary<string, Digest> tags = plan
        .All.DistinctBy(one => one.Tag)
        .ToDictionary(one => one.Tag.Value, one => one.Digest);
    private readonly HashSet<Digest> subjects = [];
    private readonly List<(Digest Subject, Digest Attachment)> found = [];
    private bool? hasReferrers;

    /// <summary>Finds what is attached to an image that is about to be removed, to its platforms, and to those attachments.</summary>
    public async Task FindAsync(Digest image, CancellationToken cancellationToken)
    {
        var level = (await ChildrenAsync(image, cancellationToken)).Prepend(image);
        for (var depth = 0; depth <= MaxDepth; depth++)
        {
            var next = new List<Digest>();
            foreach (var subject in level.Where(subjects.Add).ToList())
            {
                next.AddRange(await FindAttachedAsync(subject, cancellationToken));
                if (next.Count > MaxCount)
                    break;
            }

            level = next;
        }
    }

    private async Task<IEnumerable<Digest>> FindAttachedAsync(Digest subject, CancellationToken cancellationToken)
    {
        var attached = new List<Digest>();
        if (hasReferrers != false)
        {
            var listed = await registries.ListReferrersAsync(repository, subject, cancellationToken);
            hasReferrers ??= listed is not null;
            attached.AddRange((listed ?? []).Take(MaxCount).Select(one => one.Digest));
        }

        foreach (var suffix in Suffixes)
        {
            if (!tags.TryGetValue(ReferrersTag.NameOf(subject) + suffix, out var tagged))
                continue;
            if (suffix.Length == 0)
            {
                attached.AddRange(await ListedAsync(subject, cancellationToken));
                found.Add((subject, tagged));
            }
            else
            {
                attached.Add(tagged);
            }
        }

        found.AddRange(attached.Select(one => (subject, one)));
        return attached;
    }

    /// <summary>Removes what was found, but nothing that a tag that stays needs.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        var staying = await FindStayingAsync(cancellationToken);
        foreach (var attachment in found.Select(one => one.Attachment).Distinct().Where(one => !staying.Contains(one)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await registries.DeleteManifestAsync(repository.ReferenceTo(attachment), cancellationToken);
                registries.Log.Detail($"Removed {repository}@{attachment}, which was attached to an image that was removed.");
            }
            catch (ImagePublishException exception)
            {
                registries.Log.Information($"What was attached to removed images could not be removed: {exception.Message}");
                return;
            }
        }
    }

    private async Task<IEnumerable<Digest>> ChildrenAsync(Digest image, CancellationToken cancellationToken) =>
        (await EntriesAsync(image, cancellationToken)).Where(child => !plan.Needed.Contains(child));

    private async Task<IEnumerable<Digest>> ListedAsync(Digest subject, CancellationToken cancellationToken)
    {
        var listed = new List<Digest>();
        foreach (var entry in (await ReferrersTag.ListAsync(registries, repository, subject, cancellationToken)).Take(MaxCount))
        {
            // The list may name an image of somebody's: what is not attached to the subject stays.
            if (
                await documents.FindAsync(repository.ReferenceTo(entry.Digest), cancellationToken) is { } document
                && ReferrerEntry.SubjectOf(document) == subject
            )
                listed.Add(entry.Digest);
        }

        return listed;
    }

    private async Task<HashSet<Digest>> FindStayingAsync(CancellationToken cancellationToken)
    {
        var names = subjects.SelectMany(subject => Suffixes.Select(suffix => ReferrersTag.NameOf(subject) + suffix)).ToHashSet();
        var removed = plan.Removed.Select(one => one.Tag.Value).ToHashSet();
        // What has another tag is more than a list or a signature of a removed image.
        var tagged = tags.Where(tag => !names.Contains(tag.Key) && !removed.Contains(tag.Key)).Select(tag => tag.Value).ToHashSet();
        var own = tags.Where(tag => names.Contains(tag.Key) && !tagged.Contains(tag.Value)).Select(tag => tag.Value).ToHashSet();
        var staying = await NeededAsync(own, cancellationToken);
        staying.UnionWith(tagged);
        // What stays keeps what is attached to it. Each subject was found before its attachments.
        foreach (var (subject, attachment) in found)
        {
            if (staying.Contains(subject))
                staying.Add(attachment);
        }

        return staying;
    }

    private async Task<HashSet<Digest>> NeededAsync(HashSet<Digest> lists, CancellationToken cancellationToken)
    {
        var needed = new HashSet<Digest>();
        foreach (var image in plan.Staying.Where(image => !lists.Contains(image.Digest)))
        {
            if (!needed.Add(image.Digest) || !MediaTypes.IsIndex(image.MediaType))
                continue;
            needed.UnionWith(await EntriesAsync(image.Digest, cancellationToken));
        }

        return needed;
    }

    private async Task<IEnumerable<Digest>> EntriesAsync(Digest image, CancellationToken cancellationToken) =>
        await documents.FindAsync(repository.ReferenceTo(image), cancellationToken) is { } document
        && MediaTypes.IsIndex(document.Descriptor.MediaType)
            ? OciJson.ReadIndex(document.Content.Span).Manifests.Select(child => child.Digest)
            : [];
}

using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Commands;

/// <summary>What is attached to images that are removed: it is found before they are, and removed after them.</summary>
/// <remarks>Platforms of a removed index count too, unless a tag that stays needs them: a tag that lists attachments would keep those for
/// ever. What can't be removed is reported and fails nothing, since the images are gone already.</remarks>
internal sealed class PrunedAttachments(RegistryClient registries, RegistryDocuments documents, TagPrunePlan plan)
{
    private const int MaxCount = 1000;
    private static readonly string[] Suffixes = ["", ".sig", ".att", ".sbom"];

    private readonly Repository repository = plan.Repository;
    private readonly Dictionary<string, Digest> tags = plan
        .All.DistinctBy(one => one.Tag)
        .ToDictionary(one => one.Tag.Value, one => one.Digest);
    private readonly HashSet<Digest> subjects = [];
    private readonly List<Digest> found = [];
    private bool? hasReferrers;

    /// <summary>Finds what is attached to an image that is about to be removed, and to its platforms.</summary>
    public async Task FindAsync(Digest image, CancellationToken cancellationToken)
    {
        foreach (var subject in (await ChildrenAsync(image, cancellationToken)).Prepend(image).Where(subjects.Add).ToList())
        {
            if (hasReferrers != false)
            {
                var listed = await registries.ListReferrersAsync(repository, subject, cancellationToken);
                hasReferrers ??= listed is not null;
                found.AddRange((listed ?? []).Take(MaxCount).Select(one => one.Digest));
            }

            foreach (var suffix in Suffixes)
            {
                if (!tags.TryGetValue(ReferrersTag.NameOf(subject) + suffix, out var tagged))
                    continue;
                if (suffix.Length == 0)
                    found.AddRange(await ListedAsync(subject, cancellationToken));
                found.Add(tagged);
            }
        }
    }

    /// <summary>Removes what was found, but nothing that a tag that stays needs.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        var names = subjects.SelectMany(subject => Suffixes.Select(suffix => ReferrersTag.NameOf(subject) + suffix)).ToHashSet();
        var own = tags.Where(tag => names.Contains(tag.Key)).Select(tag => tag.Value).ToHashSet();
        var needed = await NeededAsync(own, cancellationToken);
        foreach (var attachment in found.Distinct().Where(one => !needed.Contains(one)))
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

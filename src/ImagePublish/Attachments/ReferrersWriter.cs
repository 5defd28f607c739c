using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Attachments;

/// <summary>Makes a registry list manifests as attachments of another, and confirms that it does.</summary>
/// <remarks>
/// A registry with the referrers API finds them by their subject. Any other has a tag for each subject, which lists them: a
/// <see cref="ContendedTag{T}"/>.
/// </remarks>
internal sealed class ReferrersWriter(RegistryClient registries, Repository repository)
{
    private const int MaxListings = 4;

    private static readonly TimeSpan ListingPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Attaches manifests that are in the repository.</summary>
    /// <param name="support">What the registry answered so far.</param>
    /// <exception cref="ImagePublishException"><c>IMG4017</c>: the registry lists no attachments of it; or what it fails with.</exception>
    public async Task AttachAsync(
        Digest subject,
        IReadOnlyList<Descriptor> attachments,
        ReferrersSupport support,
        CancellationToken cancellationToken
    )
    {
        var isAcknowledged = support == ReferrersSupport.Acknowledged;
        if (support == ReferrersSupport.Missing || !await AreListedAsync(subject, attachments, isAcknowledged, cancellationToken))
            await AddToTagAsync(subject, attachments, cancellationToken);
    }

    // Quirk: false-referrers. An empty list is no proof that the registry has the API, and OCI-Subject is none either.
    private async Task<bool> AreListedAsync(
        Digest subject,
        IReadOnlyList<Descriptor> attachments,
        bool isAcknowledged,
        CancellationToken cancellationToken
    )
    {
        for (var listings = 1; ; listings++)
        {
            if (await registries.ListReferrersAsync(repository, subject, cancellationToken) is not { } listed)
                return false;
            if (attachments.All(one => listed.Any(other => other.Digest == one.Digest)))
                return true;
            if (!isAcknowledged || listings == MaxListings)
                return false;
            await Task.Delay(ListingPause * (1 << listings), registries.Time, cancellationToken);
        }
    }

    private async Task AddToTagAsync(Digest subject, IReadOnlyList<Descriptor> attachments, CancellationToken cancellationToken)
    {
        var tag = new ContendedTag<ReferrersList>(
            registries.Time,
            () => ReadAsync(subject, cancellationToken),
            list => WriteAsync(subject, list.With(attachments), attachments, cancellationToken)
        )
        {
            HasAll = list => list.HasAll(attachments),
            AreSame = (one, other) => one.IsSame(other),
        };
        if (!await tag.TryAddAsync(cancellationToken))
            throw Unlisted(subject, "other processes keep changing the list of its attachments. Publish again");
    }

    private async Task<ReferrersList> WriteAsync(
        Digest subject,
        ReferrersList list,
        IReadOnlyList<Descriptor> attachments,
        CancellationToken cancellationToken
    )
    {
        var tag = TagOf(subject);
        try
        {
            await registries.PushManifestAsync(tag, list.Write(tag), cancellationToken);
            return list;
        }
        catch (MissingBlobsException exception)
        {
            // What somebody deleted and left in the list would keep it from ever being written again.
            var gone = new HashSet<Digest>();
            foreach (var digest in exception.Digests.Except(attachments.Select(one => one.Digest)))
            {
                if (await registries.FindManifestAsync(repository.ReferenceTo(digest), cancellationToken) is null)
                    gone.Add(digest);
            }

            list = list.Without(gone);
            await registries.PushManifestAsync(tag, list.Write(tag), cancellationToken);
            return list;
        }
    }

    private async Task<ReferrersList> ReadAsync(Digest subject, CancellationToken cancellationToken)
    {
        if (await registries.TryGetManifestAsync(TagOf(subject), cancellationToken) is not { } found)
            return ReferrersList.Empty;
        // Quirk: tag-means-digest.
        if (found.Descriptor.Digest == subject)
            throw Unlisted(
                subject,
                $"the tag '{TagOf(subject).Tag}', which would list them, is the image itself there. Set ImageAttestations to Index, which "
                    + "needs no such tag"
            );
        return ReferrersList.TryRead(found.Content)
            ?? throw Unlisted(
                subject,
                $"'{TagOf(subject)}', which would list them, is an image ({found.Descriptor.Digest}) and is not overwritten. Remove that "
                    + "tag, or set ImageAttestations to Index, which needs no such tag"
            );
    }

    private Reference TagOf(Digest subject) => repository.ReferenceTo(Tag.Parse(ReferrersTag.NameOf(subject)));

    private ImagePublishException Unlisted(Digest subject, string reason) =>
        new(DiagnosticCodes.AttachmentsUnlisted, $"Nothing can be attached to {repository}@{subject}: {reason}.");
}

/// <summary>What a registry's answers say of its referrers API.</summary>
internal enum ReferrersSupport
{
    Unknown,

    /// <summary>It read the subjects of the manifests, and may need a moment to list them.</summary>
    Acknowledged,

    /// <summary>It does not have the request.</summary>
    Missing,
}

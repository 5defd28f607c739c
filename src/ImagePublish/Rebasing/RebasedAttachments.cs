using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Rebasing;

/// <summary>
/// What is attached to an image that is rebased. All of it is about the old image, by its digest, and stays there: a bill of materials
/// lists the old base, a signature is of the old digest. Provenance is made again, of the old image and the new base. Debug symbols are of
/// the app, whose layers stay, and are attached to the new image too.
/// </summary>
internal sealed class RebasedAttachments(PublishContext context, RebaseRequest request)
{
    private readonly List<AttachmentInfo> found = [];
    private RegistryContent? content;

    /// <summary>What is attached to the old image and has no successor, in words.</summary>
    public IReadOnlyList<string> LeftBehind =>
        [
            .. found
                .SelectMany(one => one.Types)
                .Where(type => type != AttachmentTypes.Symbols && !(MakesProvenance && type == AttachmentTypes.Provenance))
                .Select(AttachmentTypes.NameOf)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    private bool MakesProvenance => request.Facts is not null;

    /// <exception cref="Diagnostics.ImagePublishException">What the registry fails with.</exception>
    public async Task<RebasedAttachments> FindAsync(ReadImage image, CancellationToken cancellationToken)
    {
        content = new RegistryContent(context.Registries, context.Documents, image.Reference.Repository, image.Root);
        found.AddRange(await new AttestationReader(content).ListAsync(cancellationToken));
        return this;
    }

    /// <summary>Attaches provenance and debug symbols to each platform that had some.</summary>
    public async Task<IReadOnlyList<string>> RenewAsync(
        DestinationSet destinations,
        RebaseResult result,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        var renewed = new List<string>();
        foreach (var platform in result.Platforms.Where(platform => HadProvenance(platform.Before.Digest) && MakesProvenance))
        {
            var statement = RebaseProvenance.Compose(platform, request.Image, request.Facts!);
            var subject = platform.After.Manifest.Descriptor;
            var attestation = AttachedManifest.CreateAttestation(subject, [statement]);
            await destinations.EachAsync(async destination =>
            {
                await AttestationStep.PutAsync(destination, attestation);
                await destination.AttachAsync(subject, [ReferrerEntry.Create(attestation.Manifest)]);
            });
            renewed.Add(AttachmentTypes.NameOf(AttachmentTypes.Provenance));
        }

        foreach (var platform in result.Platforms.Where(platform => platform.After != platform.Before))
        {
            if (await RenewSymbolsAsync(destinations, platform, cancellationToken))
                renewed.Add(AttachmentTypes.NameOf(AttachmentTypes.Symbols));
        }

        return [.. renewed.Distinct()];
    }

    private async Task<bool> RenewSymbolsAsync(DestinationSet destinations, RebasedPlatform platform, CancellationToken cancellationToken)
    {
        var subject = platform.After.Manifest.Descriptor;
        var symbols = new List<AttachedManifest>();
        foreach (var one in found.Where(one => one.Subject == platform.Before.Digest && one.Types.Contains(AttachmentTypes.Symbols)))
        {
            if (await content!.TryReadAsync(one.Descriptor, cancellationToken) is { } document)
                symbols.Add(AttachedManifest.Renew(subject, OciJson.ReadManifest(document.Content.Span), content.Blob));
        }

        await destinations.EachAsync(async destination =>
        {
            foreach (var one in symbols)
                await AttestationStep.PutAsync(destination, one);
            if (symbols.Count > 0)
                await destination.AttachAsync(subject, [.. symbols.Select(one => ReferrerEntry.Create(one.Manifest))]);
        });
        return symbols.Count > 0;
    }

    private bool HadProvenance(Digest image) => found.Exists(one => one.Subject == image && one.Types.Contains(AttachmentTypes.Provenance));
}

using System.Collections.Concurrent;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Rebasing;

/// <summary>
/// Puts images on newer bases without a build: the layers of the app stay as they are, and everything that is inherited is inherited from
/// the new base. The result is, to the byte, what a publish of the same files on that base is.
/// </summary>
internal sealed class ImageRebaser
{
    private readonly PublishContext context;
    private readonly BaseResolver bases;
    private readonly RebaseConditions conditions;
    private readonly ConcurrentDictionary<(RegistryImage, Platform), Lazy<Task<BaseImage>>> newBases = new();

    public ImageRebaser(PublishContext context)
    {
        this.context = context;
        bases = new BaseResolver(context.Registries, context.Documents, context.Store);
        var reader = new BaseFactsReader(context.Store, context.Log);
        conditions = new RebaseConditions(reader, new AppNeeds(context.Store, reader, context.Log));
    }

    /// <summary>Rebases many images, several at a time. One that fails or is refused leaves the others alone.</summary>
    public Task<IReadOnlyList<RebaseOutcome>> RebaseAsync(IReadOnlyList<RebaseRequest> requests, CancellationToken cancellationToken) =>
        ManyImages.RunAsync(
            requests,
            async (request, stop) => new RebaseOutcome(request.Image, await RebaseAsync(request, stop), null),
            (request, failure) => new RebaseOutcome(request.Image, null, failure),
            cancellationToken
        );

    /// <summary>Rebases one image with all its platforms. No tag moves before everything else is confirmed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4020</c>, <c>IMG4021</c>, <c>IMG4022</c>: it can't be; <c>IMG4010</c>, <c>IMG4026</c>:
    /// a tag may not move, or has moved; or what a registry fails with.</exception>
    public async Task<RebaseResult> RebaseAsync(RebaseRequest request, CancellationToken cancellationToken)
    {
        using var session = await context.Store.BeginSessionAsync(cancellationToken);
        var image = await ReadImage.LoadAsync(context.Registries, context.Documents, request.Image, cancellationToken);
        if (image.Platforms.Count == 0)
            throw Refusal.Unnamed(request.Image);
        var platforms = new List<RebasedPlatform>();
        foreach (var documents in image.Platforms)
            platforms.Add(await RebaseAsync(request, image, documents, cancellationToken));
        var result = new RebaseResult(request.Image, image.Root.Descriptor, image.Root.Descriptor, platforms);
        if (platforms.TrueForAll(platform => platform.After == platform.Before))
            return result;
        var root = ComposeRoot(image, platforms);
        return await CommitAsync(request, image, result with { After = root.Descriptor }, root, cancellationToken);
    }

    private async Task<RebasedPlatform> RebaseAsync(
        RebaseRequest request,
        ReadImage image,
        ImageDocuments documents,
        CancellationToken cancellationToken
    )
    {
        if (NamedBase.Find(documents) is not { Digest: { } digest } named)
            throw Refusal.Unnamed(request.Image);
        if (request.NewBase is { } given && given.Repository != named.Reference.Repository)
            throw Refusal.Of(
                request.Image,
                $"it is based on '{named.Reference.Repository}', and '{given}' is another image",
                "Name a tag or digest of the same repository, or publish it on the other base"
            );
        var before = documents.In(context.Registries, request.Image.Repository);
        var newer = await ResolveNewAsync(request, request.NewBase ?? named.Reference, before.Platform, cancellationToken);
        if (newer.Digest == digest)
            return new RebasedPlatform(before.Platform, before, before, new RebasedBase(newer, newer, null, null));
        var old = await ResolveOldAsync(request, named, before.Platform, cancellationToken);
        var pair = new RebasePair(image, documents, before, old, newer);
        var spec = RebaseConditions.CheckDocuments(pair);
        var checkedBase = await conditions.CheckFilesAsync(pair, cancellationToken);
        return new RebasedPlatform(before.Platform, before, RebaseConditions.Compose(pair, spec.On(newer), newer), checkedBase);
    }

    // Once for all images, with whatever is asked of its signatures.
    private Task<BaseImage> ResolveNewAsync(
        RebaseRequest request,
        Reference reference,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        var source = request.Mirror(new RegistryImage(reference));
        return newBases
            .GetOrAdd((source, platform), _ =>
                new(() =>
                    new BaseStep(context).ResolveAsync(new BaseInputs(source, platform, request.Trust), known: null, cancellationToken)
                )
            )
            .Value;
    }

    private async Task<BaseImage> ResolveOldAsync(
        RebaseRequest request,
        NamedBase named,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        var source = request.Mirror(new RegistryImage(named.Reference)) with { Locked = named.Digest };
        try
        {
            return await bases.ResolveAsync(source, platform, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.BaseNotFound)
        {
            throw Refusal.Gone(request.Image, named);
        }
    }

    // An index that the same images do not make is another tool's, or has attestations in it, which are about the old images.
    private static MemoryBlobSource ComposeRoot(ReadImage image, List<RebasedPlatform> platforms)
    {
        if (image.Index is not { } index)
            return platforms[0].After.Manifest;
        if (image.Others.Any(entry => entry.Annotations?.ContainsKey(AttachmentTypes.ReferenceType) == true))
            throw Refusal.Of(image.Reference, "its index contains attestations, which only a publish can create");
        KeyValuePair<string, string>[] annotations = [.. index.Annotations ?? new Dictionary<string, string>()];
        var same = IndexComposer.Compose([.. platforms.Select(platform => platform.Before.IndexEntry)], annotations, []);
        return same.Descriptor.Digest == image.Root.Descriptor.Digest
            ? IndexComposer.Compose([.. platforms.Select(platform => platform.After.IndexEntry)], annotations, [])
            : throw Refusal.Of(image.Reference, "a publish would not make its index as it is: another tool made or changed it");
    }

    private async Task<RebaseResult> CommitAsync(
        RebaseRequest request,
        ReadImage image,
        RebaseResult result,
        MemoryBlobSource root,
        CancellationToken cancellationToken
    )
    {
        var repository = request.Image.Repository;
        var tags = await FindTagsAsync(request, image.Root.Descriptor.Digest, cancellationToken);
        var guard = new TagGuard(context.Registries, context.Store);
        var held = await guard.FindAsync([repository], "", request.HoldsTags ? tags : [], cancellationToken);
        await guard.CheckAsync(held, root.Descriptor, isPlatform: false, cancellationToken);
        await using var destinations = request.DryRun
            ? context.Destinations.OpenPlanned([repository], "", cancellationToken)
            : context.Destinations.Open([repository], "", cancellationToken);
        var destination = destinations.All[0];
        var before = await Task.WhenAll(tags.Select(destination.FindTagAsync));
        var attached = await new RebasedAttachments(context, request).FindAsync(image, cancellationToken);
        foreach (var platform in result.Platforms)
            await CommitAsync(destinations, platform);
        if (image.Index is not null)
            await destinations.CommitIndexAsync(root);
        var renewed = await attached.RenewAsync(destinations, result, cancellationToken);
        await new SigningStep(context, ImageSigner.Create(request.Signing, context.Registries.Services), cancellationToken).SignAsync(
            destinations,
            new SignedImage(root, tags)
        );
        if (!request.DryRun)
            await RequireUnmovedAsync(request, tags, before, destination);
        var deliveries = await destinations.CommitTagsAsync(root, tags);
        return result with { Tags = tags, Transfer = deliveries[0].Transfer, LeftBehind = attached.LeftBehind, Renewed = renewed };
    }

    // The repository has what the old image references.
    private static async Task CommitAsync(DestinationSet destinations, RebasedPlatform platform)
    {
        var kept = platform.Before.Layers.Select(layer => layer.Descriptor.Digest).ToHashSet();
        foreach (var layer in platform.After.Layers.Where(layer => layer.Source is not null && kept.Contains(layer.Descriptor.Digest)))
            destinations.All[0].AssumePresent(layer.Descriptor);
        await destinations.CommitManifestsAsync(platform.After);
    }

    private async Task<IReadOnlyList<Tag>> FindTagsAsync(RebaseRequest request, Digest before, CancellationToken cancellationToken)
    {
        if (request.Tags.Count > 0 || request.Image is not { Digest: null, Tag: { } own })
            return request.Tags;
        var others = request.Companions.Where(tag => tag != own).ToList();
        var found = await Task.WhenAll(
            others.Select(tag => context.Registries.FindManifestAsync(request.Image.Repository.ReferenceTo(tag), cancellationToken))
        );
        return [own, .. others.Zip(found).Where(one => one.Second?.Digest == before).Select(one => one.First)];
    }

    // Registries have no condition on what a tag points at: the look is as late as it can be.
    private static async Task RequireUnmovedAsync(
        RebaseRequest request,
        IReadOnlyList<Tag> tags,
        Descriptor?[] before,
        IDestination destination
    )
    {
        var now = await Task.WhenAll(tags.Select(destination.FindTagAsync));
        for (var at = 0; at < tags.Count; at++)
        {
            if (now[at]?.Digest != before[at]?.Digest)
                throw new ImagePublishException(
                    DiagnosticCodes.TagMoved,
                    $"'{request.Image.Repository}:{tags[at]}' was moved to {now[at]?.Digest.Value ?? "nothing"} by another publish "
                        + "or command during the rebase. No tag was moved. Rebase it again."
                );
        }
    }
}

using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Policies;
using ImagePublish.Requests;
using ImagePublish.Sboms;
using ImagePublish.UpToDate;

namespace ImagePublish.Publishing;

/// <summary>
/// Publishes an image for one platform: pin to the lock file, check whether it is up to date, resolve the base, plan layers, find known
/// layers, stop if up to date, build and upload, compose, commit manifests, attach, sign, commit tags, record.
/// </summary>
internal sealed class ImagePublisher(PublishContext context, EarlyLayerBuild? earlyBuild = null)
{
    private readonly IPublishLog log = context.Log;
    private readonly BaseStep bases = new(context);
    private readonly PackageStep packages = new(context);
    private readonly TagGuard tagGuard = new(context.Registries, context.Store);
    private readonly DependencyCheckStep dependencies = new(context.Store, context.Log);
    private readonly OtherImagesStep otherImages = new(context);
    private readonly SbomStep sboms = new(context);
    private readonly PolicyStep policies = new(context);

    /// <summary>Publishes an image, or finds that the last publish of the same request is up to date.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public Task<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancellationToken) =>
        PublishSpans.PublishAsync(request, () => PublishUnlessUnchangedAsync(request, cancellationToken));

    private async Task<PublishResult> PublishUnlessUnchangedAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        await using var output = PublishOutput.Open(context, request, cancellationToken);
        await using var tasks = new TaskScope(cancellationToken);
        var pinned = await PinToLockAsync(request, output, cancellationToken);
        var check = await Spans.RunAsync("check up to date", () => context.UpToDate.FindAsync(pinned.Request, pinned.Files, tasks));
        if (
            check.Unchanged is { } unchanged
            && await sboms.RestoreAsync(pinned.Request, unchanged.Image, cancellationToken)
            && await policies.RepeatAsync(pinned.Request, unchanged, cancellationToken)
        )
            return await ReportUnchangedAsync(pinned.Request, unchanged, cancellationToken);
        var run = await RunStepsAsync(pinned, check.LocalBase, output, cancellationToken);
        return run.Result;
    }

    /// <summary>
    /// Publishes an image, or plans to, without the up-to-date check: its record is not enough to describe the image's layers.
    /// </summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public Task<PublishRun> RunAsync(PublishRequest request, PublishOutput output, CancellationToken cancellationToken) =>
        PublishSpans.RunAsync(request, output.IsWritten, async () =>
        {
            var pinned = await PinToLockAsync(request, output, cancellationToken);
            return await RunStepsAsync(pinned, localBase: null, output, cancellationToken);
        });

    // What is started here runs beside the steps that follow, and ends with this method: in `tasks`, or in the output's destinations.
    private async Task<PublishRun> RunStepsAsync(
        PinnedRequest pinned,
        BaseImage? localBase,
        PublishOutput output,
        CancellationToken cancellationToken
    )
    {
        var (request, destinations) = (pinned.Request, output.Destinations);
        using var session = await context.Store.BeginSessionAsync(cancellationToken);
        await using var tasks = new TaskScope(cancellationToken);
        var producer = CreateProducer(pinned, output, tasks);

        // Setting up the first connection takes as long as reading the publish folder.
        var resolving = tasks.Run(token => PublishSpans.ResolveBaseAsync(() => ResolveBaseAsync(request, localBase, token)));
        var resolvingAll = tasks.Run(async token => await otherImages.ResolveAsync(request, resolving, token));
        var readingFacts = tasks.Run(async token => await sboms.ReadFactsAsync(request, output, resolving, token));
        var findingPackages = tasks.Run(async token => await packages.FindLayerAsync(request, resolvingAll, producer, token));
        var inputs = await Spans.RunAsync("plan layers", () =>
            PlanLayersAsync(pinned, resolvingAll, findingPackages, output.LayerFiles, tasks.Token)
        );
        var findingLayers = inputs.Select(input => tasks.Run(token => producer.LookUpAsync(input, token))).ToList();
        var layers = new LayerLookups([.. (await findingPackages).Select(Task.FromResult), .. findingLayers]);
        var draft = new ImageDraft(pinned, await resolvingAll, layers)
        {
            App = dependencies.Take(request, layers, tasks),
            PackageFacts = readingFacts,
            Symbols = await SymbolsStep.PlanAsync(pinned, producer, tasks),
        };

        draft = draft with { Findings = await JudgeAsync(draft, inputs, tasks.Token) };
        if (await FindUnchangedAsync(draft, output, tasks) is { } known)
            return await RecordAsync(draft, known, output, tasks.Token);

        draft.App.BeginReading();
        draft = await KeepUnknownAsync(draft, output, tasks.Token);
        var heldTags = await tagGuard.FindAsync(request.Destinations, request.LocalName, request.HeldTags, tasks.Token);
        // An image that may be refused because of such a tag, or of its size, is not uploaded before it is whole.
        var mayUpload = heldTags.Count == 0 && !policies.MayRefuseSize(request);
        var built = await Spans.RunAsync("build and upload", () =>
            BuildAndUploadAsync(draft, producer, mayUpload ? destinations : null, tasks.Token)
        );
        var image = draft.Compose(built);
        await policies.CheckSizeAsync(request, image, [.. built.Select(layer => layer.Name)], tasks.Token);
        log.Detail($"The image is composed: {image.Digest}.");
        var attestations = Attest(draft, image, output, tasks);
        if (output.IsWritten)
            attestations.Start();
        var root = await attestations.ComposeRootAsync();
        await CheckTagsAsync(request, heldTags, root.Descriptor, tasks.Token);

        // A machine without a cache builds what the registry has, and finds only then that nothing changed.
        if (await destinations.HadAllBlobsAsync(image) && await IsUpToDateAsync(request, root, tasks.Token))
            return await RecordAsync(draft, await UnchangedAsync(draft, built, attestations, destinations), output, tasks.Token);

        attestations.StartAttaching(destinations);
        await Spans.RunAsync("commit manifests", () => destinations.CommitManifestsAsync(image));
        // What refers to the image by its digest belongs here: it is complete everywhere, and no tag points at it.
        var attached = await Spans.RunAsync("attach and sign", () => AttachAndSignAsync(attestations, root, destinations));
        if (DependenciesMayFail)
            await CheckDependenciesAsync(draft, image, tasks.Token);
        var tags = request.TagsFor(root.Descriptor.Digest);
        var wereTagged = await destinations.AreTaggedInStoreAsync(root.Descriptor, tags);
        var deliveries = await Spans.RunAsync("commit tags", () => destinations.CommitTagsAsync(root, tags));
        var result = draft.Published(image, built, deliveries) with { Root = root, Attached = attached };
        var run = await RecordAsync(draft, result, output, tasks.Token);
        // Known only now, when everything that an unchanged image is checked for has been.
        var isUnchanged = wereTagged && deliveries.All(delivery => delivery.Transfer.UploadedBytes == 0);
        return run with { Result = run.Result with { IsUnchanged = isUnchanged } };
    }

    private async Task<IReadOnlyList<Finding>> JudgeAsync(
        ImageDraft draft,
        IReadOnlyList<LayerInput> inputs,
        CancellationToken cancellationToken
    )
    {
        var known = await draft.Layers.AreKnownAsync() ? draft.Compose(await draft.Layers.KnownAsync()) : null;
        var config = known?.Config ?? draft.Compose([]).Config;
        return await policies.JudgeAsync(draft.Request, inputs, known, config, cancellationToken);
    }

    // The image is described beside what follows, or when somebody asks.
    private AttestationStep Attest(ImageDraft draft, Image image, PublishOutput output, TaskScope tasks)
    {
        var describing = new Lazy<Task<MemoryBlobSource?>>(() => tasks.Run(token => DescribeAsync(draft, image, output, token)));
        var attested = new AttestedImage(draft.Request, image, draft.Images, packages.Chosen)
        {
            Sbom = describing,
            Signer = ImageSigner.Create(draft.Request.Signing ?? draft.Request.Attestations?.Signing, context.Registries.Services),
            Symbols = draft.Symbols,
        };
        return new AttestationStep(attested, tasks);
    }

    private async Task<IReadOnlyList<AttachmentInfo>> AttachAndSignAsync(
        AttestationStep attestations,
        MemoryBlobSource root,
        DestinationSet destinations
    )
    {
        var request = attestations.Request;
        var signed = Signed(request, root) with { Config = attestations.Image.ConfigBlob.Descriptor.Digest };
        if (root == attestations.Image.Manifest)
        {
            var attaching = attestations.AttachSignedAsync(destinations, Signing(attestations), signed);
            await Task.WhenAll(attaching, WriteSbomAsync(attestations));
            await SignStatementsAsync(attestations, destinations);
            return await attaching;
        }

        var attached = await AttachAsync(attestations, destinations);
        await destinations.CommitIndexAsync(root);
        await Signing(attestations).SignAsync(destinations, signed);
        return attached;
    }

    private async Task<IReadOnlyList<AttachmentInfo>> AttachAsync(AttestationStep attestations, DestinationSet destinations)
    {
        await WriteSbomAsync(attestations);
        var attached = await attestations.AttachAsync(destinations);
        await SignStatementsAsync(attestations, destinations);
        return attached;
    }

    private async Task SignStatementsAsync(AttestationStep attestations, DestinationSet destinations)
    {
        if (attestations.Request.Attestations is { Placement: not AttestationPlacement.None, Signing: not null })
            await new SignedStatements(context, attestations.Signer!, attestations).AttachAsync(destinations);
    }

    private async Task WriteSbomAsync(AttestationStep attestations)
    {
        if (await attestations.DescribeAsync() is { } document)
            sboms.Write(attestations.Request.Sbom!.File, document);
    }

    private SigningStep Signing(AttestationStep attestations) =>
        new(context, attestations.Request.Signing is null ? null : attestations.Signer, attestations.Stop);

    private async Task<PinnedRequest> PinToLockAsync(PublishRequest request, PublishOutput output, CancellationToken cancellationToken)
    {
        earlyBuild?.HandOver();
        var pinned = await new LockStep(context).PinAsync(request, output, cancellationToken);
        var tags = await RememberedTags.OpenAsync(context.Store, pinned.PublishFolder, cancellationToken);
        return new PinnedRequest(pinned, new PublishedFiles(pinned, tags, cancellationToken));
    }

    private async Task<PublishResult> ReportUnchangedAsync(
        PublishRequest request,
        PublishedImage published,
        CancellationToken cancellationToken
    )
    {
        log.Detail("Neither the files nor the base image nor a tag changed since the last publish.");
        var image = published.Image;
        await dependencies.RepeatAsync(request, image, cancellationToken);
        var tags = request.TagsFor(published.Root.Descriptor.Digest);
        var deliveries = DestinationResult.Unchanged(request.Destinations, tags, image.Size);
        return new PublishResult(image, deliveries)
        {
            IsUnchanged = true,
            LayerNames = published.LayerNames,
            Root = published.Root,
            Attached = published.Attached,
        };
    }

    private async Task<MemoryBlobSource?> DescribeAsync(
        ImageDraft draft,
        Image image,
        PublishOutput output,
        CancellationToken cancellationToken
    )
    {
        if (draft.Request.Sbom is null)
            return null;
        if (!output.IsWritten)
        {
            if (draft.Request.Attestations?.Placement == AttestationPlacement.Index)
                log.Information("A plan makes no SBOM: the digest of the index, of which it is a part, is shown without it.");
            return null;
        }

        LayerInput[] contents = [.. (await draft.Layers.AllAsync()).Select(candidate => candidate.Content)];
        var subject = new SbomSubject(draft.Request, image, draft.Images, contents) { Facts = draft.PackageFacts };
        return await sboms.DescribeAsync(subject, cancellationToken);
    }

    // What has to be read of the base for the bill of materials is downloaded once, whether or not it is uploaded, too.
    private async Task<ImageDraft> KeepUnknownAsync(ImageDraft draft, PublishOutput output, CancellationToken cancellationToken)
    {
        if (draft.Request.Sbom is null || !output.IsWritten)
            return draft;
        var layers = await sboms.KeepUnknownAsync(draft.Base.Layers, cancellationToken);
        return draft with { Images = draft.Images with { Base = draft.Base with { Layers = layers } } };
    }

    private LayerProducer CreateProducer(PinnedRequest pinned, PublishOutput output, TaskScope tasks)
    {
        var images = CacheSources.Create(pinned.Request, areEmpty: earlyBuild?.FoundNoImages == true);
        var sources = new LayerSources
        {
            Files = pinned.Files,
            Store = context.Store,
            Cache = context.Cache,
            Registries = new RegistryLayerCache(context.Registries, context.Documents, images, log, tasks),
            EarlyBuild = earlyBuild,
            Listings = sboms.ListingsFor(pinned.Request, output),
        };
        return new LayerProducer(sources, output.Layers, pinned.Request.Compression, log);
    }

    private async Task<BaseImage> ResolveBaseAsync(PublishRequest request, BaseImage? localBase, CancellationToken cancellationToken)
    {
        var isThere = localBase is not null && new LocalBaseResolver(context.Store).IsStillThere(localBase);
        var inputs = new BaseInputs(request.Base, request.Spec.Platform, request.BaseTrust);
        var found = await bases.ResolveAsync(inputs, isThere ? localBase : null, cancellationToken);
        var mirror = request.Base is RegistryImage { Mirror: not null, Location: var location } ? $", read from {location}" : "";
        log.Detail($"The base image is {found.Name}, {found.Digest}, with {found.Layers.Count} layers{mirror}.");
        return found;
    }

    private async Task<IReadOnlyList<LayerInput>> PlanLayersAsync(
        PinnedRequest pinned,
        Task<ResolvedImages> resolving,
        Task<IReadOnlyList<LayerCandidate>> findingPackages,
        LayerFileReader layerFiles,
        CancellationToken cancellationToken
    )
    {
        var request = pinned.Request;
        if (request.OtherImages.Files.Count > 0)
        {
            var copied = await otherImages.ListFilesAsync(request, await resolving, layerFiles, cancellationToken);
            request = request with { Added = [.. request.Added, .. copied] };
        }

        var below = BaseFileSystem.Empty;
        if (LayerPlanner.NeedsBaseFiles(request))
        {
            var packageLayers = (await findingPackages).Select(candidate => (candidate.Content, candidate.Known));
            below = await new BaseFiles(context.Store, log).ReadAsync((await resolving).Base, [.. packageLayers], cancellationToken);
        }

        var files = await pinned.Files.ReadAsync();
        var inputs = LayerPlanner.Plan(request, files.Entries, below);
        log.Detail($"The files are read and divided into {inputs.Count} layers.");
        return inputs;
    }

    private async Task<PublishResult?> FindUnchangedAsync(ImageDraft draft, PublishOutput output, TaskScope tasks)
    {
        if (!await draft.Layers.AreKnownAsync())
            return null;
        var layers = await draft.Layers.KnownAsync();
        var attestations = Attest(draft, draft.Compose(layers), output, tasks);
        if (!await IsUpToDateAsync(draft.Request, await attestations.ComposeRootAsync(), tasks.Token))
            return null;
        await policies.CheckSizeAsync(draft.Request, attestations.Image, [.. layers.Select(layer => layer.Name)], tasks.Token);
        return await UnchangedAsync(draft, layers, attestations, output.Destinations);
    }

    // An image that was published without attestations or signatures gets them, and no tag moves.
    private async Task<PublishResult> UnchangedAsync(
        ImageDraft draft,
        IReadOnlyList<NamedLayer> layers,
        AttestationStep attestations,
        DestinationSet destinations
    )
    {
        var attached = await AttachAsync(attestations, destinations);
        var root = await attestations.ComposeRootAsync();
        await Signing(attestations).SignUnchangedAsync(destinations, Signed(draft.Request, root));
        return draft.Unchanged(attestations.Image, layers, root) with { Attached = attached };
    }

    private static SignedImage Signed(PublishRequest request, MemoryBlobSource root) => new(root, request.TagsFor(root.Descriptor.Digest));

    private Task<bool> IsUpToDateAsync(PublishRequest request, MemoryBlobSource root, CancellationToken cancellationToken)
    {
        var digest = root.Descriptor.Digest;
        return context.Destinations.AreUpToDateAsync(request.Destinations, request.TagsFor(digest), digest, cancellationToken);
    }

    private async Task CheckTagsAsync(
        PublishRequest request,
        IReadOnlyList<HeldTag> heldTags,
        Descriptor root,
        CancellationToken cancellationToken
    )
    {
        var isPlatform = request.Tags.Count + request.ContentTags.Count == 0;
        await tagGuard.CheckAsync(heldTags, root, isPlatform, cancellationToken);
        // Known only now. That such a tag is another image's takes a tag that was set by hand: layers are not held back for that.
        if (!request.HoldsContentTags)
            return;
        Tag[] late = [.. request.ContentTags.Select(tag => tag.For(root.Digest))];
        var found = await tagGuard.FindAsync(request.Destinations, request.LocalName, late, cancellationToken);
        TagGuard.Check(found, root, "No tag was moved");
    }

    // Each layer is uploaded while the next one is built.
    private async Task<NamedLayer[]> BuildAndUploadAsync(
        ImageDraft draft,
        LayerProducer producer,
        DestinationSet? destinations,
        CancellationToken cancellationToken
    )
    {
        var baseLayers = draft.Base.Layers;
        var own = baseLayers.Count - draft.Base.TakenLayers.Count;
        for (var index = 0; index < baseLayers.Count; index++)
            log.NameBlob(
                baseLayers[index].Descriptor.Digest.Value,
                index < own ? $"base layer {index + 1}" : $"layer of {draft.Base.TakenLayers[index - own]}"
            );
        destinations?.StartUploads(baseLayers);
        var layers = new NamedLayer[draft.Layers.Count];
        await foreach (var (index, candidate) in draft.Layers.AsFoundAsync())
        {
            var layer = await producer.ProduceAsync(candidate, draft.Format, cancellationToken);
            layers[index] = layer;
            log.NameBlob(layer.Layer.Descriptor.Digest.Value, layer.Name);
            destinations?.StartUploads([layer.Layer]);
        }

        return layers;
    }

    // The check need not delay a publish, unless its warnings are errors: then no tag may have moved.
    private bool DependenciesMayFail => log.IsError(DiagnosticCodes.LibraryMissing) || log.IsError(DiagnosticCodes.OtherMachine);

    private Task CheckDependenciesAsync(ImageDraft draft, Image image, CancellationToken cancellationToken) =>
        Spans.RunAsync("check dependencies", () =>
            dependencies.ExamineAsync(draft.Request, image, draft.Base, draft.App, cancellationToken)
        );

    private async Task<PublishRun> RecordAsync(
        ImageDraft draft,
        PublishResult result,
        PublishOutput output,
        CancellationToken cancellationToken
    )
    {
        if (result.IsUnchanged || !DependenciesMayFail)
            await CheckDependenciesAsync(draft, result.Image, cancellationToken);
        LayerInput[] inputs = [.. (await draft.Layers.AllAsync()).Select(candidate => candidate.Content)];
        var length = OtherPlatformFiles.LengthOfNew(result.Image, inputs);
        var files = await draft.Pinned.Files.ReadAsync();
        result = result with { ForeignLength = length, OmittedLength = files.OtherPlatformsLength };
        var run = new PublishRun(draft.Pinned, result, draft.Images, inputs);
        if (output.IsWritten)
            await policies.RememberAsync(draft.Request, result.Image, draft.Findings, cancellationToken);
        await output.RecordAsync(run, cancellationToken);
        return run;
    }

    /// <summary>What an image is made of, once its base is resolved and its layers are planned.</summary>
    private sealed record ImageDraft(PinnedRequest Pinned, ResolvedImages Images, LayerLookups Layers)
    {
        private readonly ImageSpec spec = WithGeneratedLabels(Pinned.Request, Images.Base);

        /// <summary>What is checked for missing libraries.</summary>
        public required ExaminedApp App { get; init; }

        /// <summary>What is known of the packages, for the bill of materials.</summary>
        public Task<SbomFacts?>? PackageFacts { get; init; }

        public SymbolsStep? Symbols { get; init; }

        /// <summary>What was found in the files.</summary>
        public IReadOnlyList<Finding> Findings { get; init; } = [];

        public BaseImage Base => Images.Base;

        public PublishRequest Request => Pinned.Request;

        public ImageFormat Format => spec.Format ?? Base.Format;

        public Image Compose(IReadOnlyList<NamedLayer> layers) => ImageComposer.Compose(spec, Base, layers, Request.CacheTrust.Key);

        public PublishResult Published(Image image, IReadOnlyList<NamedLayer> layers, IReadOnlyList<DestinationResult> deliveries) =>
            new(image, deliveries)
            {
                LayerNames =
                [
                    .. Base.Layers.SkipLast(Base.TakenLayers.Count).Select(_ => PublishResult.BaseLayer),
                    .. Base.TakenLayers,
                    .. layers.Select(layer => layer.Name),
                ],
            };

        public PublishResult Unchanged(Image image, IReadOnlyList<NamedLayer> layers, MemoryBlobSource root)
        {
            var deliveries = DestinationResult.Unchanged(Request.Destinations, Request.TagsFor(root.Descriptor.Digest), image.Size);
            return Published(image, layers, deliveries) with { Root = root, IsUnchanged = true };
        }

        // The user's labels win over generated ones.
        private static ImageSpec WithGeneratedLabels(PublishRequest request, BaseImage baseImage)
        {
            if (request.Project is null)
                return request.Spec;
            var generated = ImageLabels.Generate(request.Project, baseImage, request.Spec.Created);
            return request.Spec with
            {
                Labels = [.. generated, .. request.Spec.Labels],
                Annotations = [.. generated, .. request.Spec.Annotations],
            };
        }
    }
}

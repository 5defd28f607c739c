using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing.Locking;
using ImagePublish.Publishing.Planning;
using ImagePublish.Publishing.Reports;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.UpToDate;

namespace ImagePublish.Publishing;

/// <summary>Publishes an image for one platform: resolve the base, plan, look up, build, deliver, tag.</summary>
internal sealed class ImagePublisher(RegistryClient registries, ImageStore store, IPublishLog log, EarlyLayerBuild? headStart = null)
{
    private readonly LayerCache cache = new(store);
    private readonly RegistryDocuments documents = new(registries, store);

    private DestinationFactory Places => new(registries, documents, store);

    /// <summary>Publishes an image. A layer is moved while the next one is built; no tag moves before everything it needs is confirmed.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        request = await PinAsync(request, isPlan: false, cancellationToken);
        var files = await FilesOfAsync(request, cancellationToken);
        var last = new UpToDateCheck(store, documents, Places);
        if (await last.FindAsync(request, files, cancellationToken) is { } unchanged)
        {
            log.Detail("Neither the files nor the base image nor a tag changed since the last publish.");
            await new DependencyCheckStep(store, log).RepeatAsync(request, unchanged.Image, cancellationToken);
            return unchanged;
        }

        var run = await RunAsync(request, files, planned: null, cancellationToken, last.KeptBase);
        await last.RememberAsync(request, files, run.Base, run.Result, cancellationToken);
        return run.Result;
    }

    /// <summary>Does everything that a publish does but write: its numbers are those that a publish reports next.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<ImagePlan> PlanAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        request = await PinAsync(request, isPlan: true, cancellationToken);
        await using var destinations = Places.OpenPlanned(request.Destinations, request.LocalName, cancellationToken);
        var run = await RunAsync(request, await FilesOfAsync(request, cancellationToken), destinations, cancellationToken);
        return await new ImagePlanner(registries, store, documents, log).DescribeAsync(request, run, destinations, cancellationToken);
    }

    /// <summary>Publishes an image, and keeps at hand what a report tells of it and of the one that the tag pointed at before.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<ReportedPublish> PublishForReportAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        request = await PinAsync(request, isPlan: false, cancellationToken);
        var current = await new CurrentImages(registries, store, documents, log).FindAsync(request, cancellationToken);
        var files = await FilesOfAsync(request, cancellationToken);
        var run = await RunAsync(request, files, planned: null, cancellationToken);
        await new UpToDateCheck(store, documents, Places).RememberAsync(request, files, run.Base, run.Result, cancellationToken);
        return new ReportedPublish(run.Result, token => new ImageReporter(store, log).DescribeAsync(request, run, current, token));
    }

    private async Task<PublishRun> RunAsync(
        PublishRequest request,
        PublishedFiles files,
        DestinationSet? planned,
        CancellationToken cancellationToken,
        BaseImage? keptBase = null
    )
    {
        using var session = await store.BeginSessionAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // On another thread from the start: setting up the first connection takes as long as reading the publish folder.
        var resolving = Task.Run(() => ResolveAsync(request, keptBase, stop.Token), stop.Token);
        var earlier = new RegistryLayerCache(
            registries,
            documents,
            CacheSources.Create(request, headStart?.FoundNoImages == true),
            request.CacheTrust,
            log,
            stop.Token
        );
        var producer = new LayerProducer(store, cache, earlier, files, log, headStart, isPlan: planned is not null);
        var packages = new PackageStep(registries, store, log, isPlan: planned is not null);
        await using var layers = new LayerLookups(producer, request.Compression, stop.Token);
        try
        {
            await LookUpAsync(request, files, layers, packages, producer, () => resolving, stop.Token);
            var baseImage = await resolving;
            var result = await PublishAsync(request, baseImage, layers, producer, packages, planned, stop.Token);
            var candidates = await layers.AllAsync();
            if (!MustExamineFirst || result.IsUnchanged || planned is not null)
                await new DependencyCheckStep(store, log).ExamineAsync(request, result.Image, baseImage, candidates, stop.Token);
            LayerInput[] contents = [.. candidates.Select(candidate => candidate.Content)];
            return new PublishRun(
                result with
                {
                    ForeignLength = OtherPlatformFiles.LengthOfNew(result.Image, contents),
                },
                baseImage,
                contents
            );
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)resolving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The doctor need not delay a publish, unless what it finds fails the build: then no tag may have moved.
    private bool MustExamineFirst => log.IsError(DiagnosticCodes.LibraryMissing) || log.IsError(DiagnosticCodes.OtherMachine);

    // How every publish begins, so that none passes by the lock.
    private Task<PublishRequest> PinAsync(PublishRequest request, bool isPlan, CancellationToken cancellationToken)
    {
        headStart?.HandOver();
        return new LockStep(registries, documents, store, log).PinAsync(request, isPlan, cancellationToken);
    }

    private async Task<PublishedFiles> FilesOfAsync(PublishRequest request, CancellationToken cancellationToken) =>
        new(
            request,
            FileFingerprints.AreSupported ? new FileFingerprints(cache.DeriveContentTagKey(FileFingerprints.KeySize)) : null,
            cancellationToken
        );

    private async Task<BaseImage> ResolveAsync(PublishRequest request, BaseImage? keptBase, CancellationToken cancellationToken)
    {
        var isThere = keptBase is not null && new LocalBaseResolver(store).IsStillThere(keptBase);
        var found = isThere
            ? keptBase!
            : await new BaseResolver(registries, documents, store).ResolveAsync(request.Base, request.Spec.Platform, cancellationToken);
        log.Detail($"The base image is {found.Name}, {found.Digest}, with {found.Layers.Count} layers.");
        return found;
    }

    private async Task<PublishResult> PublishAsync(
        PublishRequest request,
        BaseImage baseImage,
        LayerLookups lookups,
        LayerProducer producer,
        PackageStep packages,
        DestinationSet? planned,
        CancellationToken cancellationToken
    )
    {
        var spec = Labelled(request, baseImage);
        if (await lookups.AreKnownAsync())
        {
            var known = (await lookups.AllAsync()).Select(candidate => new NamedLayer(candidate.Content.Name, candidate.Known!)).ToList();
            var unchanged = ImageComposer.Compose(spec, baseImage, known, request.CacheTrust.Key);
            if (await Places.AreUpToDateAsync(request.Destinations, request.Tags, unchanged.Digest, cancellationToken))
                return Unchanged(request, unchanged, baseImage, known);
        }

        var guard = new TagGuard(registries, store);
        var held = await guard.FindAsync(request.Destinations, request.LocalName, request.HeldTags, cancellationToken);
        await using var opened = planned is null ? Places.Open(request.Destinations, request.LocalName, cancellationToken) : null;
        var destinations = planned ?? opened!;
        var layers = await ProduceAsync(
            request,
            spec.Format ?? baseImage.Format,
            baseImage,
            lookups,
            producer,
            packages,
            held.Count == 0 ? destinations : null,
            cancellationToken
        );
        var image = ImageComposer.Compose(spec, baseImage, layers, request.CacheTrust.Key);
        log.Detail($"The image is composed: {image.Digest}.");
        await guard.CheckAsync(held, image.Manifest.Descriptor, isPlatform: request.Tags.Count == 0, cancellationToken);

        // A machine without a cache builds what the registry has, and finds only then that nothing changed.
        if (
            await destinations.HadAllBlobsAsync(image)
            && await Places.AreUpToDateAsync(request.Destinations, request.Tags, image.Digest, cancellationToken)
        )
        {
            if (planned is null)
                await RememberDocumentsAsync(image, cancellationToken);
            return Unchanged(request, image, baseImage, layers);
        }

        await destinations.CommitManifestsAsync(image);
        if (planned is null && MustExamineFirst)
            await new DependencyCheckStep(store, log).ExamineAsync(request, image, baseImage, await lookups.AllAsync(), cancellationToken);
        var deliveries = await destinations.CommitTagsAsync(image.Manifest, request.Tags);
        if (planned is null)
            await RememberDocumentsAsync(image, cancellationToken);
        return new PublishResult(image, deliveries) { LayerNames = NamesOf(baseImage, layers) };
    }

    private async Task RememberDocumentsAsync(Image image, CancellationToken cancellationToken)
    {
        await documents.RememberAsync(image.Manifest, cancellationToken);
        await documents.RememberAsync(image.ConfigBlob, cancellationToken);
    }

    private static PublishResult Unchanged(PublishRequest request, Image image, BaseImage baseImage, IEnumerable<NamedLayer> layers) =>
        new(image, DestinationResult.Unchanged(request.Destinations, request.Tags, image.Size))
        {
            IsUnchanged = true,
            LayerNames = NamesOf(baseImage, layers),
        };

    // What a tag that may not move is compared with goes nowhere before it is.
    private async Task<NamedLayer[]> ProduceAsync(
        PublishRequest request,
        ImageFormat format,
        BaseImage baseImage,
        LayerLookups lookups,
        LayerProducer producer,
        PackageStep packages,
        DestinationSet? destinations,
        CancellationToken cancellationToken
    )
    {
        for (var at = 0; at < baseImage.Layers.Count; at++)
            log.NameBlob(baseImage.Layers[at].Descriptor.Digest.Value, $"base layer {at + 1}");
        destinations?.StartUploads(baseImage.Layers);
        var layers = new NamedLayer[lookups.Count];
        await foreach (var (place, candidate) in lookups.AsFoundAsync())
        {
            var layer = layers[place] = await producer.ProduceAsync(candidate, request.Compression, format, cancellationToken);
            log.NameBlob(layer.Layer.Descriptor.Digest.Value, layer.Name);
            destinations?.StartUploads([layer.Layer]);
            await packages.RememberAsync(candidate, layer.Layer.DiffId, cancellationToken);
        }

        return layers;
    }

    private static IReadOnlyList<string> NamesOf(BaseImage baseImage, IEnumerable<NamedLayer> layers) =>
        [.. baseImage.Layers.Select(_ => PublishResult.BaseLayer), .. layers.Select(layer => layer.Name)];

    // Ends when all layers are known of that there are; they are still being looked up.
    private async Task LookUpAsync(
        PublishRequest request,
        PublishedFiles files,
        LayerLookups layers,
        PackageStep packages,
        LayerProducer producer,
        Func<Task<BaseImage>> resolving,
        CancellationToken cancellationToken
    )
    {
        var below = packages.LookUpAsync(request, resolving, producer, cancellationToken);
        var dividing = DivideAsync();
        await Task.WhenAll(below, dividing);
        layers.PutBelow(await below);

        async Task DivideAsync()
        {
            var contents = await new LayerPlanner(new BaseFiles(store, log), resolving, () => below).PlanAsync(
                request,
                files,
                cancellationToken
            );
            log.Detail($"The files are read and divided into {contents.Count} layers.");
            layers.Start(contents);
        }
    }

    // What the user says wins over what is generated.
    private static ImageSpec Labelled(PublishRequest request, BaseImage baseImage)
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

using System.Diagnostics;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting;
using ImagePublish.Reporting.Page;
using ImagePublish.Reproducing;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Makes an image of the publish folder and delivers it.</summary>
public sealed class PublishImage : PublishImageInputs
{
    private const long DefaultStoreLimit = 10_000_000_000;
    private EngineChoice? engine;
    private string? sbomFile;

    /// <summary>The bytes that the local store may have, such as <c>10GB</c>.</summary>
    public string? StoreLimit { get; set; }

    /// <summary>For an image of an index: where its part of the report is written for the index's.</summary>
    public string? ReportPart { get; set; }

    /// <summary>The folder of the project's intermediate files, by which <see cref="BeginImageEarly"/> of the same build is
    /// known.</summary>
    public string? IntermediateDirectory { get; set; }

    /// <summary>The container engine that the image is loaded into afterwards, as <c>ImageLoad</c> says it; empty for none.</summary>
    public string? Load { get; set; }

    /// <summary>Where an image is described that this one is only compared with; empty for a publish.</summary>
    public string? ReproduceFolder { get; set; }

    internal override string Activity => $"Publishing the image of {ProjectName}{(IsPartOfIndex ? $" for {RuntimeIdentifier}" : "")}";

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        using var earlyBuild = InputParser.Optional(IntermediateDirectory) is { } folder
            ? BeginImageEarly.Take(BuildEngine4, FullPath(folder))
            : null;
        engine = InputParser.Optional(Load) is { } load ? EngineEnvironment.ReadChoice(load) : null;
        var variants = ReadVariants();
        if (InputParser.Optional(ReproduceFolder) is { } reproduced)
        {
            var own = (PublishImage)CopyFor(null);
            var results = new ReproductionFolder(FullPath(reproduced));
            var compared = await own.ReproduceAsync(own.ReadRequest(), results, log, cancellationToken);
            results.Write(compared with { Variants = [.. variants.Select(variant => variant.Name)] });
            ReportResult(own);
            return;
        }

        await PublishAllAsync(variants, copy =>
        {
            var own = (PublishImage)copy;
            var request = own.ReadRequest();
            return () => own.DeliverAsync(own.Variant is null ? earlyBuild : null, request, log, cancellationToken);
        });
    }

    internal override PublishTask CopyFor(ImageVariant? variant)
    {
        var copy = (PublishImage)base.CopyFor(variant);
        if (variant is not null)
            copy.ReportPart = null;
        return copy;
    }

    private async Task DeliverAsync(
        EarlyLayerBuild? earlyBuild,
        PublishRequest request,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        if (!IsPartOfIndex && Variant is null)
            new ImageNames(this).ReportOffline(log);
        var limit = Amounts.ParseSize(StoreLimit, "ImageStoreLimit") ?? DefaultStoreLimit;
        var store = OpenStore();
        if (!IsPartOfIndex)
        {
            await ClaimAsync(request.Destinations, store, request.LocalName, request.Tags, cancellationToken);
            CheckCi(log);
        }

        var clock = Stopwatch.StartNew();
        var context = CreateContext(request, store, log);
        if (DryRun)
        {
            await PlanAsync(context, earlyBuild, request, cancellationToken);
            return;
        }

        if (IsReported)
        {
            var reporter = new ImageReporter(context, earlyBuild);
            await PublishAndReportAsync(reporter, request, clock, log, cancellationToken);
        }
        else
        {
            var result = await new ImagePublisher(context, earlyBuild).PublishAsync(request, cancellationToken);
            ReportResult(result, clock.Elapsed, log);
            if (result.IsUnchanged)
                return;
        }

        await KeepWithinAsync(limit, store, log, cancellationToken);
    }

    private async Task<PlatformReproduction> ReproduceAsync(
        PublishRequest request,
        ReproductionFolder folder,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var plan = folder.ReadPlan();
        var source = ImageSourceReader.Read(plan.Source, ResolvePath);
        var asked = source is RegistryImage remote ? remote.Reference.Repository : null;
        var local = request with { Destinations = asked is null ? [] : [asked] };
        var context = CreateContext(local, OpenStore(), log);
        var (compared, run) = await new Reproducer(context, plan).RunAsync(local, source, cancellationToken);
        var image = PublishedImageItem.Create(run.Result, run.Result.Deliveries[0], FullPath(ResultFile), "");
        ReportResult([image], [], PublishJson.Write(run.Result), log);
        return compared;
    }

    private PublishRequest ReadRequest()
    {
        var request = new PublishRequestReader(this).Read();
        sbomFile = request.Sbom?.File;
        return request;
    }

    private PublishContext CreateContext(PublishRequest request, ImageStore store, IPublishLog log)
    {
        var session = ConnectFor(request);
        var shared = new SharedReferences(session.References, BaseMirror.ReferencesTo(request.OtherImages.Sources.Prepend(request.Base)))
        {
            EarlyReading = session.EarlyReadingOf(request.Base, request.Spec.Platform),
        };
        return new PublishContext(session.Registries, store, log, shared);
    }

    private BuildSession ConnectFor(PublishRequest request)
    {
        var pushed = request.Destinations.Select(repository => repository.Registry);
        var published = PublishedRegistries.Of(request.Destinations, request.Base) with { SignIn = HostSignIn };
        var settings = SessionSettings.Read(this, pushed, RegistriesBesides(request), published);
        return BuildSession.GetOrCreate(BuildEngine4, settings);
    }

    private static IEnumerable<Oci.Registry> RegistriesBesides(PublishRequest request) =>
        [
            .. request
                .OtherImages.Sources.Prepend(request.Base)
                .OfType<RegistryImage>()
                .Select(image => image.Location.Repository.Registry),
            .. (request.CacheFrom ?? []).Select(image => image.Repository.Registry),
        ];

    private string ReportPartFile => string.IsNullOrEmpty(ReportPart) ? "" : FullPath(ReportPart);

    // A portable app on Alpine loads what is for musl, whatever the image's identifier is called.
    private string AdvisedRuntimeIdentifier =>
        $"{Base} {BaseFamily}".Contains("alpine", StringComparison.OrdinalIgnoreCase)
        && !RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            ? RuntimeIdentifier.Replace("linux-", "linux-musl-", StringComparison.Ordinal)
            : RuntimeIdentifier;

    private bool IsReported => !string.IsNullOrEmpty(base.Report) || !string.IsNullOrEmpty(ReportPart);

    private async Task PlanAsync(
        PublishContext context,
        EarlyLayerBuild? earlyBuild,
        PublishRequest request,
        CancellationToken cancellationToken
    )
    {
        var log = context.Log;
        var plan = await new ImagePlanner(context, earlyBuild).PlanAsync(request, cancellationToken);
        var images = plan.Destinations.Select(destination =>
            PlannedImageItem.Create(plan, destination, FullPath(ResultFile), ReportPartFile)
        );
        ReportResult(
            WithDocuments(images, plan.Result.Image.Manifest, plan.Result.Image.ConfigBlob),
            PlanTables.Lines(ProjectName, plan),
            PlanJson.Write(plan),
            log
        );
        if (!IsReported)
            return;
        var report = await new ImageReporter(context).DescribeAsync(plan.Run, cancellationToken);
        ReportOn(ReportPage.Part(report), part => ReportPage.Write(ProjectName, plan, part), log);
    }

    private void ReportResult(PublishResult result, TimeSpan elapsed, IPublishLog log)
    {
        var images = result.Deliveries.Select(delivery =>
            PublishedImageItem.Create(result, delivery, FullPath(ResultFile), ReportPartFile)
        );
        ReportResult(
            WithDocuments(images, result.Image.Manifest, result.Image.ConfigBlob),
            PublishSummary.Lines(ProjectName, result, elapsed, engine),
            PublishJson.Write(result),
            log
        );
        if (sbomFile is not null)
            log.Information($"  The SBOM is in {sbomFile}");
        if (IsPartOfIndex || Variant is not null)
        {
            TryRecord(summary: null, table: null, (TaskLog)log);
            return;
        }

        if (!KeepOtherPlatforms && PublishSummary.Advice(result, AdvisedRuntimeIdentifier) is { } advice)
            log.Information(advice);
        ReportToCi(ProjectSummary.Create(ProjectName, ProjectFile, result), () => PublishMarkdown.Write(ProjectName, result), log);
    }

    private async Task PublishAndReportAsync(
        ImageReporter reporter,
        PublishRequest request,
        Stopwatch clock,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var run = await reporter.PublishAsync(request, cancellationToken);
        var (result, elapsed) = (run.Result, clock.Elapsed);
        ReportResult(result, elapsed, log);
        var report = await reporter.DescribeAsync(run, cancellationToken);
        ReportOn(ReportPage.Part(report), part => ReportPage.Write(ProjectName, result, elapsed, part), log);
    }

    private void ReportOn(byte[] part, Func<byte[], byte[]> page, IPublishLog log)
    {
        if (!string.IsNullOrEmpty(ReportPart))
            WholeFile.Write(FullPath(ReportPart), "report", part);
        if (!string.IsNullOrEmpty(base.Report))
            WriteReport(page(part), log);
    }

    // What was used least goes first, and never an image that the user can name. A store that can't be tidied up now will be with the next
    // image.
    private static async Task KeepWithinAsync(long limit, ImageStore store, IPublishLog log, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.KeepWithinAsync(limit, cancellationToken) is { Blobs.Count: > 0 } pruned)
                log.Detail($"The local store was larger than {ByteSize.Show(limit)}: {ByteSize.Show(pruned.FreedBytes)} were removed.");
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"The local store could not be tidied up: {exception.Message}");
        }
    }
}

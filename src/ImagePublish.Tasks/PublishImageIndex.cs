using System.Diagnostics;
using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting;
using ImagePublish.Reporting.Page;
using ImagePublish.Requests;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Joins images for several platforms into one, and tags it.</summary>
public sealed class PublishImageIndex : PublishTask
{
    /// <summary>Images that were published for one platform each, as <see cref="PublishImage"/> returned them.</summary>
    public ITaskItem[] Images { get; set; } = [];

    /// <summary>References by digest of images that were published elsewhere.</summary>
    public string? IndexFrom { get; set; }

    /// <summary>Where an image is described that this one is only compared with; empty for a publish.</summary>
    public string? ReproduceFolder { get; set; }

    internal override string Activity => $"Publishing the images of {ProjectName} as one";

    // An image that is joined from elsewhere has no variants here.
    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken) =>
        PublishAllAsync(
            InputParser.Optional(ReproduceFolder) is null
                ? [.. ImageVariant.Read(Variants).Where(variant => ImagesOf(variant).Length > 0)]
                : [],
            copy => () => ((PublishImageIndex)copy).DeliverAsync(log, cancellationToken)
        );

    internal override PublishTask CopyFor(ImageVariant? variant)
    {
        var copy = (PublishImageIndex)base.CopyFor(variant);
        copy.Images = ImagesOf(variant);
        if (variant is not null)
            copy.IndexFrom = null;
        return copy;
    }

    private ITaskItem[] ImagesOf(ImageVariant? variant) =>
        [.. Images.Where(image => image.GetMetadata(ImageVariant.Metadata) == (variant?.Name ?? ""))];

    private async Task DeliverAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new ImageNames(this);
        var request = ReadRequest(names);
        if (InputParser.Optional(ReproduceFolder) is { } reproduced)
        {
            var index = IndexComposer.Compose(request.Images, request.Annotations, []);
            new ReproductionFolder(FullPath(reproduced)).WriteIndex(index.Content);
            return;
        }

        if (Variant is null)
            names.ReportOffline(log);
        var store = OpenStore();
        // What is joined was published before, perhaps by other projects of this build and under one of these names.
        if (request.From.Count == 0)
            await ClaimAsync(request.Destinations, store, request.LocalName, request.Tags, cancellationToken);
        CheckCi(log);
        var settings = SessionSettings.Read(
            this,
            request.Destinations.Select(repository => repository.Registry),
            request.From.Select(image => image.Repository.Registry),
            PublishedRegistries.Of(request.Destinations, null) with
            {
                SignIn = HostSignIn,
            }
        );
        var context = new PublishContext(BuildSession.GetOrCreate(BuildEngine4, settings).Registries, store, log);
        var results = await PublishedImageItem.ReadAsync(Images, PublishedImageItem.ResultFile, cancellationToken);
        if (DryRun)
            await PlanAsync(context, request, results, cancellationToken);
        else
            await PublishAsync(context, request, results, cancellationToken);
    }

    private IndexRequest ReadRequest(ImageNames names)
    {
        var source = GitInfo.Read(this);
        var tags = names.Tags(source.TagContext(this, runtimeIdentifier: null));
        return new IndexRequest
        {
            Images = [.. Images.Select(PublishedImageItem.Descriptor).DistinctBy(image => image.Digest)],
            From = [.. InputParser.Words(IndexFrom).Select(text => InputParser.Named("ImageIndexFrom", text, Reference.Parse))],
            Annotations = [.. Generated(source), .. InputParser.Pairs([.. Annotations.Where(SpecReader.IsForIndex)], "ImageAnnotation")],
            Destinations = names.Destinations,
            LocalName = names.LocalName,
            Tags = tags,
            ContentTags = ImageNames.ContentTags(Tags, () => source.TagContext(this, runtimeIdentifier: null)),
            HoldsContentTags = !TagOverwrite,
            ComparedTags = string.IsNullOrEmpty(Report) ? [] : tags,
            HeldTags = TagsToHold(names, tags),
            Signing = SigningReader.Read(this),
            Attestations = IsInIndex ? [.. Images.SelectMany(PublishedImageItem.Attestations).DistinctBy(one => one.Digest)] : [],
            Placement = Provenance || InputParser.Optional(Attestations) is not null ? ReadPlacement() : AttestationPlacement.None,
        };
    }

    private bool IsInIndex => ReadPlacement() == AttestationPlacement.Index;

    private AttestationPlacement ReadPlacement() => InputParser.Choice(Attestations, "ImageAttestations", AttestationPlacement.Referrers);

    private async Task PlanAsync(
        PublishContext context,
        IndexRequest request,
        IReadOnlyList<byte[]> results,
        CancellationToken cancellationToken
    )
    {
        var log = context.Log;
        var plan = await new IndexPublisher(context).PlanAsync(request, cancellationToken);
        DestinationResult[] together =
        [
            .. plan.Destinations.Select(destination => PlannedImageItem.Together(destination.Delivery, Images)),
        ];
        ReportResult(
            WithDocuments(together.Select(delivery => PublishedImageItem.Create(plan.Result, delivery)), plan.Result.Index),
            PlanTables.Lines(ProjectName, plan, together),
            PlanJson.Write(plan, together, results),
            log
        );
        await ReportAsync(context, plan.Result, parts => ReportPage.Write(ProjectName, plan, together, parts), log, cancellationToken);
    }

    private async Task PublishAsync(
        PublishContext context,
        IndexRequest request,
        IReadOnlyList<byte[]> results,
        CancellationToken cancellationToken
    )
    {
        var log = context.Log;
        var clock = Stopwatch.StartNew();
        var result = await new IndexPublisher(context).PublishAsync(request, cancellationToken);
        var elapsed = clock.Elapsed;
        result = result with { Deliveries = [.. result.Deliveries.Select(delivery => PublishedImageItem.Together(delivery, Images))] };
        var images = result.Deliveries.Select(delivery => PublishedImageItem.Create(result, delivery));
        ReportResult(
            WithDocuments(images, result.Index),
            PublishSummary.Lines(ProjectName, result),
            PublishJson.Write(result, results),
            log
        );
        if (Variant is null)
            ReportToCi(ProjectSummary.Create(ProjectName, ProjectFile, result), () => PublishMarkdown.Write(ProjectName, result), log);
        await ReportAsync(context, result, parts => ReportPage.Write(ProjectName, result, elapsed, parts), log, cancellationToken);
    }

    private async Task ReportAsync(
        PublishContext context,
        IndexResult result,
        Func<IReadOnlyList<byte[]>, byte[]> page,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrEmpty(Report))
            return;
        var parts = await PublishedImageItem.ReadAsync(Images, PublishedImageItem.ReportPart, cancellationToken);
        var joined = await new ImageReporter(context).DescribeJoinedAsync(result, cancellationToken);
        WriteReport(page([.. parts, .. joined.Select(ReportPage.Part)]), log);
    }

    private IReadOnlyList<KeyValuePair<string, string>> Generated(GitInfo source) =>
        ReadProject(source) is { } project ? ImageLabels.Generate(project, null, source.Created) : [];
}

using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.UpToDate;

namespace ImagePublish.Publishing;

/// <summary>Everything that a publish writes. A plan runs the same steps with an output that only measures.</summary>
internal abstract class PublishOutput(PublishContext context, DestinationSet destinations, ILayerOutput layers) : IAsyncDisposable
{
    /// <summary>Writes to registries, or to the local store if the request has no destinations.</summary>
    public static PublishOutput Open(PublishContext context, PublishRequest request, CancellationToken cancellationToken) =>
        new WrittenOutput(context, context.Destinations.Open(request.Destinations, request.LocalName, cancellationToken));

    /// <summary>Writes nothing: destinations are asked what they have, and layers are built to be measured.</summary>
    public static PublishOutput OpenPlanned(PublishContext context, PublishRequest request, CancellationToken cancellationToken) =>
        new PlannedOutput(context, context.Destinations.OpenPlanned(request.Destinations, request.LocalName, cancellationToken));

    /// <summary>Whether files and the store are written to.</summary>
    public abstract bool IsWritten { get; }

    public DestinationSet Destinations => destinations;

    public ILayerOutput Layers => layers;

    /// <summary>Files of other images, until the publish is over.</summary>
    public LayerFileReader LayerFiles { get; } = new(context.Store, context.Log);

    public abstract Task<string> RenewLockAsync(
        LockRequest request,
        Platform platform,
        PlatformLock entry,
        CancellationToken cancellationToken
    );

    public abstract Task RecordAsync(PublishRun run, CancellationToken cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await destinations.DisposeAsync();
        await LayerFiles.DisposeAsync();
    }
}

internal sealed class WrittenOutput(PublishContext context, DestinationSet destinations)
    : PublishOutput(context, destinations, new StoredLayers(context.Store, context.Cache, context.Log))
{
    private readonly PublishContext context = context;

    public override bool IsWritten => true;

    public override async Task<string> RenewLockAsync(
        LockRequest request,
        Platform platform,
        PlatformLock entry,
        CancellationToken cancellationToken
    )
    {
        await new ImageLockFile(request).WriteAsync(platform, entry, cancellationToken);
        return "was renewed";
    }

    // The documents are read by the up-to-date check.
    public override async Task RecordAsync(PublishRun run, CancellationToken cancellationToken)
    {
        var image = run.Result.Image;
        await context.Documents.RememberAsync(image.Manifest, cancellationToken);
        await context.Documents.RememberAsync(image.ConfigBlob, cancellationToken);
        if (run.Result.Root != image.Manifest)
            await context.Documents.RememberAsync(run.Result.Root, cancellationToken);
        var published = new PublishedImage(image, run.Result.LayerNames, run.Result.Root, run.Result.Attached);
        await context.UpToDate.RememberAsync(run.Request, run.Pinned.Files, run.Images, published, cancellationToken);
    }
}

internal sealed class PlannedOutput(PublishContext context, DestinationSet destinations)
    : PublishOutput(context, destinations, new MeasuredLayers())
{
    public override bool IsWritten => false;

    public override Task<string> RenewLockAsync(
        LockRequest request,
        Platform platform,
        PlatformLock entry,
        CancellationToken cancellationToken
    ) => Task.FromResult("would be renewed");

    public override Task RecordAsync(PublishRun run, CancellationToken cancellationToken) => Task.CompletedTask;
}

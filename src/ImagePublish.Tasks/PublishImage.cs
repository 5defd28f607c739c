using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks;

/// <summary>Makes an image of the publish folder and delivers it.</summary>
public sealed class PublishImage : PublishImageInputs
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var request = new PublishRequestReader(this).Read();
        var store = OpenStore();
        var publisher = EngineSession.Of(BuildEngine4, SessionSettings.Read(InsecureRegistries, request.Destinations)).PublisherFor(store, log);
        var result = await publisher.PublishAsync(request, cancellationToken);
        var images = result.Deliveries.Select(delivery => PublishedImageItem.Of(result.Image, delivery));
        await TellAsync([.. images], PublishSummary.Lines(ProjectName, result), PublishJson.Write(result), log, cancellationToken);
    }
}

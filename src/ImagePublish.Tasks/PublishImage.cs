using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Makes an image of the publish folder and delivers it.</summary>
public sealed class PublishImage : PublishImageInputs
{
    /// <summary>Where the image is now: an item for each place, by digest.</summary>
    [Output]
    public ITaskItem[] PublishedImages { get; private set; } = [];

    /// <summary>The image's digest.</summary>
    [Output]
    public string ImageDigest { get; private set; } = "";

    /// <summary>The image's reference by digest in the first place.</summary>
    [Output]
    public string ImageReference { get; private set; } = "";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var request = new PublishRequestReader(this).Read();
        var session = EngineSession.Of(BuildEngine4, SessionSettings.Read(InsecureRegistries));
        var result = await session.PublisherFor(OpenStore(), log).PublishAsync(request, cancellationToken);

        PublishedImages = [.. result.Deliveries.Select(delivery => PublishedImageItem.Of(result.Image, delivery))];
        ImageDigest = result.Image.Digest.Value;
        ImageReference = PublishedImages[0].ItemSpec;
        await WriteResultAsync(PublishJson.Write(result), cancellationToken);
        foreach (var line in PublishSummary.Lines(result))
            log.Information(line);
    }

    private async Task WriteResultAsync(byte[] json, CancellationToken cancellationToken)
    {
        var path = FullPath(ResultFile);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, json, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(DiagnosticCodes.DiskFailed, $"The result can't be written to '{path}': {exception.Message} The image is published.", exception);
        }
    }
}

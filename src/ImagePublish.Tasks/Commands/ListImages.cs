using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Lists the local store's images.</summary>
public sealed class ListImages : CommandTask
{
    /// <summary>Which, by name: <c>sixeyed/*</c>.</summary>
    public string? Filter { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var images = await ImageLister.ListImagesAsync(OpenStore(), new Glob(InputParser.Optional(Filter) ?? ""), cancellationToken);
        Report(log, ImageTables.OfImages(images));
        Items =
        [
            .. images.Select(image =>
                CommandItem.Create(
                    image.Name ?? image.Descriptor.Digest.Value,
                    ("Digest", image.Descriptor.Digest),
                    ("MediaType", image.Descriptor.MediaType),
                    ("Platform", CommandItem.PlatformNames(image.Platforms)),
                    ("Created", image.Created),
                    ("Size", image.Size),
                    ("IsWhole", image.IsWhole)
                )
            ),
        ];
    }
}

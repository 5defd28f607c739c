using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Lists the local store's images.</summary>
public sealed class ListImages : VerbTask
{
    /// <summary>Which, by name: <c>sixeyed/*</c>.</summary>
    public string? Filter { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var images = await new StoreLister(OpenStore()).ListAsync(new Glob(Lists.Optional(Filter) ?? ""), cancellationToken);
        Tell(log, ImageTables.OfImages(images));
        Items = [.. images.Select(image => VerbItems.Of(
            image.Name ?? image.Descriptor.Digest.Value,
            ("Digest", image.Descriptor.Digest),
            ("MediaType", image.Descriptor.MediaType),
            ("Platform", VerbItems.Names(image.Platforms)),
            ("Created", image.Created),
            ("Size", image.Size),
            ("IsWhole", image.IsWhole)))];
    }
}

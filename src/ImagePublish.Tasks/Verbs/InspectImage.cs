using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Shows an image of a registry, the local store or an archive.</summary>
public sealed class InspectImage : VerbTask
{
    /// <inheritdoc/>
    protected override async Task RunAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var names = new VerbNames(this);
        var image = await new ImageInspector(Connect(names.Registries).Registries, OpenStore()).InspectAsync(names.Source ?? names.Own, cancellationToken);
        Tell(log, ImageTables.OfImage(image));
        Items = [.. image.Platforms.Select(platform => VerbItems.Of(
            image.Name,
            ("Digest", image.Root.Digest),
            ("MediaType", image.Root.MediaType),
            ("Platform", VerbItems.Names([platform.Config.Platform])),
            ("PlatformDigest", platform.Descriptor.Digest),
            ("Created", platform.Config.Created),
            ("Size", platform.Size),
            ("Layers", platform.Manifest.Layers.Select(layer => layer.Digest.Value)),
            ("Manifest", new JsonText(OciJson.Write(platform.Manifest))),
            ("Config", new JsonText(OciJson.Write(platform.Config)))))];
    }
}

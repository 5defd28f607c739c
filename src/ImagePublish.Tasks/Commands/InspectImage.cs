using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Commands;

/// <summary>Shows an image of a registry, the local store or an archive.</summary>
public sealed class InspectImage : CommandTask
{
    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        var image = await new ImageInspector(Connect(names.Registries).Registries, OpenStore()).InspectAsync(
            names.Source ?? names.ProjectImage,
            cancellationToken,
            withAttachments: true
        );
        Report(log, ImageTables.OfImage(image));
        Items =
        [
            .. image.Platforms.Select(platform =>
                CommandItem.Create(
                    image.Name,
                    ("Digest", image.Root.Digest),
                    ("MediaType", image.Root.MediaType),
                    ("Platform", CommandItem.PlatformNames([platform.Config.Platform])),
                    ("PlatformDigest", platform.Descriptor.Digest),
                    ("Created", platform.Config.Created),
                    ("Size", platform.Size),
                    ("Attachments", new JsonText(AttachmentsJson.Write(image, platform.Descriptor.Digest))),
                    ("Layers", platform.Manifest.Layers.Select(layer => layer.Digest.Value)),
                    ("Manifest", new JsonText(OciJson.Write(platform.Manifest))),
                    ("Config", new JsonText(OciJson.Write(platform.Config)))
                )
            ),
        ];
    }
}

using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Commands;

/// <summary>Writes the debug symbols that are attached to an image into a folder.</summary>
public sealed class PullImageSymbols : CommandTask
{
    /// <summary>The folder.</summary>
    public string Folder { get; set; } = "";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        var source = names.Source ?? names.ProjectImage;
        var puller = new SymbolsPuller(Connect(names.Registries).Registries, OpenStore());
        var pulled = await puller.PullAsync(source, FullPath(Folder), cancellationToken);
        Report(log, ImageTables.OfSymbols(source.ToString()!, pulled));
        Items =
        [
            .. pulled.Select(symbols =>
                CommandItem.Create(
                    symbols.Folder,
                    ("Image", source.ToString()),
                    ("Platforms", CommandItem.PlatformNames(symbols.Platforms.Select(platform => platform.Config.Platform))),
                    ("Digests", symbols.Platforms.Select(platform => platform.Descriptor.Digest.Value)),
                    ("Files", symbols.Files),
                    ("Size", symbols.Length)
                )
            ),
        ];
    }
}

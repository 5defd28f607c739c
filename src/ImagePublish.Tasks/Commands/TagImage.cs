using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Commands;

/// <summary>Gives an image further tags, in a registry or the local store.</summary>
public sealed class TagImage : CommandTask
{
    /// <summary>Whether to only report what would be done.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no tag was moved";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        if (names.Source is null)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "TagImage needs to know which image: set ImageSource, for example -p:ImageSource=acme/shop:1.0."
            );
        if (names.ContentTags.Count > 0)
            throw new ImagePublishException(
                DiagnosticCodes.InvalidTemplate,
                "TagImage takes no tags with {content}, which PublishImage and CopyImage make. Write the digits of the digest themselves."
            );
        if (names.Tags.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "TagImage needs to know which tags: set ImageTags, for example -p:ImageTags=\"1.0 latest\"."
            );
        var result = await new ImageTagger(Connect(names.Registries).Registries, OpenStore()).TagAsync(
            names.Source,
            names.Tags,
            DryRun,
            cancellationToken
        );
        Report(log, ImageTables.OfMoves(result, DryRun));
        Items =
        [
            .. result.Moves.Select(move =>
                CommandItem.Create(
                    $"{result.Repository}:{move.Tag}",
                    ("Repository", result.Repository),
                    ("Tag", move.Tag),
                    ("Digest", result.Image.Digest),
                    ("PreviousDigest", move.Before)
                )
            ),
        ];
    }
}

using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Copies an image of a registry into the local store, under its own name and with all platforms: as a base
/// for builds without a network.</summary>
public sealed class PullImage : CommandTask
{
    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whose signatures the image must have; empty for nobody's.</summary>
    public string? BaseTrust { get; set; }

    internal override string? LeftAlone => "no tag was moved";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        // The project's settings of its own image don't count here.
        var names = new CommandNames(this);
        if (names.Source is null)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "PullImage needs to know which image: set ImageSource, for example -p:ImageSource=mcr.microsoft.com/dotnet/aspnet:10.0."
            );
        if (names.Source is not RegistryImage { Reference: var reference } source)
            throw InputParser.Invalid(
                "ImageSource",
                Source!,
                "expected an image of a registry, with its host: docker.io/acme/shop:1.0; CopyImage copies others"
            );
        // A digest is found in the store under any tag.
        var tag = reference.Tag ?? Tag.Parse($"{reference.Digest!.Algorithm}-{reference.Digest.Hex}");
        var mirrored = BaseMirror.Apply(source, BaseRegistry);
        var registries = Connect([.. names.Registries, mirrored.Location.Repository.Registry]).Registries;
        var store = OpenStore();
        var copied = await VerifyAsync(mirrored, new SignatureReporter(registries, store), log, cancellationToken);
        var request = new CopyRequest(copied, [], reference.Repository.ToString(), [tag]);
        var result = await new ImageCopier(registries, store).CopyAsync(request, cancellationToken);
        Report(log, ImageTables.OfCopy(result, dryRun: false));
        Items =
        [
            .. result.Deliveries.Select(delivery =>
                CommandItem.Create(
                    $"{delivery.Name}:{tag}",
                    ("Digest", result.Root.Digest),
                    ("MediaType", result.Root.MediaType),
                    ("UploadedBytes", delivery.Transfer.UploadedBytes),
                    ("ReusedBytes", delivery.Transfer.ReusedBytes)
                )
            ),
        ];
    }

    // What was verified is what is copied, whatever the tag points at by then.
    private async Task<RegistryImage> VerifyAsync(
        RegistryImage image,
        SignatureReporter reporter,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        if (BaseTrustReader.Read(BaseTrust, ResolvePath) is not { } trust)
            return image;
        var signatures = await reporter.RequireAsync(trust, image, cancellationToken);
        log.Information(signatures.Line);
        return image with { Reference = image.Reference.Pinned(signatures.Digest) };
    }
}

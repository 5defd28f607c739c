using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Puts images on newer bases without a build.</summary>
public sealed class RebaseImage : CommandTask, ISigningInputs
{
    /// <summary>References and repositories with patterns of tags; empty for the project's own image.</summary>
    public string? Sources { get; set; }

    /// <summary>A file with one of them a line.</summary>
    public string? SourceFile { get; set; }

    /// <summary>The base; empty for what the name of each image's base points at now.</summary>
    public string? NewBase { get; set; }

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whose signatures the new base must have; empty for nobody's.</summary>
    public string? BaseTrust { get; set; }

    /// <summary>Whether tags that are there may be moved.</summary>
    public bool TagOverwrite { get; set; } = true;

    /// <summary>What the new images are signed with; empty signs nothing.</summary>
    public string? SigningKey { get; set; }

    /// <summary>The file of the certificates of the signing key, or <c>env:NAME</c>: for Notation.</summary>
    public string? SigningCertificate { get; set; }

    /// <summary>What a plugin of notation is told (name=value, divided by <c>;</c>).</summary>
    public string? SigningPluginConfig { get; set; }

    /// <summary>Where signatures are.</summary>
    public string? SignatureFormat { get; set; }

    /// <summary>The trusted root of an instance of sigstore; empty for the public one.</summary>
    public string? SigstoreRoot { get; set; }

    /// <summary>The signing config of an instance of sigstore, which names its services; empty for those of the root.</summary>
    public string? SigstoreSigningConfig { get; set; }

    /// <summary>The authority of signing certificates; empty for the root's.</summary>
    public string? FulcioUrl { get; set; }

    /// <summary>The public log of signatures; empty for the root's.</summary>
    public string? RekorUrl { get; set; }

    /// <summary>The authority of time-stamps; empty for none.</summary>
    public string? TimeStampUrl { get; set; }

    /// <summary>Whether to only report what would be done.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no tag was moved";

    string ISigningInputs.ResolvePath(string path) => FullPath(path);

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var selection = ImageSelection.Read(Sources, SourceFile, this);
        var template = ReadRequest(selection);
        var registries = Connect(selection.Registries).Registries;
        var images = await selection.ResolveAsync(registries, cancellationToken);
        if (template.Tags.Count > 0 && images.Count > 1)
            throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                $"ImageTags would be the same for {images.Count} images. Leave it empty (-p:ImageTags=): each keeps the tag that it "
                    + "is named by."
            );
        var rebaser = new ImageRebaser(new PublishContext(registries, OpenStore(), log));
        var outcomes = await rebaser.RebaseAsync([.. images.Select(image => template with { Image = image })], cancellationToken);
        if (outcomes is [{ Refused: { } only }])
            throw only;
        Report(log, RebaseTables.OfRebases(outcomes, DryRun));
        Items = [.. outcomes.Select(ItemOf)];
        Fail(outcomes, log);
    }

    private RebaseRequest ReadRequest(ImageSelection selection)
    {
        var names = new CommandNames(this);
        if (names.ContentTags.Count > 0)
            throw new ImagePublishException(
                DiagnosticCodes.InvalidTemplate,
                "RebaseImage takes no tags with {content}, which PublishImage and CopyImage make. Leave ImageTags empty, or write a tag."
            );
        var run = CiRun.Find(TaskEnvironment.Variable);
        return new RebaseRequest(Reference.Parse("docker.io/library/scratch"))
        {
            NewBase = InputParser.Optional(NewBase) is { } text ? InputParser.Named("ImageNewBase", text, Reference.Parse) : null,
            Trust = BaseTrustReader.Read(BaseTrust, ResolvePath),
            Mirror = image => BaseMirror.Apply(image, BaseRegistry),
            Tags = names.Tags,
            Companions = selection.IsOwn ? names.ProjectTags : [],
            HoldsTags = !TagOverwrite,
            DryRun = DryRun,
            Signing = SigningReader.Read(this),
            Facts = new RebaseFacts(AttestationRequestReader.ToolVersion, run?.BuilderId, run?.Invocation, run?.StartedOn),
        };
    }

    // The others are rebased all the same.
    private void Fail(IReadOnlyList<RebaseOutcome> outcomes, IPublishLog log)
    {
        var refused = outcomes.Select(outcome => outcome.Refused).OfType<ImagePublishException>().ToList();
        foreach (var one in refused)
            log.Warning(one.Code, one.Message);
        if (refused.Count > 0)
            Failure = new ImagePublishException(
                DiagnosticCodes.NotRebased,
                $"{refused.Count} of {outcomes.Count} images are not rebased; the warnings above have the reasons."
            );
    }

    private static CommandItem ItemOf(RebaseOutcome outcome)
    {
        var result = outcome.Result;
        var platform = result?.Platforms[0].Base;
        return CommandItem.Create(
            outcome.Image.ToString(),
            (
                "State",
                outcome.Refused is not null ? "Refused"
                : result!.IsUnchanged ? "Current"
                : "Rebased"
            ),
            ("Repository", outcome.Image.Repository),
            ("Tags", result?.Tags.Select(tag => tag.Value)),
            ("Digest", result?.After.Digest),
            ("PreviousDigest", result?.Before.Digest),
            ("Platforms", result is null ? null : CommandItem.PlatformNames(result.Platforms.Select(one => one.Platform))),
            ("BaseName", platform?.New.Name),
            ("BaseDigest", platform?.New.Digest),
            ("PreviousBaseDigest", platform?.Old.Digest),
            ("Runtime", platform?.NewRuntime),
            ("PreviousRuntime", platform?.OldRuntime),
            ("UploadedBytes", result?.Transfer.UploadedBytes),
            ("MountedBytes", result?.Transfer.MountedBytes),
            ("ReusedBytes", result?.Transfer.ReusedBytes),
            ("Renewed", result?.Renewed),
            ("LeftBehind", result?.LeftBehind),
            ("Code", outcome.Refused?.Code),
            ("Reason", outcome.Refused?.Message)
        );
    }
}

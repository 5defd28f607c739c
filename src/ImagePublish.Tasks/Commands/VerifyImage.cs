using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Verifies the signatures of an image of a registry, and fails where none is accepted.</summary>
public sealed class VerifyImage : CommandTask
{
    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whose signatures are accepted: files of keys, certificates and policies, or <c>Microsoft</c>.</summary>
    public string? BaseTrust { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        if ((names.Source ?? names.ProjectImage) is not RegistryImage source)
            throw InputParser.Invalid(
                "ImageSource",
                Source ?? "",
                "expected an image of a registry, with its host: ghcr.io/acme/shop:1.0. Signatures are kept in registries"
            );
        var trust = BaseTrustReader.Read(BaseTrust, ResolvePath)
            ?? throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "VerifyImage needs to know whose signatures are accepted: set ImageBaseTrust to the file of a public key, a certificate or "
                    + "a trust policy, or to Microsoft."
            );
        var mirrored = BaseMirror.Apply(source, BaseRegistry);
        var registries = Connect([.. names.Registries, mirrored.Location.Repository.Registry]).Registries;
        var report = await new SignatureReporter(registries, OpenStore()).VerifyAsync(trust, mirrored, cancellationToken);
        Report(log, SignatureTables.Of(report));
        Failure = report.Failure;
        Items =
        [
            .. report.Signatures.Select(signature =>
                CommandItem.Create(
                    $"{report.Subject.Location}@{signature.Subject}",
                    ("Digest", signature.Subject),
                    ("Form", signature.FormName),
                    ("SignatureDigest", signature.Digest),
                    ("Verified", signature.Accepted is not null),
                    ("Signer", signature.Accepted?.Signer),
                    ("Code", signature.Refused?.Code),
                    ("Reason", signature.Refused?.Message ?? signature.Accepted?.Doubt)
                )
            ),
        ];
    }
}

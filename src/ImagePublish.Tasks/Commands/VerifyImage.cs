using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;

namespace ImagePublish.Tasks.Commands;

/// <summary>Verifies the signatures of an image of a registry, and fails where none is accepted.</summary>
public sealed class VerifyImage : CommandTask
{
    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whose signatures are accepted: files of keys, certificates and policies, or <c>Microsoft</c>.</summary>
    public string? BaseTrust { get; set; }

    /// <summary>What must be attested of the image: words, and claims that provenance must have.</summary>
    public string? RequiredAttestations { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        if ((names.Source ?? names.ProjectImage) is not RegistryImage source)
            throw InputParser.Invalid(
                "ImageSource",
                Source ?? "",
                "expected an image of a registry, with its host: ghcr.io/acme/shop:1.0. Signatures are kept in registries"
            );
        var wanted = AttestationRequirementsReader.Read(RequiredAttestations);
        var trust = BaseTrustReader.Read(BaseTrust, ResolvePath);
        if (trust is null && wanted?.AcceptsUnsigned != true)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "VerifyImage needs to know whose signatures are accepted: set ImageBaseTrust to the file of a public key, a certificate or "
                    + "a trust policy, or to Microsoft."
            );
        var mirrored = BaseMirror.Apply(source, BaseRegistry);
        var registries = Connect([.. names.Registries, mirrored.Location.Repository.Registry]).Registries;
        var reporter = new SignatureReporter(registries, OpenStore());
        var report = await reporter.VerifyAsync(trust, mirrored, cancellationToken);
        Report(log, SignatureTables.Of(report));
        Failure = report.Failure;
        Items = [.. report.Signatures.Select(signature => ItemOf(report, signature))];
        if (wanted is null)
            return;
        var attested = await reporter.VerifyAttestationsAsync(report, trust, wanted, cancellationToken);
        Report(log, SignatureTables.Of(attested));
        Failure ??= attested.Failure;
        Items = [.. Items, .. attested.Attestations.Select(attestation => ItemOf(report, attestation))];
    }

    private static CommandItem ItemOf(SignatureReport report, SignatureResult signature) =>
        CommandItem.Create(
            $"{report.Subject.Location}@{signature.Subject}",
            ("Digest", signature.Subject),
            ("Form", signature.FormName),
            ("SignatureDigest", signature.Digest),
            ("Verified", signature.Accepted is not null),
            ("Signer", signature.Accepted?.Signer),
            ("Code", signature.Refused?.Code),
            ("Reason", signature.Refused?.Message ?? signature.Accepted?.Doubt)
        );

    private static CommandItem ItemOf(SignatureReport report, VerifiedAttestation attestation)
    {
        var claims = attestation.Claims;
        var source = claims.Sources.Count > 0 ? claims.Sources[0] : null;
        return CommandItem.Create(
            $"{report.Subject.Location}@{attestation.Subject}",
            ("Digest", attestation.Subject),
            ("Form", "attestation"),
            ("SignatureDigest", attestation.Digest),
            ("Verified", attestation.Signer is not null && attestation.Problem is null),
            ("Signer", attestation.Signer),
            ("PredicateType", claims.Predicate),
            ("Builder", claims.Builder),
            ("SourceRepository", source?.Address),
            ("Commit", source?.Commit),
            ("Reason", attestation.Problem)
        );
    }
}

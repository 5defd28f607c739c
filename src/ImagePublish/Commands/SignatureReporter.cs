using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Trust;

namespace ImagePublish.Commands;

/// <summary>All signatures of an image, verified.</summary>
internal sealed record SignatureReport(VerifiedSubject Subject, IReadOnlyList<SignatureResult> Signatures)
{
    /// <summary>Why the image is not accepted; null where it is.</summary>
    public ImagePublishException? Failure { get; init; }

    public bool IsExempt { get; init; }
}

/// <summary>Verifies the signatures of images for commands.</summary>
internal sealed class SignatureReporter(RegistryClient registries, ImageStore store)
{
    private readonly ImageVerifier verifier = new(registries, store, registries.Time);

    /// <summary>Makes sure that an image is signed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6017</c> to <c>IMG6021</c>: it is not; or what the registry fails with.</exception>
    public async Task<(string Line, Digest Digest)> RequireAsync(
        TrustPolicy policy,
        RegistryImage image,
        CancellationToken cancellationToken
    )
    {
        var subject = await FindAsync(image, cancellationToken);
        return (await verifier.RequireAsync(policy, subject, cancellationToken), subject.Digests[0]);
    }

    /// <summary>Verifies all of an image's signatures: of an index those of the index, which names the images of all platforms.</summary>
    /// <param name="policy">Null verifies none.</param>
    public async Task<SignatureReport> VerifyAsync(TrustPolicy? policy, RegistryImage image, CancellationToken cancellationToken)
    {
        var subject = await FindAsync(image, cancellationToken);
        if (policy is null)
            return new SignatureReport(subject, []) { IsExempt = true };
        if (policy.Rules.Any(rule => rule.Exempts(subject.Name.Repository)))
            return new SignatureReport(subject, []) { IsExempt = true };
        var results = new List<SignatureResult>();
        await foreach (var result in verifier.VerifyAsync(policy, subject, subject.Digests[0], cancellationToken))
            results.Add(result);
        return new SignatureReport(subject, results)
        {
            Failure = results.Exists(result => result.Accepted is not null) ? null : ImageVerifier.Fail(subject, results),
        };
    }

    /// <summary>Verifies what is attested of an image whose signatures were verified.</summary>
    public Task<AttestationReport> VerifyAttestationsAsync(
        SignatureReport signatures,
        TrustPolicy? policy,
        AttestationRequirements wanted,
        CancellationToken cancellationToken
    )
    {
        var signer = signatures.Signatures.FirstOrDefault(one => one.Accepted is not null)?.Accepted!.Signer;
        return new AttestationVerifier(registries, store).VerifyAsync(new(signatures.Subject, signer, policy), wanted, cancellationToken);
    }

    private async Task<VerifiedSubject> FindAsync(RegistryImage image, CancellationToken cancellationToken)
    {
        var found = await registries.FindManifestAsync(image.Location, cancellationToken)
            // Asked again for the registry's own error.
            ?? (await registries.GetManifestAsync(image.Location, cancellationToken)).Descriptor;
        return new VerifiedSubject("image", image.Reference) { Location = image.Location.Repository, Digests = [found.Digest] };
    }
}

using System.Collections.Concurrent;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>
/// Signs statements about an image: one by one, as <c>cosign attest</c> does, in bundles that are attached to it; for Notation, which signs
/// manifests only, by the manifest that has them. A statement of a type that this signer has signed for the image already is not signed
/// again.
/// </summary>
internal sealed class SignedStatements(PublishContext context, ImageSigner signer, AttestationStep attestations)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<AttachedManifest>>> bundles = new(StringComparer.Ordinal);

    private Descriptor Image => attestations.Image.Manifest.Descriptor;

    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public Task AttachAsync(DestinationSet destinations) =>
        destinations.EachAsync(destination => destination.IsOnlyMeasured ? Task.CompletedTask : AttachAsync(destination));

    private async Task AttachAsync(IDestination destination)
    {
        await signer.WaitAsync();
        if ((signer.Format & SignatureFormat.Both) != 0)
            await AttachBundlesAsync(destination);
        // An index that is signed names them by their digests.
        if (signer.Format.HasFlag(SignatureFormat.Notation) && attestations.Request.Attestations?.Placement != AttestationPlacement.Index)
            await SignManifestAsync(destination);
    }

    private async Task AttachBundlesAsync(IDestination destination)
    {
        var missing = await FindMissingAsync(destination);
        if (missing.Count == 0)
            return;
        var entries = new List<Descriptor>();
        foreach (var statement in (await attestations.ComposeAsync()).Where(statement => missing.Contains(statement.PredicateType)))
        {
            var bundle = await SignAsync(statement, destination.Stop);
            await AttestationStep.PutAsync(destination, bundle);
            entries.Add(ReferrerEntry.Create(bundle.Manifest));
        }

        await destination.AttachAsync(Image, entries);
        if (await FindMissingAsync(destination) is { Count: > 0 } lost)
            throw Lost(destination, lost);
        await ReportAsync(destination, entries.Count);
    }

    // Only what this build composed is signed: whoever may push could have attached another manifest.
    private async Task SignManifestAsync(IDestination destination)
    {
        var missing = await FindUnsignedAsync(destination);
        if (missing.Count == 0)
            return;
        Statement[] statements = [.. (await attestations.ComposeAsync()).Where(statement => missing.Contains(statement.PredicateType))];
        var attested = AttachedManifest.CreateAttestation(Image, statements);
        var manifest = attested.Manifest.Descriptor;
        var signature = await signer.CreateNotationAsync(manifest, destination.Stop);
        await AttestationStep.PutAsync(destination, attested);
        await destination.AttachAsync(Image, [ReferrerEntry.Create(attested.Manifest)]);
        await AttestationStep.PutAsync(destination, signature);
        await destination.AttachAsync(manifest, [ReferrerEntry.Create(signature.Manifest)]);
        if (!await signer.VerifiesAsync(await destination.ReadSignatureAsync(signature), manifest, destination.Stop))
            throw Lost(destination, missing);
        await ReportAsync(destination, statements.Length);
    }

    private async Task<HashSet<string>> FindUnsignedAsync(IDestination destination)
    {
        var missing = attestations.WantedTypes().ToHashSet(StringComparer.Ordinal);
        foreach (var attachment in await AttestationStep.FindAsync(destination, Image))
        {
            if (missing.Overlaps(attachment.Types) && await IsSignedAsync(destination, attachment.Descriptor))
                missing.ExceptWith(attachment.Types);
        }

        return missing;
    }

    private async Task<bool> IsSignedAsync(IDestination destination, Descriptor manifest)
    {
        await foreach (var found in destination.FindSignaturesAsync(manifest.Digest, form => form == SignatureForm.Notation))
        {
            if (await signer.VerifiesAsync(found, manifest, destination.Stop))
                return true;
        }

        return false;
    }

    private ImagePublishException Lost(IDestination destination, IEnumerable<string> types) =>
        new(
            DiagnosticCodes.NotSigned,
            $"Attestations of {destination.Name}@{Image.Digest} were signed ({string.Join(", ", types)}), but can't be read "
                + "back or verified. No tag was moved. Publish again."
        );

    private async Task ReportAsync(IDestination destination, int count)
    {
        var signedBy = await signer.DescribeAsync(destination.Stop);
        context.Log.Information(
            $"  {Text.Count(count, "attestation")} of {destination.Name}@{Image.Digest} {(count == 1 ? "is" : "are")} signed ({signedBy})."
        );
    }

    private async Task<HashSet<string>> FindMissingAsync(IDestination destination)
    {
        var missing = attestations.WantedTypes().ToHashSet(StringComparer.Ordinal);
        if (destination.Repository is not { } repository)
        {
            // The local store: nobody else writes there.
            foreach (var entry in await destination.FindAttachmentsAsync(Image))
            {
                if (entry.ArtifactType == SigstoreBundle.MediaType)
                    missing.Remove(entry.Annotations?.GetValueOrDefault(SigstoreBundle.PredicateAnnotation) ?? "");
            }

            return missing;
        }

        await foreach (
            var found in new AttestationFinder(context.Registries, repository).FindAsync(Image.Digest, missing, destination.Stop)
        )
        {
            if (await signer.VerifiesAsync(found, Image, destination.Stop))
                missing.Remove(found.Predicate);
            if (missing.Count == 0)
                break;
        }

        return missing;
    }

    // Once for all destinations.
    private Task<AttachedManifest> SignAsync(Statement statement, CancellationToken cancellationToken) =>
        bundles
            .GetOrAdd(statement.PredicateType, _ => new Lazy<Task<AttachedManifest>>(() =>
                signer.CreateBundleAsync(Image, statement, cancellationToken)
            ))
            .Value;
}

using System.Collections.Concurrent;
using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>
/// Signs statements about an image one by one, as <c>cosign attest</c> does, and attaches the bundles. A statement of a type that this
/// signer has signed for the image already is not signed again.
/// </summary>
internal sealed class SignedStatements(PublishContext context, SigningRequest request, AttestationStep attestations)
{
    private readonly ImageSigner signer = new(request, context.Registries.Services);
    private readonly ConcurrentDictionary<string, Lazy<Task<AttachedManifest>>> bundles = new(StringComparer.Ordinal);

    private Descriptor Image => attestations.Image.Manifest.Descriptor;

    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public Task AttachAsync(DestinationSet destinations) =>
        destinations.EachAsync(destination => destination.IsOnlyMeasured ? Task.CompletedTask : AttachAsync(destination));

    private async Task AttachAsync(IDestination destination)
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
            throw new ImagePublishException(
                DiagnosticCodes.NotSigned,
                $"Attestations of {destination.Name}@{Image.Digest} were signed ({string.Join(", ", lost)}), and are not found there "
                    + "afterwards, or do not verify. No tag was moved. Publish again."
            );
        var signedBy = await signer.DescribeAsync(destination.Stop);
        context.Log.Information($"  {entries.Count} attestations of {destination.Name}@{Image.Digest} are signed ({signedBy}).");
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

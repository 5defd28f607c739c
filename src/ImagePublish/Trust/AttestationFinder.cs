using System.Runtime.CompilerServices;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Trust;

/// <summary>Finds signed statements about a manifest: bundles whose manifests name what they say.</summary>
internal sealed class AttestationFinder(RegistryClient registries, Repository repository)
{
    /// <summary>The largest bundle that is read: a statement of 16 MiB in base64, and what it is verified by.</summary>
    public const int MaxBundle = 24 << 20;

    private static readonly DiagnosticCode[] Unreadable =
    [
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.ContentMismatch,
        DiagnosticCodes.TooLarge,
        DiagnosticCodes.RegistryNotFound,
    ];

    /// <param name="predicates">What the statements say; may get fewer while they are read.</param>
    public async IAsyncEnumerable<SignatureArtifact> FindAsync(
        Digest subject,
        IReadOnlySet<string> predicates,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var listed = await ReferrersTag.ListAllAsync(registries, repository, subject, cancellationToken);
        foreach (var entry in listed.Where(entry => entry.ArtifactType == SigstoreBundle.MediaType).Take(SignatureFinder.MaxSignatures))
        {
            var named = entry.Annotations?.GetValueOrDefault(SigstoreBundle.PredicateAnnotation);
            if (
                (named is null || predicates.Contains(named))
                && await TryReadAsync(entry, subject, predicates, cancellationToken) is { } found
            )
                yield return found;
        }
    }

    private async Task<SignatureArtifact?> TryReadAsync(
        Descriptor entry,
        Digest subject,
        IReadOnlySet<string> predicates,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var document = await registries.GetManifestAsync(repository.ReferenceTo(entry.Digest), cancellationToken);
            var manifest = OciJson.ReadManifest(document.Content.Content.Span);
            var predicate = manifest.Annotations?.GetValueOrDefault(SigstoreBundle.PredicateAnnotation);
            if (
                manifest.Subject?.Digest != subject
                || predicate is null
                || !predicates.Contains(predicate)
                || manifest.Layers is not [var layer]
            )
                return null;
            return new SignatureArtifact(SignatureForm.SigstoreBundle, entry.Digest)
            {
                MediaType = layer.MediaType,
                Content = await registries.GetBlobAsync(repository, layer, MaxBundle, cancellationToken),
                Predicate = predicate,
            };
        }
        catch (Exception exception)
            when (exception is System.Text.Json.JsonException
                || (exception is ImagePublishException failure && Unreadable.Contains(failure.Code))
            )
        {
            // What nobody can read attests nothing.
            return null;
        }
    }
}

using System.Runtime.CompilerServices;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Trust;

/// <summary>Finds the signatures of a manifest: through the referrers API or its fallback tag, and at cosign's tag.</summary>
internal sealed class SignatureFinder(RegistryClient registries, Repository repository)
{
    /// <summary>The most signatures that are looked at, in each place.</summary>
    public const int MaxSignatures = 32;

    private static readonly DiagnosticCode[] ContentProblems =
    [
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.ContentMismatch,
        DiagnosticCodes.TooLarge,
        DiagnosticCodes.RegistryNotFound,
        DiagnosticCodes.InvalidDigest,
        DiagnosticCodes.FormatObsolete,
    ];

    private static readonly DiagnosticCode[] ListRefusals =
    [
        DiagnosticCodes.RegistryDenied,
        DiagnosticCodes.RegistryRefused,
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.RateLimited,
        DiagnosticCodes.UnsafeRedirect,
        DiagnosticCodes.TooLarge,
    ];

    /// <summary>Finds them, one after the other: who has found a good one need not ask for the next.</summary>
    /// <exception cref="ImagePublishException">The registry fails, or refuses to list them and there is none elsewhere.</exception>
    public async IAsyncEnumerable<SignatureArtifact> FindAsync(
        Digest subject,
        Func<SignatureForm, bool> isWanted,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var seen = new HashSet<Digest>();
        ImagePublishException? refusal = null;
        if (isWanted(SignatureForm.Notation) || isWanted(SignatureForm.SigstoreBundle))
        {
            (var listed, refusal) = await ListAsync(subject, cancellationToken);
            await foreach (var found in ReadAsync(listed, subject, isWanted, cancellationToken))
            {
                seen.Add(found.Digest);
                yield return found;
            }

            // Some registries answer with an empty list what they do not know.
            var byTag = await ListByTagAsync(subject, cancellationToken);
            await foreach (var found in ReadAsync(byTag.Where(one => !seen.Contains(one.Digest)), subject, isWanted, cancellationToken))
            {
                seen.Add(found.Digest);
                yield return found;
            }
        }

        if (isWanted(SignatureForm.SimpleSigning))
        {
            await foreach (var found in ReadCosignTagAsync(subject, cancellationToken))
            {
                seen.Add(found.Digest);
                yield return found;
            }
        }

        if (refusal is not null && seen.Count == 0)
            throw refusal;
    }

    // A registry without the API may refuse the request, or send it elsewhere and be asked too often there: it may have the tags.
    private async Task<(IReadOnlyList<Descriptor> Listed, ImagePublishException? Refusal)> ListAsync(
        Digest subject,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await registries.ListReferrersAsync(repository, subject, cancellationToken) ?? [], null);
        }
        catch (ImagePublishException exception) when (ListRefusals.Contains(exception.Code))
        {
            return ([], exception);
        }
    }

    // Whatever is at the tag, it is only where to look.
    private async Task<IReadOnlyList<Descriptor>> ListByTagAsync(Digest subject, CancellationToken cancellationToken)
    {
        try
        {
            return await ReferrersTag.ListAsync(registries, repository, subject, cancellationToken);
        }
        catch (ImagePublishException exception) when (ContentProblems.Contains(exception.Code))
        {
            return [];
        }
    }

    private async IAsyncEnumerable<SignatureArtifact> ReadAsync(
        IEnumerable<Descriptor> descriptors,
        Digest subject,
        Func<SignatureForm, bool> isWanted,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var descriptor in descriptors.Where(one => MayBe(one, isWanted)).Take(MaxSignatures))
        {
            var form = FormOf(descriptor.ArtifactType) ?? SignatureForm.SigstoreBundle;
            if (await GuardAsync(form, descriptor.Digest, () => ReadAsync(descriptor, subject, isWanted, cancellationToken)) is { } found)
                yield return found;
        }
    }

    private async Task<SignatureArtifact?> ReadAsync(
        Descriptor descriptor,
        Digest subject,
        Func<SignatureForm, bool> isWanted,
        CancellationToken cancellationToken
    )
    {
        var document = await registries.GetManifestAsync(repository.ReferenceTo(descriptor.Digest), cancellationToken);
        if (document.IsIndex)
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Content.Span);
        // Of a list that is somebody else's, as of a registry that shows the image itself at the fallback tag.
        if (manifest.Subject?.Digest != subject || FormOf(manifest) is not { } form || !isWanted(form))
            return null;
        if (form == SignatureForm.SigstoreBundle && IsAttestation(manifest.Annotations))
            return null;
        if (manifest.Layers is not [var layer])
            return SignatureArtifact.Unreadable(
                form,
                descriptor.Digest,
                $"its manifest has {manifest.Layers.Count} layers, and must have one"
            );
        if (form == SignatureForm.SigstoreBundle && !layer.MediaType.StartsWith(SigstoreBundle.MediaTypePrefix, StringComparison.Ordinal))
            return SignatureArtifact.Unreadable(form, descriptor.Digest, $"its layer is '{Text.Sanitize(layer.MediaType)}', not a bundle");
        return await ReadLayerAsync(form, descriptor.Digest, layer, cancellationToken);
    }

    /// <summary>Reads a signature whose manifest is known.</summary>
    /// <param name="layer">The one of its manifest.</param>
    public async Task<SignatureArtifact> ReadAsync(Digest manifest, Descriptor layer, CancellationToken cancellationToken)
    {
        var form = SignatureArtifact.FormOfLayer(layer.MediaType);
        return (await GuardAsync(form, manifest, () => ReadLayerAsync(form, manifest, layer, cancellationToken)))!;
    }

    private async Task<SignatureArtifact?> ReadLayerAsync(
        SignatureForm form,
        Digest digest,
        Descriptor layer,
        CancellationToken cancellationToken
    ) =>
        new(form, digest)
        {
            MediaType = layer.MediaType,
            Content = await registries.GetBlobAsync(repository, layer, NotationEnvelope.MaxSize, cancellationToken),
        };

    private async IAsyncEnumerable<SignatureArtifact> ReadCosignTagAsync(
        Digest subject,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var tag = SimpleSigning.TagOf(subject);
        RemoteManifest? document = null;
        var problem = await GuardAsync(SignatureForm.SimpleSigning, subject, async () =>
        {
            document = await registries.TryGetManifestAsync(repository.ReferenceTo(tag), cancellationToken);
            return null;
        });
        if (problem is not null)
            yield return problem;
        if (document is null or { IsIndex: true })
            yield break;
        var layers = OciJson.ReadManifest(document.Content.Content.Span).Layers.Where(layer => layer.MediaType == SimpleSigning.LayerType);
        foreach (var layer in layers.Take(MaxSignatures))
        {
            var found = await GuardAsync(SignatureForm.SimpleSigning, layer.Digest, async () => new SignatureArtifact(
                    SignatureForm.SimpleSigning,
                    layer.Digest
                )
                {
                    MediaType = layer.MediaType,
                    Annotations = layer.Annotations ?? new Dictionary<string, string>(),
                    Content = await registries.GetBlobAsync(repository, layer, SimpleSigning.MaxSize, cancellationToken),
                });
            yield return found!;
        }
    }

    // What is wrong with one signature says nothing of the others; what is wrong with the registry does.
    private static async Task<SignatureArtifact?> GuardAsync(SignatureForm form, Digest digest, Func<Task<SignatureArtifact?>> read)
    {
        try
        {
            return await read();
        }
        catch (ImagePublishException exception) when (ContentProblems.Contains(exception.Code))
        {
            return SignatureArtifact.Unreadable(form, digest, $"it can't be read: {exception.Message.TrimEnd('.')}");
        }
        catch (System.Text.Json.JsonException exception)
        {
            return SignatureArtifact.Unreadable(form, digest, $"its manifest can't be read: {Text.Sanitize(exception.Message)}");
        }
    }

    // Lists that other tools wrote may lack the type, or have that of the config.
    private static bool MayBe(Descriptor descriptor, Func<SignatureForm, bool> isWanted)
    {
        if (descriptor.ArtifactType is null or "" or "application/vnd.oci.empty.v1+json" or MediaTypes.OciConfig)
            return true;
        return FormOf(descriptor.ArtifactType) is { } form
            && isWanted(form)
            && !(form == SignatureForm.SigstoreBundle && IsAttestation(descriptor.Annotations));
    }

    private static bool IsAttestation(IReadOnlyDictionary<string, string>? annotations) =>
        annotations?.GetValueOrDefault(SigstoreBundle.PredicateAnnotation) is { } predicate
        && predicate != SigstoreBundle.SignaturePredicate;

    private static SignatureForm? FormOf(ImageManifest manifest) => FormOf(manifest.ArtifactType) ?? FormOf(manifest.Config.MediaType);

    private static SignatureForm? FormOf(string? artifactType) =>
        artifactType == NotationEnvelope.ArtifactType ? SignatureForm.Notation
        : artifactType?.StartsWith(SigstoreBundle.MediaTypePrefix, StringComparison.Ordinal) == true ? SignatureForm.SigstoreBundle
        : null;
}

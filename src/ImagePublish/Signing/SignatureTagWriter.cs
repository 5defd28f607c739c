using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>Adds signatures to the tag <c>sha256-….sig</c> of an image, beside those of others.</summary>
internal sealed class SignatureTagWriter(RegistryClient registries, Repository repository, Digest image)
{
    private static readonly DiagnosticCode[] Refusals =
    [
        DiagnosticCodes.RegistryDenied,
        DiagnosticCodes.RegistryRefused,
        DiagnosticCodes.TagImmutable,
        DiagnosticCodes.RegistryProtocol,
    ];

    private readonly Reference tag = repository.ReferenceTo(SimpleSigning.TagOf(image));

    /// <exception cref="ImagePublishException"><c>IMG6024</c>: the tag can't have them; or what the registry fails with.</exception>
    public async Task AddAsync(IReadOnlyList<TagSignature> signatures, CancellationToken cancellationToken)
    {
        // Before the tag is read, so that little time passes until it is written: for a new image, whose tag nobody else has signed, only
        // the manifest is left.
        var payloads = signatures.Select(signature => signature.Payload).ToList();
        await PushBlobsAsync([.. payloads, SignatureTag.Empty.With(signatures).Write().Config], cancellationToken);
        var contended = new ContendedTag<SignatureTag>(
            registries.Time,
            () => ReadAsync(cancellationToken),
            current => WriteAsync(current.With(signatures), payloads, cancellationToken)
        )
        {
            HasAll = current => current.HasAll(signatures),
            AreSame = (one, other) => one.IsSame(other),
        };
        if (!await contended.TryAddAsync(cancellationToken))
            throw Fail("other processes keep changing it. Publish again");
    }

    private async Task<SignatureTag> WriteAsync(
        SignatureTag content,
        IReadOnlyList<MemoryBlobSource> payloads,
        CancellationToken cancellationToken
    )
    {
        // Nobody would read further ones.
        if (content.Count > SignatureFinder.MaxSignatures)
            throw Fail(
                $"it would have {content.Count} signatures, and {SignatureFinder.MaxSignatures} are read. Delete the tag, and sign again"
            );
        var (manifest, config) = content.Write();
        MemoryBlobSource[] blobs = [.. payloads, config];
        try
        {
            await PushBlobsAsync(blobs, cancellationToken);
            await registries.PushManifestAsync(tag, manifest, _ => PushBlobsAsync(blobs, cancellationToken), cancellationToken);
        }
        catch (ImagePublishException exception) when (Refusals.Contains(exception.Code))
        {
            // Where tags can't be moved, a second signature can't be added.
            throw new ImagePublishException(
                exception.Code,
                $"{exception.Message} The tag is for the signature of the image; ImageSignatureFormat=Bundle signs without it.",
                exception
            );
        }

        return content;
    }

    private async Task PushBlobsAsync(IReadOnlyList<MemoryBlobSource> blobs, CancellationToken cancellationToken) =>
        await Task.WhenAll(blobs.Select(blob => registries.PushBlobAsync(repository, blob, cancellationToken)));

    private async Task<SignatureTag> ReadAsync(CancellationToken cancellationToken)
    {
        if (await registries.TryGetManifestAsync(tag, cancellationToken) is not { } found)
            return SignatureTag.Empty;
        try
        {
            return SignatureTag.TryRead(found.Content)
                ?? throw Fail($"it is something else ({found.Descriptor.Digest}) and is not overwritten. Remove the tag");
        }
        catch (JsonException exception)
        {
            throw Fail($"what is there can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')}). Remove the tag", exception);
        }
    }

    private ImagePublishException Fail(string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.NotSigned,
            $"The image {image} can't be signed at '{tag}': {reason}, or set ImageSignatureFormat to Bundle, which needs no such tag.",
            cause
        );
}

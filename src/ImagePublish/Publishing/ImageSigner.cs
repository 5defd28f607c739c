using ImagePublish.Attachments;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;
using ImagePublish.Signing.Notation;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>Makes signatures as a request wants them, with its key or without one, and knows which are its own.</summary>
internal sealed class ImageSigner(SigningRequest request, ServiceClient services)
{
    private readonly KeylessSigner? keyless = request.Keyless is { } wanted ? new KeylessSigner(wanted, services) : null;

    private readonly NotationSigner? notation = request.Notation is { } wanted ? new NotationSigner(wanted, services) : null;

    /// <summary>Who signs, as it is shown.</summary>
    public async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        if (keyless is not null)
            return keyless.Signer ?? "keyless";
        string?[] parts = [request.Key is { } key ? (await key.GetPublicKeyAsync(cancellationToken)).Description : null, notation?.Signer];
        return string.Join(" of ", parts.OfType<string>());
    }

    /// <summary>Signs an image for Notation.</summary>
    public Task<AttachedManifest> CreateNotationAsync(Descriptor image, CancellationToken cancellationToken) =>
        notation!.SignAsync(image, cancellationToken);

    /// <summary>Signs an image, or something that a statement says of it.</summary>
    public async Task<AttachedManifest> CreateBundleAsync(Descriptor image, Statement statement, CancellationToken cancellationToken)
    {
        var content = statement.Blob.Content;
        return SignaturePayload.Attach(
            image,
            statement.PredicateType,
            keyless is null
                ? await SignaturePayload.CreateBundleAsync(request.Key!, content, cancellationToken)
                : await keyless.SignAsync(content, cancellationToken)
        );
    }

    /// <summary>Whether a signature is this signer's, and verifies.</summary>
    public async Task<bool> VerifiesAsync(SignatureArtifact artifact, Descriptor image, CancellationToken cancellationToken)
    {
        if (artifact.Problem is not null)
            return false;
        try
        {
            if (artifact.Form == SignatureForm.Notation)
                return notation is not null && await notation.VerifiesAsync(artifact, image, cancellationToken);
            if (keyless is not null)
                return await keyless.VerifiesAsync(artifact, image.Digest, cancellationToken);
            artifact.ReadCosign().Verify(await request.Key!.GetPublicKeyAsync(cancellationToken), image.Digest);
            return true;
        }
        catch (RefusedSignatureException)
        {
            return false;
        }
    }
}

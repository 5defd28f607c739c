using ImagePublish.Attachments;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>Makes signatures as a request wants them, with its key or without one, and knows which are its own.</summary>
internal sealed class ImageSigner(SigningRequest request, ServiceClient services)
{
    private readonly KeylessSigner? keyless = request.Keyless is { } wanted ? new KeylessSigner(wanted, services) : null;

    /// <summary>Who signs, as it is shown.</summary>
    public async Task<string> DescribeAsync(CancellationToken cancellationToken) =>
        keyless is null ? (await request.Key!.GetPublicKeyAsync(cancellationToken)).Description : keyless.Signer ?? "keyless";

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
    public async Task<bool> VerifiesAsync(SignatureArtifact artifact, Digest image, CancellationToken cancellationToken)
    {
        if (artifact.Problem is not null)
            return false;
        try
        {
            if (keyless is not null)
                return await keyless.VerifiesAsync(artifact, image, cancellationToken);
            artifact.ReadCosign().Verify(await request.Key!.GetPublicKeyAsync(cancellationToken), image);
            return true;
        }
        catch (RefusedSignatureException)
        {
            return false;
        }
    }
}

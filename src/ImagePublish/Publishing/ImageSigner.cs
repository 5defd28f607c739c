using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;
using ImagePublish.Signing.Notation;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>Makes signatures as a request wants them, with its key or without one, and knows which are its own.</summary>
/// <remarks>One for a publish: what a signing service certifies is for all of its signatures.</remarks>
internal sealed class ImageSigner(SigningRequest request, ServiceClient services)
{
    private Task prepared = Task.CompletedTask;

    private readonly KeylessSigner? keyless = request.Keyless is { } wanted ? new KeylessSigner(wanted, services) : null;

    private readonly NotationSigner? notation = request.Notation is { } wanted ? new NotationSigner(wanted, services) : null;

    public SignatureFormat Format => request.Format;

    /// <summary>Changes with whatever changes the signatures.</summary>
    public Digest Id => request.Id;

    /// <returns>Null where nothing is to be signed.</returns>
    public static ImageSigner? Create(SigningRequest? request, ServiceClient services) =>
        request is null ? null : new ImageSigner(request, services);

    /// <summary>Begins to ask for the key or the certificate, which may take a program or a service some seconds.</summary>
    public void Prepare(TaskScope tasks) =>
        prepared = tasks.Run(token =>
            keyless is not null ? keyless.PrepareAsync(token) : request.Key?.GetPublicKeyAsync(token) ?? Task.CompletedTask
        );

    /// <summary>Waits for what was begun.</summary>
    /// <exception cref="Diagnostics.ImagePublishException">The key or the certificate can't be had.</exception>
    public Task WaitAsync() => prepared;

    /// <summary>Who signs, as it is shown.</summary>
    public async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        if (keyless is not null)
            return keyless.Signer ?? "keyless";
        string?[] parts = [request.Key is { } key ? (await key.GetPublicKeyAsync(cancellationToken)).Description : null, notation?.Signer];
        return string.Join(" of ", parts.OfType<string>());
    }

    /// <summary>Signs an image for the tag <c>sha256-….sig</c>, by one of its names.</summary>
    public Task<TagSignature> CreateTagAsync(Digest image, string reference, CancellationToken cancellationToken) =>
        keyless is null
            ? TagSignature.CreateAsync(request.Key!, image, reference, cancellationToken)
            : keyless.SignTagAsync(image, reference, cancellationToken);

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

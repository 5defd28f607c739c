using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>What is signed: what tags point at, and the tags, by whose names an image is pulled.</summary>
internal sealed record SignedImage(MemoryBlobSource Root, IReadOnlyList<Tag> Tags)
{
    public Descriptor Descriptor => Root.Descriptor;
}

/// <summary>
/// Signs an image at every destination, before a tag moves: it looks for signatures of the same key, adds the forms that are missing, and
/// then reads and verifies them all as a stranger would, who has the public key.
/// </summary>
/// <remarks>What it waits for ends with the destinations; its records are on this machine.</remarks>
internal sealed class SigningStep(PublishContext context, SigningRequest? request)
{
    private const string Kind = "signed";

    private readonly ImageSigner? signer = request is null ? null : new ImageSigner(request, context.Registries.Services);

    /// <summary>Signs an image. Signatures that are there already are not made again.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public async Task SignAsync(DestinationSet destinations, SignedImage image)
    {
        if (request is null)
            return;
        await destinations.EachAsync(destination => destination.IsOnlyMeasured ? Task.CompletedTask : SignAsync(destination, image));
    }

    /// <summary>Signs an image that tags point at already, unless this machine has seen it signed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public async Task SignUnchangedAsync(DestinationSet destinations, SignedImage image)
    {
        if (request is null)
            return;
        await destinations.EachAsync(async destination =>
        {
            if (
                !destination.IsOnlyMeasured
                && await context.Store.Records.ReadAsync(Kind, KeyOf(destination, image), CancellationToken.None) is null
            )
                await SignAsync(destination, image);
        });
    }

    private async Task SignAsync(IDestination destination, SignedImage image)
    {
        var missing = await FindMissingAsync(destination, image);
        if (missing.IsNone)
        {
            context.Log.Detail($"{destination.Name}@{image.Descriptor.Digest} is signed already.");
        }
        else
        {
            if (missing.Bundle)
                await AttachBundleAsync(destination, image);
            if (missing.References.Count > 0)
                await destination.SignTagAsync(
                    image.Descriptor.Digest,
                    [.. missing.References.Select(name => TagSignature.Create(request!.Key!, image.Descriptor.Digest, name))]
                );
            await ConfirmAsync(destination, image);
        }

        await context.Store.Records.WriteAsync(Kind, KeyOf(destination, image), "signed"u8.ToArray(), CancellationToken.None);
    }

    private async Task AttachBundleAsync(IDestination destination, SignedImage image)
    {
        var statement = SignaturePayload.CreateStatement(image.Descriptor.Digest);
        var bundle = await signer!.CreateBundleAsync(image.Descriptor, statement, destination.Stop);
        await AttestationStep.PutAsync(destination, bundle);
        await destination.AttachAsync(image.Descriptor, [ReferrerEntry.Create(bundle.Manifest)]);
    }

    private async Task ConfirmAsync(IDestination destination, SignedImage image)
    {
        var missing = await FindMissingAsync(destination, image);
        if (!missing.IsNone)
            throw new ImagePublishException(
                DiagnosticCodes.NotSigned,
                $"{destination.Name}@{image.Descriptor.Digest} was signed, and the signature ({missing}) is not found there afterwards, or "
                    + "does not verify. No tag was moved. Publish again, or choose another ImageSignatureFormat."
            );
        context.Log.Information($"  {destination.Name}@{image.Descriptor.Digest} is signed ({signer!.Description}, {request!.Format}).");
    }

    // Signatures of others, and whatever else is there, are none of this key's.
    private async Task<MissingSignatures> FindMissingAsync(IDestination destination, SignedImage image)
    {
        var missing = MissingSignatures.All(destination, image, request!.Format);
        bool IsWanted(SignatureForm form) =>
            form == SignatureForm.SigstoreBundle ? missing.Bundle : form == SignatureForm.SimpleSigning && missing.References.Count > 0;

        await foreach (var artifact in destination.FindSignaturesAsync(image.Descriptor.Digest, IsWanted))
        {
            if (await signer!.VerifiesAsync(artifact, image.Descriptor.Digest, destination.Stop))
                missing.Remove(artifact);
            if (missing.IsNone)
                break;
        }

        return missing;
    }

    private Digest KeyOf(IDestination destination, SignedImage image) =>
        Digest.Compute(
            Encoding.UTF8.GetBytes(
                $"{destination.Name}\n{image.Descriptor.Digest}\n{request!.Id}\n{string.Join(' ', image.Tags.Select(tag => tag.Value))}"
            )
        );

    /// <summary>Which signatures are still to be made.</summary>
    private sealed class MissingSignatures
    {
        public bool Bundle { get; private set; }

        /// <summary>Names of the image without a signature at the tag.</summary>
        public HashSet<string> References { get; } = [];

        public bool IsNone => !Bundle && References.Count == 0;

        public static MissingSignatures All(IDestination destination, SignedImage image, SignatureFormat format)
        {
            var isBundleOnly = !destination.HasSignatureTags || format == SignatureFormat.Bundle;
            var missing = new MissingSignatures { Bundle = isBundleOnly || format == SignatureFormat.Both };
            if (isBundleOnly)
                return missing;
            missing.References.UnionWith(image.Tags.Select(tag => $"{destination.Name}:{tag}"));
            if (image.Tags.Count == 0)
                missing.References.Add(destination.Name);
            return missing;
        }

        public void Remove(SignatureArtifact artifact)
        {
            if (artifact.Form == SignatureForm.SigstoreBundle)
                Bundle = false;
            else if (SimpleSigning.Read(artifact.Content, artifact.Annotations).ReadReference() is { } reference)
                References.Remove(reference);
        }

        public override string ToString() =>
            string.Join(", ", References.Select(name => $"tag for {name}").Prepend(Bundle ? "bundle" : "").Where(text => text.Length > 0));
    }
}

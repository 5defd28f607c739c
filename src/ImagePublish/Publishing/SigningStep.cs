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

    /// <summary>A blob that no other image has, if it has one.</summary>
    public Digest? Config { get; init; }
}

/// <summary>
/// Signs an image at every destination, before a tag moves: it looks for signatures of the same key, adds the forms that are missing, and
/// then reads back and verifies what it added, as a stranger would who has the public key.
/// </summary>
/// <remarks>What it waits for ends with the destinations; its records are on this machine.</remarks>
internal sealed class SigningStep(PublishContext context, SigningRequest? request, CancellationToken cancellationToken)
{
    private const string Kind = "signed";

    private readonly ImageSigner? signer = request is null ? null : new ImageSigner(request, context.Registries.Services);

    /// <summary>Signs an image. Signatures that are there already are not made again.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public Task SignAsync(DestinationSet destinations, SignedImage image) =>
        destinations.EachAsync(destination => SignAsync(destination, image, NothingElseAsync));

    /// <summary>Signs an image that tags point at already, unless this machine has seen it signed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public async Task SignUnchangedAsync(DestinationSet destinations, SignedImage image)
    {
        if (request is null)
            return;
        await destinations.EachAsync(async destination =>
        {
            if (await context.Store.Records.ReadAsync(Kind, KeyOf(destination, image), CancellationToken.None) is null)
                await SignAsync(destination, image, NothingElseAsync);
        });
    }

    /// <summary>Signs an image at one destination, and attaches something else to it with the same change of its list.</summary>
    /// <param name="putOtherAsync">Puts it, and returns its entries.</param>
    public async Task SignAsync(IDestination destination, SignedImage image, Func<Task<IReadOnlyList<Descriptor>>> putOtherAsync)
    {
        var isWanted = request is not null && !destination.IsOnlyMeasured;
        var missing = isWanted ? await FindMissingAsync(destination, image) : null;
        var signatures = missing is null ? [] : await CreateAttachedAsync(image.Descriptor, missing);
        var putting = signatures.Select(one => AttestationStep.PutAsync(destination, one)).ToList();
        // The tag and the list of attachments are watched for others' changes for a while: for both at once, and meanwhile what was signed
        // is read back.
        var signingTag = missing is null ? Task.CompletedTask : SignTagAsync(destination, image, missing);
        var attaching = AttachAsync(destination, image.Descriptor, signatures, putting, putOtherAsync);
        await Task.WhenAll([signingTag, attaching, .. signatures.Zip(putting, (one, put) => ConfirmAsync(destination, image, one, put))]);
        if (missing is null)
            return;
        if (missing.IsNone)
            context.Log.Detail($"{destination.Name}@{image.Descriptor.Digest} is signed already.");
        else
            await ReportAsync(destination, image);
        await context.Store.Records.WriteAsync(Kind, KeyOf(destination, image), "signed"u8.ToArray(), CancellationToken.None);
    }

    private async Task<IReadOnlyList<AttachedManifest>> CreateAttachedAsync(Descriptor image, MissingSignatures missing)
    {
        var created = new List<AttachedManifest>();
        if (missing.Bundle)
            created.Add(await signer!.CreateBundleAsync(image, SignaturePayload.CreateStatement(image.Digest), cancellationToken));
        if (missing.Notation)
            created.Add(await signer!.CreateNotationAsync(image, cancellationToken));
        return created;
    }

    private static Task<IReadOnlyList<Descriptor>> NothingElseAsync() => Task.FromResult<IReadOnlyList<Descriptor>>([]);

    private async Task SignTagAsync(IDestination destination, SignedImage image, MissingSignatures missing)
    {
        var digest = image.Descriptor.Digest;
        var signatures = missing.References.Select(name => signer!.CreateTagAsync(digest, name, cancellationToken));
        if (missing.References.Count > 0)
            await destination.SignTagAsync(digest, await Task.WhenAll(signatures));
    }

    private static async Task AttachAsync(
        IDestination destination,
        Descriptor image,
        IReadOnlyList<AttachedManifest> signatures,
        IReadOnlyList<Task> putting,
        Func<Task<IReadOnlyList<Descriptor>>> putOtherAsync
    )
    {
        var other = putOtherAsync();
        await Task.WhenAll([.. putting, other]);
        Descriptor[] added = [.. await other, .. signatures.Select(one => ReferrerEntry.Create(one.Manifest))];
        if (added.Length > 0)
            await destination.AttachAsync(image, added);
    }

    // What is at the tag was read back when it was written, and the list of attachments, too: what the list names is read here.
    private async Task ConfirmAsync(IDestination destination, SignedImage image, AttachedManifest signature, Task putting)
    {
        await putting;
        if (!await signer!.VerifiesAsync(await destination.ReadSignatureAsync(signature), image.Descriptor, cancellationToken))
            throw new ImagePublishException(
                DiagnosticCodes.NotSigned,
                $"{destination.Name}@{image.Descriptor.Digest} was signed, but the signature ({signature.Manifest.Descriptor.Digest}) "
                    + "can't be read back or verified. No tag was moved. Publish again, or choose another "
                    + "ImageSignatureFormat."
            );
    }

    private async Task ReportAsync(IDestination destination, SignedImage image)
    {
        var signedBy = await signer!.DescribeAsync(cancellationToken);
        context.Log.Information($"  {destination.Name}@{image.Descriptor.Digest} is signed ({signedBy}, {request!.Format}).");
    }

    // Signatures of others, and whatever else is there, are none of this key's.
    private async Task<MissingSignatures> FindMissingAsync(IDestination destination, SignedImage image)
    {
        var missing = MissingSignatures.All(destination, image, request!.Format);
        // Nobody can have signed what was not there.
        if (image.Config is { } config && await destination.LackedAnyAsync([config]))
            return missing;
        await foreach (var artifact in destination.FindSignaturesAsync(image.Descriptor.Digest, missing.Includes))
        {
            if (await signer!.VerifiesAsync(artifact, image.Descriptor, cancellationToken))
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

        public bool Notation { get; private set; }

        /// <summary>Names of the image without a signature at the tag.</summary>
        public HashSet<string> References { get; } = [];

        public bool IsNone => !Bundle && !Notation && References.Count == 0;

        public static MissingSignatures All(IDestination destination, SignedImage image, SignatureFormat format)
        {
            var isAtTag = destination.HasSignatureTags && format.HasFlag(SignatureFormat.Tag);
            var missing = new MissingSignatures
            {
                Bundle = format.HasFlag(SignatureFormat.Bundle) || (format.HasFlag(SignatureFormat.Tag) && !isAtTag),
                Notation = format.HasFlag(SignatureFormat.Notation),
            };
            if (!isAtTag)
                return missing;
            missing.References.UnionWith(image.Tags.Select(tag => $"{destination.Name}:{tag}"));
            if (image.Tags.Count == 0)
                missing.References.Add(destination.Name);
            return missing;
        }

        public bool Includes(SignatureForm form) =>
            form switch
            {
                SignatureForm.SigstoreBundle => Bundle,
                SignatureForm.Notation => Notation,
                _ => References.Count > 0,
            };

        public void Remove(SignatureArtifact artifact)
        {
            if (artifact.Form == SignatureForm.SigstoreBundle)
                Bundle = false;
            else if (artifact.Form == SignatureForm.Notation)
                Notation = false;
            else if (SimpleSigning.Read(artifact.Content, artifact.Annotations).ReadReference() is { } reference)
                References.Remove(reference);
        }
    }
}

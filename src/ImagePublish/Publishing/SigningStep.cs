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
/// <param name="signer">Null where nothing is to be signed.</param>
/// <remarks>What it waits for ends with the destinations; its records are on this machine.</remarks>
internal sealed class SigningStep(PublishContext context, ImageSigner? signer, CancellationToken cancellationToken)
{
    private const string Kind = "signed";

    /// <summary>Signs an image. Signatures that are there already are not made again.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public Task SignAsync(DestinationSet destinations, SignedImage image) =>
        destinations.EachAsync(destination => SignAsync(destination, image, NothingElseAsync));

    /// <summary>Signs an image that tags point at already, unless this machine has seen it signed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6024</c>: it can't be signed; or what the registry fails with.</exception>
    public async Task SignUnchangedAsync(DestinationSet destinations, SignedImage image)
    {
        if (signer is null)
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
        if (signer is null || destination.IsOnlyMeasured)
        {
            await AttachAsync(destination, image.Descriptor, await putOtherAsync());
            return;
        }

        await signer.WaitAsync();
        var missing = await FindMissingAsync(destination, image);
        // The tag and the list of attachments are watched for others' changes for a while: for both at once.
        await Task.WhenAll(SignTagAsync(destination, image, missing), AttachSignedAsync(destination, image, missing, putOtherAsync));
        if (missing.IsNone)
            context.Log.Detail($"{destination.Name}@{image.Descriptor.Digest} is signed already.");
        else
            await ReportAsync(destination, image);
        await context.Store.Records.WriteAsync(Kind, KeyOf(destination, image), "signed"u8.ToArray(), CancellationToken.None);
    }

    private async Task SignTagAsync(IDestination destination, SignedImage image, MissingSignatures missing)
    {
        var digest = image.Descriptor.Digest;
        var signatures = missing.References.Select(name => signer!.CreateTagAsync(digest, name, cancellationToken));
        if (missing.References.Count > 0)
            await destination.SignTagAsync(digest, await Task.WhenAll(signatures));
    }

    private async Task AttachSignedAsync(
        IDestination destination,
        SignedImage image,
        MissingSignatures missing,
        Func<Task<IReadOnlyList<Descriptor>>> putOtherAsync
    )
    {
        var signing = PutSignaturesAsync(destination, image.Descriptor, missing);
        var other = putOtherAsync();
        await Task.WhenAll(signing, other);
        var signatures = await signing;
        var entries = signatures.Select(one => ReferrerEntry.Create(one.Manifest));
        // What was signed is read back while its list is watched.
        await Task.WhenAll([
            AttachAsync(destination, image.Descriptor, [.. await other, .. entries]),
            .. signatures.Select(one => ConfirmAsync(destination, image, one)),
        ]);
    }

    private static Task AttachAsync(IDestination destination, Descriptor image, IReadOnlyList<Descriptor> added) =>
        added.Count > 0 ? destination.AttachAsync(image, added) : Task.CompletedTask;

    private async Task<IReadOnlyList<AttachedManifest>> PutSignaturesAsync(
        IDestination destination,
        Descriptor image,
        MissingSignatures missing
    )
    {
        var signatures = await CreateAttachedAsync(image, missing);
        await Task.WhenAll(signatures.Select(one => AttestationStep.PutAsync(destination, one)));
        return signatures;
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

    // What is at the tag was read back when it was written, and the list of attachments, too: what the list names is read here.
    private async Task ConfirmAsync(IDestination destination, SignedImage image, AttachedManifest signature)
    {
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
        context.Log.Information($"  {destination.Name}@{image.Descriptor.Digest} is signed ({signedBy}, {signer!.Format}).");
    }

    // Signatures of others, and whatever else is there, are none of this key's.
    private async Task<MissingSignatures> FindMissingAsync(IDestination destination, SignedImage image)
    {
        var missing = MissingSignatures.All(destination, image, signer!.Format);
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
                $"{destination.Name}\n{image.Descriptor.Digest}\n{signer!.Id}\n{string.Join(' ', image.Tags.Select(tag => tag.Value))}"
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

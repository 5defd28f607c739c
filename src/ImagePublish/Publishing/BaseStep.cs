using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>A base image, and who must have signed it; null if that does not matter.</summary>
internal sealed record BaseInputs(ImageSource Source, Platform Platform, TrustPolicy? Trust);

/// <summary>Finds the base image and makes sure that it is signed: nothing of it but documents is read before.</summary>
internal sealed class BaseStep(PublishContext context)
{
    private readonly BaseResolver bases = new(context.Registries, context.Documents, context.Store);

    /// <param name="known">The base image, if it was found before.</param>
    /// <exception cref="ImagePublishException">There is none, or it is not signed as the project wants it.</exception>
    public async Task<BaseImage> ResolveAsync(BaseInputs inputs, BaseImage? known, CancellationToken cancellationToken)
    {
        var found = known ?? await bases.ResolveAsync(inputs.Source, inputs.Platform, cancellationToken);
        if (inputs.Trust is { } trust && inputs.Source is not ScratchImage)
            context.Log.Information(await RequireSignedAsync(trust, inputs.Source, found, cancellationToken));
        return found;
    }

    private async Task<string> RequireSignedAsync(
        TrustPolicy trust,
        ImageSource source,
        BaseImage found,
        CancellationToken cancellationToken
    )
    {
        switch (source)
        {
            case RegistryImage remote:
                var subject = SubjectOf(found, remote.Reference) with { Location = remote.Location.Repository };
                return await context.Signatures.RequireAsync(trust, subject, cancellationToken);
            case OfflineImage { Reference: var reference }:
                return await context.Signatures.FindKnownAsync(trust, SubjectOf(found, reference), cancellationToken)
                    ?? throw new ImagePublishException(
                        DiagnosticCodes.SignatureUnknown,
                        $"It is not known who signed the base image '{reference}', and ImageOffline is true. Pull it while there is a "
                            + $"network, which verifies it: dotnet msbuild -t:PullImage -p:ImageSource={reference}"
                    );
            default:
                throw new ImagePublishException(
                    DiagnosticCodes.SignatureUnknown,
                    $"It is not known who signed the base image '{Common.Text.Sanitize(found.Name)}': it is read from this machine, where "
                        + "signatures are not kept. Name it with its registry in ImageBase, or leave ImageBaseTrust empty in this project."
                );
        }
    }

    private static VerifiedSubject SubjectOf(BaseImage image, Reference name) =>
        new("base image", name)
        {
            Location = name.Repository,
            Digests = [.. ((Digest?[])[image.Digest, image.ManifestDigest]).OfType<Digest>().Distinct()],
        };
}

using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>Makes sure that an image is signed, before anything of it is used.</summary>
internal sealed class SignatureStep(PublishContext context)
{
    /// <param name="role">What the image is used for.</param>
    /// <exception cref="ImagePublishException"><c>IMG6017</c> to <c>IMG6022</c>: it is not signed as the project wants it; or what the
    /// registry fails with.</exception>
    public async Task RequireAsync(
        TrustPolicy trust,
        ImageSource source,
        BaseImage found,
        ImageRole role,
        CancellationToken cancellationToken
    )
    {
        if (source is not ScratchImage)
            context.Log.Information(await FindSignerAsync(trust, source, found, role, cancellationToken));
    }

    private async Task<string> FindSignerAsync(
        TrustPolicy trust,
        ImageSource source,
        BaseImage found,
        ImageRole role,
        CancellationToken cancellationToken
    )
    {
        switch (source)
        {
            case RegistryImage remote:
                var subject = SubjectOf(found, remote.Reference, role) with { Location = remote.Location.Repository };
                return await context.Signatures.RequireAsync(trust, subject, cancellationToken);
            case OfflineImage { Reference: var reference }:
                return await context.Signatures.FindKnownAsync(trust, SubjectOf(found, reference, role), cancellationToken)
                    ?? throw Unknown($"the {role.Noun} '{reference}', and ImageOffline is true. {PullAdvice(reference, role)}");
            default:
                var advice = role.Item is null
                    ? "Name it with its registry in ImageBase, or leave ImageBaseTrust empty in this project."
                    : "Name it with its registry, or set the item's metadata Trust to 'none'.";
                throw Unknown(
                    $"the {role.Noun} '{Text.Sanitize(found.Name)}': it is read from this machine, where signatures are not kept. {advice}"
                );
        }
    }

    private static string PullAdvice(Reference reference, ImageRole role)
    {
        var trust = role.Item is null ? "" : ", with what the item trusts as ImageBaseTrust";
        return $"Pull it while there is a network, which verifies it{trust}: dotnet msbuild -t:PullImage -p:ImageSource={reference}";
    }

    private static ImagePublishException Unknown(string what) =>
        new(DiagnosticCodes.SignatureUnknown, $"It is not known who signed {what}");

    private static VerifiedSubject SubjectOf(BaseImage image, Reference name, ImageRole role) =>
        new(role.Noun, name)
        {
            Location = name.Repository,
            Digests = [.. ((Digest?[])[image.Digest, image.ManifestDigest]).OfType<Digest>().Distinct()],
            Setting = role.Item is null ? "ImageBaseTrust" : "the item's metadata Trust or ImageBaseTrust",
            Advice = role.Item is null
                ? ""
                : " Where this image alone may be used, set the item's metadata Trust to the file of a key, a certificate or a policy, "
                    + "or to 'none'.",
        };
}

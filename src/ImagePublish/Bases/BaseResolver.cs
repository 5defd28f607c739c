using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>Finds the base image, or another that something is taken from, for a platform: documents only, no layer is fetched.</summary>
internal sealed class BaseResolver(RegistryClient registries, RegistryDocuments documents, ImageStore store, ImageRole? role = null)
{
    private readonly ImageRole role = role ?? ImageRole.Base;

    /// <summary>Finds a base image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2001</c> to <c>IMG2004</c>, or what the registry fails with.</exception>
    public Task<BaseImage> ResolveAsync(ImageSource source, Platform platform, CancellationToken cancellationToken) =>
        source switch
        {
            RegistryImage remote => ResolveRemoteAsync(remote, platform, cancellationToken),
            ScratchImage scratch => Task.FromResult(BaseImage.Scratch(platform, scratch.EnvironmentVariables)),
            _ => new LocalBaseResolver(store, role: role).ResolveAsync(source, platform, cancellationToken),
        };

    private async Task<BaseImage> ResolveRemoteAsync(RegistryImage image, Platform platform, CancellationToken cancellationToken)
    {
        try
        {
            return await ResolveAsync(image, platform, cancellationToken);
        }
        catch (ImagePublishException exception) when (image.Mirror is not null)
        {
            throw new ImagePublishException(
                exception.Code,
                $"{exception.Message} '{image.Reference}' is read from the mirror '{image.Location}', which ImageBaseRegistry or "
                    + "IMAGE_BASE_REGISTRY names.",
                exception
            )
            {
                Item = exception.Item,
            };
        }
    }

    private async Task<BaseImage> ResolveAsync(RegistryImage source, Platform platform, CancellationToken cancellationToken)
    {
        var (reference, location, locked) = (source.Reference, source.Location, source.Locked);
        var document = await documents.FindAsync(locked is null ? location : location.Pinned(locked), cancellationToken)
            ?? throw (
                locked is not null
                    ? Gone(reference, locked)
                    : role.Fail(role.NotFound, reference.ToString(), $"does not exist. Check its name and tag, {role.Advice}.")
            );
        try
        {
            var image = await documents.ReadImageAsync(
                location.Repository,
                document,
                index => Choose(index, reference, platform),
                cancellationToken
            ) ?? throw Invalid(reference, $"'{Text.Sanitize(document.Descriptor.MediaType)}' is not an image", null);
            if (!image.Config.Platform.Satisfies(platform))
                throw PlatformMissing(role, reference.ToString(), platform, [image.Config.Platform]);
            return new BaseImage(
                reference.ToString(),
                document.Descriptor.Digest,
                MediaTypes.FormatOf(image.ManifestBlob.Descriptor.MediaType),
                image.Config,
                image.Layers(registries, location.Repository)
            )
            {
                ManifestDigest = image.ManifestBlob.Descriptor.Digest,
            };
        }
        catch (JsonException exception)
        {
            throw Invalid(reference, exception.Message, exception);
        }
    }

    private Descriptor Choose(ImageIndex index, Reference reference, Platform platform)
    {
        // Attestations are listed in an index as images for 'unknown/unknown'. An only image without a platform says in its
        // config what it is for.
        var known = index.Manifests.Where(manifest => manifest.Platform is { Os: not "unknown" }).ToList();
        return known.FirstOrDefault(manifest => manifest.Platform!.Satisfies(platform))
            ?? (
                index.Manifests is [{ Platform: null } only]
                    ? only
                    : throw PlatformMissing(role, reference.ToString(), platform, known.Select(manifest => manifest.Platform!))
            );
    }

    internal static ImagePublishException PlatformMissing(
        ImageRole role,
        string reference,
        Platform platform,
        IEnumerable<Platform> available
    )
    {
        string[] known =
        [
            .. available.Where(one => one.Os.Length > 0 || one.Architecture.Length > 0).Select(one => one.ToString()).Distinct(),
        ];
        return role.Fail(
            role.PlatformMissing,
            reference,
            $"does not exist for {platform}. "
                + (
                    known.Length > 0
                        ? $"It exists for {string.Join(", ", known)}."
                        : "It does not say which platform it is for: choose another image, or one whose config has os and architecture."
                )
        );
    }

    private ImagePublishException Gone(Reference reference, Digest locked) =>
        role.Fail(
            role.NotFound,
            reference.ToString(),
            $"does not exist any more as {locked}, which the lock file pins it to. Renew the lock: dotnet msbuild -t:UpdateImageLock."
        );

    private ImagePublishException Invalid(Reference reference, string reason, Exception? cause) =>
        role.Fail(
            role.Invalid,
            reference.ToString(),
            $"can't be used: {Text.Sanitize(reason).TrimEnd('.')}. Choose another image, or push it again with a current tool.",
            cause
        );
}

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
        if (inputs.Trust is { } trust)
            await new SignatureStep(context).RequireAsync(trust, inputs.Source, found, ImageRole.Base, cancellationToken);
        return found;
    }
}

using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;

namespace ImagePublish.Reproducing;

/// <summary>Makes the image of a request again, writes it nowhere, and compares it with the one that was named.</summary>
internal sealed class Reproducer(PublishContext context, ReproductionPlan plan)
{
    private readonly ImageOpener opener = new(context.Registries, context.Store);

    /// <summary>Plans the publish of a request, on the very base that the image names, and explains how the result differs.</summary>
    /// <param name="source">Where the image is.</param>
    /// <exception cref="ImagePublishException">It could not be built or read; <c>IMG4031</c>: the image lacks the platform.</exception>
    public async Task<(PlatformReproduction Result, PublishRun Run)> RunAsync(
        PublishRequest request,
        ImageSource source,
        CancellationToken cancellationToken
    )
    {
        var content = await opener.OpenAsync(source, cancellationToken);
        if (content.Root.Descriptor.Digest.ToString() != plan.Digest)
            throw NamedImage.NotComparable(plan.Name, "it became another image during the build", "Run it again");
        var image = await NamedImage.LoadAsync(plan.Name, content, cancellationToken);
        var platform = request.Spec.Platform;
        var named = image.Find(platform)
            ?? throw NamedImage.NotComparable(
                plan.Name,
                $"it has no image for {platform}",
                "Set ImageRuntimeIdentifiers as its publish did"
            );
        var local = Locally(request) with { Base = Pin(request.Base, named) };
        await using var output = PublishOutput.OpenPlanned(context, local, cancellationToken);
        var run = await new ImagePublisher(context).RunAsync(local, output, cancellationToken);
        var rebuilt = new RebuiltImage(run.Result.Image, run.Base, run.Contents);
        var explainer = new ImageExplainer(plan, context.Store);
        return (await explainer.CompareAsync(named, rebuilt, cancellationToken), run);
    }

    /// <summary>A request that reaches no destination, takes no layer of an image, and makes nothing besides the image.</summary>
    private static PublishRequest Locally(PublishRequest request) =>
        request with
        {
            Destinations = [],
            Tags = [],
            ContentTags = [],
            HeldTags = [],
            ComparedTags = [],
            CacheFrom = null,
            Attestations = null,
            Signing = null,
            Sbom = null,
            Policy = null,
            DependencyCheck = null,
        };

    // Another base is another project's, or another commit's: then the comparison says so.
    private static ImageSource Pin(ImageSource source, Image named) =>
        source is RegistryImage remote && BaseDigest(named, remote.Reference) is { } digest ? remote with { Locked = digest } : source;

    private static Digest? BaseDigest(Image named, Reference reference)
    {
        var labels = named.Config.Config?.Labels;
        return
            labels?.GetValueOrDefault(ImageLabels.BaseName) == reference.ToString()
            && Digest.TryParse(labels.GetValueOrDefault(ImageLabels.BaseDigest), out var digest)
            ? digest
            : null;
    }

    /// <summary>Makes sure that the bases that an image names are there, before something is built.</summary>
    /// <param name="locate">Where a base is asked for, which may be a mirror.</param>
    /// <exception cref="ImagePublishException"><c>IMG4021</c>: one is gone.</exception>
    public static async Task CheckBasesAsync(
        NamedImage image,
        RegistryDocuments documents,
        Func<Reference, Reference> locate,
        CancellationToken cancellationToken
    )
    {
        var bases = image.Platforms.Select(FindBase).OfType<Reference>().Distinct();
        foreach (var reference in bases)
        {
            if (await documents.FindAsync(locate(reference), cancellationToken) is null)
                throw new ImagePublishException(
                    DiagnosticCodes.NamedBaseGone,
                    $"'{Text.Sanitize(image.Name)}' is based on '{reference}', which its registry does not have any more: it can't be "
                        + "built again. Nothing was built. Copy bases into a registry of yours to keep them: see ImageBaseRegistry."
                );
        }
    }

    // A base of this machine has a name without a registry, and no registry is asked for it.
    private static Reference? FindBase(Image image)
    {
        var labels = image.Config.Config?.Labels;
        return
            labels?.GetValueOrDefault(ImageLabels.BaseName) is { Length: < 1000 } name
            && name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
            && name.AsSpan(0, slash).ContainsAny('.', ':')
            && Reference.TryParse(name, out var reference, out _)
            && Digest.TryParse(labels.GetValueOrDefault(ImageLabels.BaseDigest), out var digest)
            ? reference.Repository.ReferenceTo(digest)
            : null;
    }
}

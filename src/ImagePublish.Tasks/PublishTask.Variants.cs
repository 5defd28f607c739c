using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <content>Variants: further images of the same publish.</content>
public abstract partial class PublishTask
{
    private bool isPublished;

    /// <summary>Further images of the same publish (TagSuffix, Repository, User, Entrypoint, Command).</summary>
    public ITaskItem[] Variants { get; set; } = [];

    /// <summary>Where the variants are now, as <see cref="PublishedImages"/> says it of the image, and with the variant's name.</summary>
    [Output]
    public ITaskItem[] PublishedVariants { get; private set; } = [];

    /// <summary>The variant whose settings these are; null for the project's own image.</summary>
    internal ImageVariant? Variant { get; private set; }

    internal override string TagSuffix => Variant?.TagSuffix ?? "";

    /// <summary>Publishes the image, and then its variants: the layers that they share are there by then.</summary>
    /// <param name="variants">The variants that there are images of.</param>
    /// <param name="prepare">Reads what a copy of this task says, and returns what publishes it: nothing is published where one can't
    /// be read.</param>
    private protected async Task PublishAllAsync(IReadOnlyList<ImageVariant> variants, Func<PublishTask, Func<Task>> prepare)
    {
        var image = CopyFor(null);
        var publishAsync = prepare(image);
        var copies = variants.Select(variant => CopyFor(variant)).Select(copy => (Copy: copy, PublishAsync: prepare(copy))).ToList();
        await publishAsync();
        isPublished = !DryRun;
        ReportResult(image);
        foreach (var (copy, publishVariantAsync) in copies)
        {
            try
            {
                await publishVariantAsync();
            }
            catch (ImagePublishException exception)
            {
                throw new ImagePublishException(
                    exception.Code,
                    $"{ProjectName} {(DryRun ? "can be" : "was")} published, but not {copy.Variant}: {exception.Message}",
                    exception
                )
                {
                    Item = exception.Item,
                    TellsChanges = exception.TellsChanges,
                };
            }

            foreach (var item in copy.PublishedImages)
                item.SetText(ImageVariant.Metadata, copy.Variant!.Name);
            PublishedVariants = [.. PublishedVariants, .. copy.PublishedImages];
        }
    }

    private protected void ReportResult(PublishTask image) =>
        (PublishedImages, ImageDigest, ImageReference) = (image.PublishedImages, image.ImageDigest, image.ImageReference);

    /// <summary>This task with the settings of a variant, or of the project's own image, alone.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>: the variant would have the image's own tags.</exception>
    internal virtual PublishTask CopyFor(ImageVariant? variant)
    {
        var copy = (PublishTask)MemberwiseClone();
        copy.Variant = variant;
        copy.Annotations = ImageVariant.Merged(Annotations, variant);
        if (variant is null)
            return copy;
        copy.ResultFile = Path.ChangeExtension(ResultFile, $"{variant.Name}.json");
        copy.Report = null;
        if (variant.Repository is not null)
            copy.Rename(variant.Repository);
        if (variant.TagSuffix.Length == 0 && ImageNames.LocalNameOf(copy) == ImageNames.LocalNameOf(this))
            throw InputParser.Invalid(
                ItemLocations.Locate(Array.Find(Variants, item => item.ItemSpec == variant.Name)!, ImageVariant.Kind),
                "it would have the tags of the image itself. Give it a TagSuffix or a Repository of its own"
            );
        return copy;
    }

    // In the registry of ImageName, and with its tag.
    private void Rename(string repository)
    {
        if (ImageNames.Whole(Name) is { } whole)
        {
            if (InputParser.Words(Tags).Length == 0 && whole.Tag is { } tag && Name!.Trim().EndsWith($":{tag}", StringComparison.Ordinal))
                Tags = tag.Value;
            (Name, Registry, RepositoryPrefix) = (null, whole.Repository.Registry.Host, null);
        }

        Repository = repository;
    }
}

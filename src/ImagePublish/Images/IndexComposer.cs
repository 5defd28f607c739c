using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>Makes an index of the images for several platforms. Pure: the same arguments give the same bytes.</summary>
internal static class IndexComposer
{
    /// <summary>Makes an index.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1013</c>: two images are for one platform, or one is for none.</exception>
    /// <param name="attestations">Entries that are no images: they follow all of those.</param>
    public static MemoryBlobSource Compose(
        IReadOnlyList<Descriptor> images,
        IReadOnlyList<KeyValuePair<string, string>> annotations,
        IReadOnlyList<Descriptor> attestations
    )
    {
        foreach (var twins in images.GroupBy(image => image.Platform?.ToString()).Where(group => group.Count() > 1 || group.Key is null))
        {
            throw new ImagePublishException(
                DiagnosticCodes.PlatformsCollide,
                $"An index needs one image for each "
                    + $"platform, but {string.Join(" and ", twins.Select(image => image.Digest))} are all for {twins.Key ?? "no platform"}."
            );
        }

        var isDocker = attestations.Count == 0 && images.All(image => MediaTypes.FormatOf(image.MediaType) == ImageFormat.Docker);
        var format = isDocker ? ImageFormat.Docker : ImageFormat.Oci;
        var index = new ImageIndex([
            .. images.OrderBy(image => image.Platform!.ToString(), StringComparer.Ordinal),
            .. attestations.OrderBy(attestation => attestation.Digest.Value, StringComparer.Ordinal),
        ])
        {
            MediaType = MediaTypes.Index(format),
            Annotations = format == ImageFormat.Oci ? StringMap.Merge(null, annotations) : null,
        };
        return MemoryBlobSource.Create(index.MediaType, OciJson.Write(index));
    }
}

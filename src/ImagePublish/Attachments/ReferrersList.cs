using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>The list of what is attached to a manifest, as the tag for it has it.</summary>
internal sealed class ReferrersList(ImageIndex index)
{
    public static ReferrersList Empty { get; } = new(new ImageIndex([]) { MediaType = MediaTypes.OciIndex });

    /// <summary>Reads a list; null where the document is something else, such as an image that somebody tagged so.</summary>
    public static ReferrersList? TryRead(MemoryBlobSource document) =>
        document.Descriptor.MediaType == MediaTypes.OciIndex
        && OciJson.ReadIndex(document.Content.Span) is { Subject: null } index
        && index.Manifests.All(entry => entry.Platform is null)
            ? new ReferrersList(index)
            : null;

    public bool HasAll(IReadOnlyList<Descriptor> attachments) =>
        attachments.All(one => index.Manifests.Any(entry => entry.Digest == one.Digest));

    /// <summary>The list with further entries. What others wrote stays as it is, each once.</summary>
    public ReferrersList With(IReadOnlyList<Descriptor> attachments) =>
        new(index with { Manifests = [.. index.Manifests.Concat(attachments).DistinctBy(entry => entry.Digest)] });

    public ReferrersList Without(IReadOnlySet<Digest> gone) =>
        new(index with { Manifests = [.. index.Manifests.Where(entry => !gone.Contains(entry.Digest))] });

    public bool IsSame(ReferrersList other) => Digests.SequenceEqual(other.Digests);

    /// <exception cref="ImagePublishException"><c>IMG4009</c>: registries would not take it.</exception>
    public MemoryBlobSource Write(Reference tag)
    {
        var bytes = OciJson.Write(index);
        return bytes.Length <= OciJson.MaxManifestSize
            ? MemoryBlobSource.Create(MediaTypes.OciIndex, bytes)
            : throw new ImagePublishException(
                DiagnosticCodes.TooLarge,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{tag}' would list {index.Manifests.Count} attachments in {bytes.Length} bytes; registries take "
                ) + $"{OciJson.MaxManifestSize >> 20} MiB. Delete attachments that are no longer needed."
            );
    }

    private IEnumerable<Digest> Digests => index.Manifests.Select(entry => entry.Digest);
}

using System.Globalization;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>Something that is attached to an image: its entry in a list, and what it contains.</summary>
/// <param name="Types">The predicate types of its statements; where it has none, its artifact type.</param>
internal sealed record AttachmentInfo(Descriptor Descriptor, Digest Subject, IReadOnlyList<string> Types)
{
    /// <summary>Attachments as one line of a record.</summary>
    public static string FormatList(IReadOnlyList<AttachmentInfo> attached) => string.Join(' ', attached.Select(Format));

    /// <summary>Reads such a line. What can't be read is left out.</summary>
    public static IReadOnlyList<AttachmentInfo> ParseList(string line, Digest subject) =>
        line.Length == 0 ? [] : [.. line.Split(' ').Select(text => Parse(text, subject)).OfType<AttachmentInfo>()];

    /// <summary>Reads a manifest that is listed as attached to another; null where it is attached to something else.</summary>
    /// <param name="maySkipSubject">Whether it need not name a subject, as BuildKit's in an index did not before 0.32.</param>
    /// <exception cref="System.Text.Json.JsonException">It is malformed.</exception>
    public static AttachmentInfo? TryRead(MemoryBlobSource document, Digest subject, bool maySkipSubject = false)
    {
        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Span);
        if (manifest.Subject is null ? !maySkipSubject : manifest.Subject.Digest != subject)
            return null;
        var entry = ReferrerEntry.Create(document);
        string[] types =
        [
            .. manifest.Layers.Select(layer => layer.Annotations?.GetValueOrDefault(AttachmentTypes.PredicateType)).OfType<string>(),
        ];
        return new AttachmentInfo(entry, subject, types.Length > 0 ? types : [entry.ArtifactType ?? entry.MediaType]);
    }

    private static string Format(AttachmentInfo attachment)
    {
        var (_, digest, size) = attachment.Descriptor;
        string[] texts = [attachment.Descriptor.ArtifactType ?? "", .. attachment.Types];
        return string.Create(CultureInfo.InvariantCulture, $"{digest}={size}={string.Join(',', texts.Select(Uri.EscapeDataString))}");
    }

    private static AttachmentInfo? Parse(string text, Digest subject)
    {
        if (
            text.Split('=') is not [var name, var length, var texts]
            || !Digest.TryParse(name, out var digest)
            || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
        )
            return null;
        string[] types = [.. texts.Split(',').Select(Uri.UnescapeDataString)];
        var descriptor = new Descriptor(MediaTypes.OciManifest, digest, size) { ArtifactType = types[0] };
        return new AttachmentInfo(descriptor, subject, types[1..]);
    }
}

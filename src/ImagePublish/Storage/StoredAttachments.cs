using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What is attached to images of an image layout: entries of its list that have no name and name their subject.</summary>
/// <remarks>
/// oras finds them by the subject in their manifest, and containerd by the annotation, which keeps it from taking them for images.
/// </remarks>
internal static class StoredAttachments
{
    public const string SubjectAnnotation = "io.containerd.manifest.subject";

    /// <summary>What an entry is attached to; null for an entry that is an image.</summary>
    public static Digest? SubjectOf(Descriptor entry) =>
        Digest.TryParse(entry.Annotations?.GetValueOrDefault(SubjectAnnotation), out var subject) ? subject : null;

    public static Descriptor Entry(Descriptor attachment, Digest subject) =>
        attachment with
        {
            Data = null,
            Annotations = new SortedDictionary<string, string>(
                (attachment.Annotations ?? new Dictionary<string, string>()).ToDictionary(),
                StringComparer.Ordinal
            )
            {
                [SubjectAnnotation] = subject.Value,
            },
        };

    public static Descriptor Strip(Descriptor entry)
    {
        var rest = entry.Annotations?.Where(annotation => annotation.Key != SubjectAnnotation).ToDictionary(StringComparer.Ordinal);
        return entry with { Annotations = rest is { Count: > 0 } ? rest : null };
    }

    public static async Task<IReadOnlyList<Descriptor>> ListAttachmentsAsync(
        this ImageStore store,
        Digest subject,
        CancellationToken cancellationToken
    ) => [.. (await store.Index.ReadAsync(cancellationToken)).Manifests.Where(entry => SubjectOf(entry) == subject).Select(Strip)];

    /// <summary>Attaches manifests of the store to another.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3101</c> to <c>IMG3104</c>.</exception>
    public static async Task AttachAsync(
        this ImageStore store,
        Digest subject,
        IReadOnlyList<Descriptor> attachments,
        CancellationToken cancellationToken
    )
    {
        using var held = await store.Disk.LockAsync(cancellationToken);
        var list = await store.Index.ReadAsync(cancellationToken);
        var added = new List<Descriptor>();
        foreach (var attachment in attachments)
        {
            await store.RequireAsync(attachment, cancellationToken);
            if (!list.Manifests.Any(entry => entry.Digest == attachment.Digest && SubjectOf(entry) == subject))
                added.Add(Entry(attachment, subject));
        }

        if (added.Count > 0)
            await store.Index.WriteAsync(list with { Manifests = [.. list.Manifests, .. added] }, cancellationToken);
    }
}

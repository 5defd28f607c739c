using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Reproducing;

/// <summary>Explains how an index differs from the one that the built images make, where the images in both are the same.</summary>
internal static class IndexExplainer
{
    private const int MaxNotes = 6;

    /// <summary>Says what the index has besides, in sentences. It may be anybody's.</summary>
    /// <param name="named">The index that was named.</param>
    /// <param name="rebuilt">What the built images make; null where it is a single image, which is in no index.</param>
    /// <param name="images">The digests of the images that were compared.</param>
    public static IReadOnlyList<string> Explain(ReadOnlySpan<byte> named, byte[]? rebuilt, IReadOnlyCollection<string> images)
    {
        var index = OciJson.ReadIndex(named);
        var attestations = index.Manifests.Where(IsAttestation).ToList();
        var attested = Text.Count(attestations.Count, "attestation");
        var others = index.Manifests.Where(entry => !IsAttestation(entry)).ToList();
        var own = rebuilt is null ? null : OciJson.ReadIndex(rebuilt);
        var notes = NotCompared(others, images)
            .Concat(Foreign(attestations, images))
            .Concat(own is not null && index.MediaType != own.MediaType ? [$"Its media type is {Shown(index.MediaType)}."] : [])
            .Concat(Annotations(index.Annotations, own?.Annotations))
            .Take(MaxNotes)
            .ToList();
        if (notes.Count > 0)
            return [$"The index {(attestations.Count > 0 ? $"has {attested}, and " : "")}is another in the rest.", .. notes];
        if (rebuilt is null)
            return [$"The image is in an index with {attested}, which a build does not make. Nothing else is in it."];
        var rest = OciJson.Write(index with { Manifests = others });
        return rest.AsSpan().SequenceEqual(rebuilt)
            ? [$"The index has {attested}, which a build does not make. Without, it is the same: {Digest.Compute(rebuilt)}."]
            : [$"The index says the same, and is written in another way: {Digest.Compute(rebuilt)} here."];
    }

    private static bool IsAttestation(Descriptor entry) =>
        entry.Platform?.Os == "unknown" && entry.Annotations?.ContainsKey(AttachmentTypes.ReferenceDigest) == true;

    private static IEnumerable<string> NotCompared(IEnumerable<Descriptor> others, IReadOnlyCollection<string> images) =>
        others
            .Where(entry => !images.Contains(entry.Digest.Value))
            .Select(entry => $"{entry.Digest} for {Shown(entry.Platform?.ToString() ?? "no platform")} is in it, and was not compared.");

    private static IEnumerable<string> Foreign(IEnumerable<Descriptor> attestations, IReadOnlyCollection<string> images) =>
        attestations
            .Where(entry => !images.Contains(entry.Annotations![AttachmentTypes.ReferenceDigest]))
            .Select(entry => $"Attestation {entry.Digest} is of none of its images.");

    private static IEnumerable<string> Annotations(
        IReadOnlyDictionary<string, string>? named,
        IReadOnlyDictionary<string, string>? rebuilt
    ) =>
        from name in (named?.Keys ?? []).Union(rebuilt?.Keys ?? []).Order(StringComparer.Ordinal)
        let was = named?.GetValueOrDefault(name)
        let now = rebuilt?.GetValueOrDefault(name)
        where was != now
        select $"Its annotation {Shown(name)} is {Shown(was ?? "nothing")}, and here {Shown(now ?? "nothing")}.";

    private static string Shown(string? text) => Text.Sanitize(text ?? "nothing");
}

using System.Diagnostics;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>The spans of whole images, with what there is to know of them.</summary>
internal static class PublishSpans
{
    private const string ImageName = "container.image.name";
    private const string ManifestDigest = "oci.manifest.digest";

    public static Task<PublishResult> PublishAsync(PublishRequest request, Func<Task<PublishResult>> publishAsync) =>
        Spans.RunAsync("publish image", publishAsync, span => Describe(span, request), Conclude);

    public static Task<PublishRun> RunAsync(PublishRequest request, bool isWritten, Func<Task<PublishRun>> publishAsync) =>
        Spans.RunAsync(
            isWritten ? "publish image" : "plan image",
            publishAsync,
            span => Describe(span, request),
            (span, run) => Conclude(span, run.Result)
        );

    public static Task<IndexResult> IndexAsync(string name, IndexRequest request, Func<Task<IndexResult>> publishAsync) =>
        Spans.RunAsync(
            name,
            publishAsync,
            span => Describe(span, request.Destinations, request.LocalName, request.Tags),
            (span, result) => Conclude(span, result.Index.Descriptor.Digest, result.IsUnchanged, result.Deliveries)
        );

    public static Task<BaseImage> ResolveBaseAsync(Func<Task<BaseImage>> resolveAsync) =>
        Spans.RunAsync("resolve base", resolveAsync, conclude: (span, found) =>
            span.SetTag(ImageName, found.Name).SetTag(ManifestDigest, found.ManifestDigest?.Value)
        );

    private static void Describe(Activity span, PublishRequest request)
    {
        Describe(span, request.Destinations, request.LocalName, request.Tags);
        span.SetTag("imagepublish.platform", request.Spec.Platform.ToString());
    }

    private static void Describe(Activity span, IReadOnlyList<Repository> destinations, string localName, IReadOnlyList<Tag> tags)
    {
        span.SetTag(ImageName, destinations.Count == 0 ? localName : destinations[0].ToString());
        span.SetTag("container.image.tags", tags.Select(tag => tag.Value).ToArray());
        if (destinations.Count > 1)
            span.SetTag("imagepublish.destinations", destinations.Select(repository => repository.ToString()).ToArray());
    }

    private static void Conclude(Activity span, PublishResult result) =>
        Conclude(span, result.Image.Digest, result.IsUnchanged, result.Deliveries);

    private static void Conclude(Activity span, Digest digest, bool isUnchanged, IReadOnlyList<DestinationResult> deliveries)
    {
        var total = deliveries.Aggregate(default(TransferTotals), (sum, delivery) => sum + delivery.Transfer);
        span.SetTag(ManifestDigest, digest.Value);
        span.SetTag("imagepublish.unchanged", isUnchanged);
        span.SetTag("imagepublish.uploaded_bytes", total.UploadedBytes);
        span.SetTag("imagepublish.mounted_bytes", total.MountedBytes);
        span.SetTag("imagepublish.reused_bytes", total.ReusedBytes);
    }
}

using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.LayerReuse;

/// <summary>The spans of single layers.</summary>
internal static class LayerSpans
{
    public static Task<LayerCandidate> FindAsync(LayerInput content, Func<Task<LayerCandidate>> findAsync) =>
        Spans.RunAsync(
            "find layer",
            findAsync,
            span => Describe(span, content),
            (span, found) => span.SetTag("imagepublish.layer.found", found.Known is not null)
        );

    public static Task<T> BuildAsync<T>(LayerInput content, Func<Task<T>> buildAsync, Func<T, Descriptor?> descriptorOf) =>
        Spans.RunAsync(
            "build layer",
            buildAsync,
            span => Describe(span, content),
            (span, built) =>
            {
                var descriptor = descriptorOf(built);
                span.SetTag("imagepublish.blob.digest", descriptor?.Digest.Value).SetTag("imagepublish.blob.size", descriptor?.Size);
            }
        );

    private static void Describe(Activity span, LayerInput content) =>
        span.SetTag("imagepublish.layer.name", content.Name).SetTag("imagepublish.layer.content_bytes", content.ContentLength);
}

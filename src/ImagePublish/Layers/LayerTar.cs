using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md">image-spec, Image Layer Filesystem Changeset</see>.
/// </remarks>
internal static class LayerTar
{
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile. What was written until then is
    /// useless.</exception>
    public static Task WriteAsync(LayerInput content, Stream output, CancellationToken cancellationToken) =>
        new LayerPipeline(new PlainEncoding(), 1).RunAsync(content, output, cancellationToken);

    /// <summary>Computes the tar's digest without keeping the tar, to find the layer where it was built before.</summary>
    /// <remarks>
    /// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-diffid">image-spec, Layer DiffID</see>.
    /// </remarks>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public static async Task<Digest> DiffIdAsync(LayerInput content, CancellationToken cancellationToken) =>
        await DiffIdAsync(content, null, cancellationToken);

    /// <summary>Computes the tar's digest and the hashes of the files in it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public static async Task<Digest> DiffIdAsync(LayerInput content, LayerHasher? hasher, CancellationToken cancellationToken) =>
        (await new LayerPipeline(new PlainEncoding(), 1, hasher: hasher).RunAsync(content, null, cancellationToken)).DiffId;
}

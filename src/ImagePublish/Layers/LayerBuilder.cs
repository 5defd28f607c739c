using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>A layer's blob that was just written.</summary>
/// <param name="DiffId">The digest of the uncompressed tar, as it was written: compare it where another was expected.</param>
internal sealed record BuiltLayer(Descriptor Descriptor, Digest DiffId);

/// <summary>Writes layers' blobs.</summary>
internal static class LayerBuilder
{
    /// <summary>Writes, compresses and hashes a layer in one pass, on all cores, in a few megabytes of memory however large its files are.</summary>
    /// <exception cref="ImagePublishException">
    /// <c>IMG1007</c>: Docker's family has no zstd. <c>IMG3002</c>: a file can't be read, or changes meanwhile; what was written until then is useless.
    /// </exception>
    public static Task<BuiltLayer> BuildAsync(
        LayerInput content,
        LayerCompression compression,
        ImageFormat format,
        Stream output,
        CancellationToken cancellationToken
    ) => BuildAsync(content, compression, format, output, Environment.ProcessorCount, cancellationToken);

    internal static Task<BuiltLayer> BuildAsync(
        LayerInput content,
        LayerCompression compression,
        ImageFormat format,
        Stream output,
        Action<long> compressed,
        CancellationToken cancellationToken
    ) => BuildAsync(content, compression, format, output, Environment.ProcessorCount, cancellationToken, compressed);

    internal static async Task<BuiltLayer> BuildAsync(
        LayerInput content,
        LayerCompression compression,
        ImageFormat format,
        Stream output,
        int parallelism,
        CancellationToken cancellationToken,
        Action<long>? compressed = null
    )
    {
        if (format == ImageFormat.Docker && compression.Compression == Compression.Zstd)
            throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                "ImageCompression is zstd, which images of ImageFormat Docker can not have. Use gzip, or ImageFormat OCI."
            );

        var result = await new LayerPipeline(compression.CreateEncoding(), parallelism, compressed).RunAsync(
            content,
            output,
            cancellationToken
        );
        return new BuiltLayer(new Descriptor(MediaTypes.Layer(format, compression.Compression), result.Digest, result.Size), result.DiffId);
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <param name="DiffId">The digest of the uncompressed tar, as it was written: compare it where another was expected.</param>
internal sealed record BuiltLayer(Descriptor Descriptor, Digest DiffId);

/// <summary>How a layer's blob is made.</summary>
internal sealed record LayerBuildOptions(LayerCompression Compression, ImageFormat Format)
{
    public int Parallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>Called with the number of bytes of the tar that were compressed since the last call.</summary>
    public Action<long>? Compressed { get; init; }

    /// <summary>Hashes the files on their way; null where nobody asks for it.</summary>
    public LayerHasher? Hasher { get; init; }
}

/// <summary>Writes layers' blobs.</summary>
internal static class LayerBuilder
{
    /// <summary>Writes, compresses and hashes a layer in one pass, on all cores, in a few megabytes of memory however large its files
    /// are.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>: Docker's family has no zstd. <c>IMG3002</c>: a file can't be read, or
    /// changes meanwhile; what was written until then is useless. </exception>
    public static Task<BuiltLayer> BuildAsync(
        LayerInput content,
        LayerCompression compression,
        ImageFormat format,
        Stream output,
        CancellationToken cancellationToken
    ) => BuildAsync(content, new LayerBuildOptions(compression, format), output, cancellationToken);

    public static async Task<BuiltLayer> BuildAsync(
        LayerInput content,
        LayerBuildOptions options,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        if (options is { Format: ImageFormat.Docker, Compression.Compression: Compression.Zstd })
            throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                "ImageCompression is zstd, which images of ImageFormat Docker can't have. Use gzip, or ImageFormat OCI."
            );

        var pipeline = new LayerPipeline(options.Compression.CreateEncoding(), options.Parallelism, options.Compressed, options.Hasher);
        var result = await pipeline.RunAsync(content, output, cancellationToken);
        var mediaType = MediaTypes.Layer(options.Format, options.Compression.Compression);
        return new BuiltLayer(new Descriptor(mediaType, result.Digest, result.Size), result.DiffId);
    }
}

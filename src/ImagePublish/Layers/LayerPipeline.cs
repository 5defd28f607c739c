using System.Security.Cryptography;
using System.Threading.Channels;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>From content to blob in bounded memory: one thread reads files and writes tar, the thread pool compresses blocks, and one task
/// hashes and writes them in order.</summary>
internal sealed class LayerPipeline(ILayerEncoding encoding, int parallelism, Action<long>? compressed = null, LayerHasher? hasher = null)
{
    /// <summary>Beyond that, reading and hashing are the limit; more blocks would only take memory.</summary>
    private const int MaxParallelism = 16;

    /// <summary>One for each compressor, one being filled, one being written.</summary>
    private readonly int blocks = Math.Clamp(parallelism, 1, MaxParallelism) + 2;

    public async Task<PipelineResult> RunAsync(LayerInput content, Stream? output, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var pool = new BlockPool(blocks, encoding);
        var channel = Channel.CreateUnbounded<Block>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

        // A thread of its own: it waits for files and for free blocks, which would starve the thread pool that compresses.
        var producer = Task.Factory.StartNew(
            () => Produce(content, new BlockWriter(pool, channel.Writer, stop.Token) { Hasher = hasher }, channel.Writer, stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        try
        {
            return await ConsumeAsync(channel.Reader, pool, output, cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await producer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await pool.DrainAsync();
        }
    }

    private static void Produce(LayerInput content, BlockWriter tar, ChannelWriter<Block> blocks, CancellationToken cancellationToken)
    {
        try
        {
            TarProducer.Write(content, tar, cancellationToken);
            blocks.Complete();
        }
        catch (Exception exception) when (blocks.TryComplete(exception))
        {
            // The reader of the channel throws it.
        }
    }

    private async Task<PipelineResult> ConsumeAsync(
        ChannelReader<Block> ready,
        BlockPool pool,
        Stream? output,
        CancellationToken cancellationToken
    )
    {
        using var diffId = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var blob = new BlobOutput(output, hashed: encoding is not PlainEncoding);
        await blob.WriteAsync(encoding.Start, cancellationToken);
        await foreach (var block in ready.ReadAllAsync(cancellationToken))
        {
            diffId.AppendData(block.Input.Span);
            var encoded = await block.Encoded!;
            encoding.Add(block);
            await blob.WriteAsync(encoded, cancellationToken);
            compressed?.Invoke(block.Input.Length);
            pool.Return(block);
        }

        await blob.WriteAsync(encoding.End(), cancellationToken);
        var tar = Digest.FromSha256(diffId.GetHashAndReset());
        return new PipelineResult(tar, blob.Digest() ?? tar, blob.Size);
    }

    /// <summary>Where the blob goes, counted and hashed; nowhere when only the diff id is asked for. A blob that is the tar itself needs no
    /// hash of its own.</summary>
    private sealed class BlobOutput(Stream? output, bool hashed) : IDisposable
    {
        private readonly IncrementalHash? hash = output is not null && hashed ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;

        public long Size { get; private set; }

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (output is null || bytes.IsEmpty)
                return;

            hash?.AppendData(bytes.Span);
            Size += bytes.Length;
            await output.WriteAsync(bytes, cancellationToken);
        }

        public Digest? Digest() => hash is null ? null : Oci.Digest.FromSha256(hash.GetHashAndReset());

        public void Dispose() => hash?.Dispose();
    }
}

internal sealed record PipelineResult(Digest DiffId, Digest Digest, long Size);

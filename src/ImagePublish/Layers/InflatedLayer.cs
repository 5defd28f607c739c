using System.IO.Compression;
using System.Security.Cryptography;
using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>The tar in a layer's blob: counted, hashed and limited while it is read.</summary>
internal sealed class InflatedLayer : ReadOnlyStream
{
    private const int MagicLength = 4;

    private readonly CountedStream input;
    private readonly Stream inflated;
    private readonly LayerReaderOptions options;
    private readonly IncrementalHash? hash;
    private long length;

    private InflatedLayer(CountedStream input, Stream inflated, LayerReaderOptions options)
    {
        (this.input, this.inflated, this.options) = (input, inflated, options);
        hash = options.DiffId is { } diffId ? IncrementalHash.CreateHash(diffId.HashAlgorithm) : null;
    }

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException();
    }

    public static async Task<InflatedLayer> OpenAsync(Stream blob, LayerReaderOptions options, CancellationToken cancellationToken)
    {
        var start = new byte[MagicLength];
        var read = await blob.ReadAtLeastAsync(start, MagicLength, throwOnEndOfStream: false, cancellationToken);
        var input = new CountedStream(start.AsMemory(0, read), blob);
        return new InflatedLayer(input, Inflate(input, start), options);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            read = await inflated.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (LayerReader.IsDamage(exception))
        {
            throw LayerReader.Damaged(exception);
        }

        Account(buffer.Span[..read]);
        return read;
    }

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = inflated.Read(buffer);
        }
        catch (Exception exception) when (LayerReader.IsDamage(exception))
        {
            throw LayerReader.Damaged(exception);
        }

        Account(buffer[..read]);
        return read;
    }

    /// <summary>Reads what follows the last entry, and compares the diff id.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await CopyToAsync(Null, cancellationToken);
        if (hash is not null && options.DiffId!.Matches(hash.GetHashAndReset()) is false)
            throw LayerReader.Invalid($"its content is not the one with the diff id {options.DiffId}");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inflated.Dispose();
            input.Dispose();
            hash?.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Stream Inflate(CountedStream input, ReadOnlySpan<byte> start) =>
        start switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(input, CompressionMode.Decompress, leaveOpen: true),
            [0x28, 0xb5, 0x2f, 0xfd] => new ZstdSharp.DecompressionStream(input),
            [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18] => new ZstdSharp.DecompressionStream(input),
            _ => input,
        };

    private void Account(ReadOnlySpan<byte> bytes)
    {
        length += bytes.Length;
        hash?.AppendData(bytes);
        if (length > options.MaxLength)
            throw LayerReader.Invalid($"it inflates to more than {options.MaxLength} bytes");
        if (length > options.FreeLength && length / Math.Max(input.Count, 1) > options.MaxRatio)
            throw LayerReader.Invalid($"it inflates to more than {options.MaxRatio} times its size, as decompression bombs do");
    }
}

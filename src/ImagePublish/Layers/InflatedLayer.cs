using System.Security.Cryptography;
using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>The tar in a layer's blob: counted, hashed and limited while it is read.</summary>
internal sealed class InflatedLayer : ReadOnlyStream
{
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
        var head = new byte[CompressedStream.HeadLength];
        var read = await blob.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        var format = CompressedStream.Detect(head.AsSpan(0, read));
        if (format is CompressionFormat.Xz or CompressionFormat.Bzip2)
            throw LayerReader.Invalid("it is compressed with xz or bzip2, which layers must not be");
        var input = new CountedStream(head.AsMemory(0, read), blob);
        return new InflatedLayer(input, CompressedStream.Open(input, format), options);
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

/// <summary>A stream whose first bytes were read already; counts what is taken from it, and leaves it open.</summary>
internal sealed class CountedStream(ReadOnlyMemory<byte> start, Stream rest) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> ahead = start;

    public long Count { get; private set; }

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(ahead.IsEmpty ? await rest.ReadAsync(buffer, cancellationToken) : TakeAhead(buffer.Span));

    public override int Read(Span<byte> buffer) => Counted(ahead.IsEmpty ? rest.Read(buffer) : TakeAhead(buffer));

    private int TakeAhead(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, ahead.Length);
        ahead.Span[..count].CopyTo(buffer);
        ahead = ahead[count..];
        return count;
    }

    private int Counted(int read)
    {
        Count += read;
        return read;
    }
}

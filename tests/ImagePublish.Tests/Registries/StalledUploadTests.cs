using ImagePublish.Oci;
using ImagePublish.Testing;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Uploads that stand still are resumed; slow ones are left alone.</summary>
public sealed class StalledUploadTests
{
    private const string Area = "Upload";
    private const int Kib = 1024;

    [Fact]
    [ReliabilityCase(Area, "stalled", "cancelled when nothing moves, and resumed")]
    public async Task AStalledUploadIsResumed()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Options = bench.Options with { IdleTimeout = TimeSpan.FromSeconds(1500) };
        bench.Fail(RegistryStep.UploadPut, FaultAction.StallAfterRequestBytes(200 * Kib));

        await bench.UploadedAsync(500 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "stalled, and the session is lost", "restarted")]
    public async Task AStalledSessionIsLeft()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Options = bench.Options with { IdleTimeout = TimeSpan.FromSeconds(1000), TidyTimeout = TimeSpan.FromSeconds(500) };
        // More than the server buffers: it never learns that the client is gone, and keeps the session locked.
        bench.Fail(RegistryStep.UploadPut, FaultAction.StallAfterRequestBytes(200 * Kib));
        var layer = RegistryBench.Layer(8000 * Kib);

        await bench.PushAsync(layer);

        bench.HasBlob(layer);
    }

    [Fact]
    [ReliabilityCase(Area, "a slow transfer that takes hours", "no limit on the whole, only on stalling")]
    public async Task ASlowUploadThatMovesIsNeverGivenUp()
    {
        await using var bench = await UploadBench.StartAsync();
        // Time stands still but for the pauses between pieces, each nearly as long as nothing may move.
        var clock = new FakeTimeProvider();
        bench.Time = clock;
        var layer = new Trickle(RegistryBench.Layer(512 * Kib), pieces: 40, () => clock.Advance(bench.Options.IdleTimeout * 0.9));

        await bench.PushAsync(layer);

        bench.HasBlob(layer);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
    }

    private sealed class Trickle(MemoryBlobSource blob, int pieces, Action pause) : BlobSource(blob.Descriptor)
    {
        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new TrickleStream(blob.Content[(int)offset..], (int)(blob.Descriptor.Size / pieces), pause));
    }

    private sealed class TrickleStream(ReadOnlyMemory<byte> bytes, int piece, Action pause) : MemoryStream(bytes.ToArray(), writable: false)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            pause();
            return base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
        }
    }
}

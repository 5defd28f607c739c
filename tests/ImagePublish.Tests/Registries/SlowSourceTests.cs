using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Connection;
using ImagePublish.Testing;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>A copy from one registry to another waits as long as the source asks, and names the source where the source fails.</summary>
public sealed class SlowSourceTests
{
    private const string Area = "Copy";
    private const int Size = 2_000_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(Area, "the source asks to wait longer than an upload may stall", "the publish waits; the upload continues")]
    public async Task ACopyWaitsAsLongAsItsSourceAsks(bool beforeTheFirstByte)
    {
        await using var copy = await Copy.StartAsync();
        if (!beforeTheFirstByte)
            copy.Source.Fail(RegistryStep.BlobGet, FaultAction.TruncateResponse(Size / 2));
        copy.Source.Fail(RegistryStep.BlobGet, Copy.AsksToWait, skip: beforeTheFirstByte ? 0 : 1);

        await copy.RunAsync();

        copy.Target.HasBlob(copy.Layer);
        Assert.Equal(1, copy.Target.CountOf(RegistryStep.UploadPut));
        Assert.Equal(beforeTheFirstByte ? 2 : 3, copy.Source.CountOf(RegistryStep.BlobGet));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(Area, "the source refuses every request", "the error names the source and its answer, IMG4011")]
    public async Task TheSideThatFailedIsNamed(bool beforeTheFirstByte)
    {
        await using var copy = await Copy.StartAsync();
        if (!beforeTheFirstByte)
            copy.Source.Fail(RegistryStep.BlobGet, FaultAction.TruncateResponse(Size / 2));
        // The clock would jump over the last pause, too, which nobody waits for: while the target's session is deleted.
        var asked = copy.Source.Options.MaxTries - (beforeTheFirstByte ? 1 : 2);
        copy.Source.Fail(RegistryStep.BlobGet, Copy.AsksToWait, asked, skip: beforeTheFirstByte ? 0 : 1);
        copy.Source.Fail(RegistryStep.BlobGet, FaultAction.Status(429), Fault.Always, skip: copy.Source.Options.MaxTries - 1);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RateLimited, copy.RunAsync);

        Assert.Contains(copy.Source.Server.Host, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(copy.Target.Server.Host, failure.Message, StringComparison.Ordinal);
        Assert.Equal(copy.Source.Options.MaxTries, copy.Source.CountOf(RegistryStep.BlobGet));
        copy.Target.HasNoOpenUpload();
    }

    // Both sides share a clock that jumps over every pause, and over nothing else.
    private sealed class Copy : IAsyncDisposable
    {
        private static readonly TimeSpan Asked = TimeSpan.FromSeconds(110);

        private Copy(RegistryBench source, RegistryBench target) => (Source, Target) = (source, target);

        public static FaultAction AsksToWait => FaultAction.Status(429, headers: $"Retry-After: {Asked.TotalSeconds}");

        public RegistryBench Source { get; }

        public RegistryBench Target { get; }

        public MemoryBlobSource Layer { get; } = RegistryBench.Layer(Size);

        public static async Task<Copy> StartAsync()
        {
            var copy = new Copy(await RegistryBench.StartAsync(), await RegistryBench.StartAsync());
            var options = new RegistryClientOptions { FirstRetryDelay = TimeSpan.FromMilliseconds(10) };
            Assert.True(options.IdleTimeout < Asked && Asked < options.MaxRetryAfter);
            var clock = new JumpingClock(options.IdleTimeout, options.TidyTimeout);
            (copy.Source.Options, copy.Source.Time) = (options, clock);
            (copy.Target.Options, copy.Target.Time) = (options, clock);
            copy.Source.Server.Content.PutBlob(copy.Source.Repository.Name, copy.Layer.Content.Span);
            return copy;
        }

        public Task RunAsync() => Target.PushAsync(Source.Client.Blob(Source.Repository, Layer.Descriptor));

        public async ValueTask DisposeAsync()
        {
            await Source.DisposeAsync();
            await Target.DisposeAsync();
        }
    }

    private sealed class JumpingClock(params TimeSpan[] limits) : FakeTimeProvider
    {
        private readonly Lock jumping = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            var due = GetUtcNow() + dueTime;
            if (dueTime > TimeSpan.Zero && !limits.Contains(dueTime))
                ThreadPool.QueueUserWorkItem(_ => JumpTo(due));
            return timer;
        }

        // Pauses beside each other pass together.
        private void JumpTo(DateTimeOffset due)
        {
            lock (jumping)
            {
                if (due > GetUtcNow())
                    Advance(due - GetUtcNow());
            }
        }
    }
}

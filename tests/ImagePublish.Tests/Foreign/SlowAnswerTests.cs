using System.Globalization;
using System.Net;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Foreign;

/// <summary>Registries that send one byte each time before a client would time out: the clock moves with each byte.</summary>
public sealed class SlowAnswerTests
{
    private const string Area = "Security";

    // More than the framework reads of an answer that nobody wants any more.
    private const int Length = 2 << 20;

    private static readonly Repository Shop = Repository.Create(Registry.Parse("localhost:5000"), "acme/shop");

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(90);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("manifest")]
    [InlineData("config")]
    [InlineData("tags")]
    [InlineData("attachments")]
    [InlineData("error")]
    [ReliabilityCase(Area, "a document that arrives one byte at a time, just before each stall limit", "cancelled after two minutes")]
    public async Task ADocumentHasALimitOnTheWhole(string kind)
    {
        var clock = new FakeTimeProvider();
        using var client = Client(clock, kind == "error" ? HttpStatusCode.BadRequest : HttpStatusCode.OK, new byte[Length]);
        var start = clock.GetUtcNow();

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(async () => await AskAsync(client, kind));

        Assert.DoesNotContain('\n', failure.Message);
        Assert.InRange(clock.GetUtcNow() - start, TimeSpan.Zero, TimeSpan.FromMinutes(2) + (2 * Pause));
        if (kind != "error")
            Assert.Contains("took more than 120 seconds", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "a blob that arrives with fewer than 1000 bytes a second", "cancelled after five minutes")]
    public async Task ABlobThatHardlyMovesIsGivenUp()
    {
        var clock = new FakeTimeProvider();
        var content = new byte[Length];
        using var client = Client(clock, HttpStatusCode.OK, content);
        var start = clock.GetUtcNow();
        await using var stream = await client
            .Blob(Shop, MemoryBlobSource.Create(MediaTypes.OciLayer, content).Descriptor)
            .OpenAsync(0, Cancel);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => stream.CopyToAsync(Stream.Null, Cancel));

        Assert.Equal(DiagnosticCodes.RegistryFailed, failure.Code);
        Assert.InRange(clock.GetUtcNow() - start, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5) + (2 * Pause));
    }

    [Fact]
    public async Task ASlowBlobThatMovesIsRead()
    {
        var clock = new FakeTimeProvider();
        var content = new byte[20 * 100_000];
        using var client = Client(clock, HttpStatusCode.OK, content, step: 100_000);
        await using var stream = await client
            .Blob(Shop, MemoryBlobSource.Create(MediaTypes.OciLayer, content).Descriptor)
            .OpenAsync(0, Cancel);
        using var read = new MemoryStream();

        await stream.CopyToAsync(read, Cancel);

        Assert.Equal(content.Length, read.Length);
    }

    private static async Task AskAsync(RegistryClient client, string kind)
    {
        var digest = Digest.Compute("x"u8);
        switch (kind)
        {
            case "config":
                await client.GetBlobAsync(
                    Shop,
                    new Descriptor(MediaTypes.OciConfig, Digest.Compute(new byte[Length]), Length),
                    OciJson.MaxConfigSize,
                    Cancel
                );
                break;
            case "tags":
                await client.ListTagsAsync(Shop, Cancel).ToListAsync(Cancel);
                break;
            case "attachments":
                await client.ListReferrersAsync(Shop, digest, Cancel);
                break;
            default:
                await client.GetManifestAsync(Shop.ReferenceTo(digest), Cancel);
                break;
        }
    }

    private static RegistryClient Client(FakeTimeProvider clock, HttpStatusCode status, byte[] body, int step = 1)
    {
        var options = new RegistryClientOptions
        {
            MaxTries = 1,
            Connect = (_, _) => ValueTask.FromResult<Stream>(new Trickle(clock, status, body, step)),
        };
        return new RegistryClient(options, new NoCredentials(), new TestLog(), clock);
    }

    private sealed class NoCredentials : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult<Credential?>(null);
    }

    // A connection on which the answer's body comes in small steps, with a pause before each.
    private sealed class Trickle(FakeTimeProvider clock, HttpStatusCode status, byte[] body, int step) : Stream
    {
        private byte[]? head = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {(int)status} X\r\nContent-Length: {body.Length}\r\n\r\n")
        );
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int sent;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await asked.Task.WaitAsync(cancellationToken);
            if (buffer.IsEmpty)
                return 0;
            if (head is { } first)
            {
                head = null;
                first.CopyTo(buffer);
                return first.Length;
            }

            clock.Advance(Pause);
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(Math.Min(step, buffer.Length), body.Length - sent);
            body.AsMemory(sent, count).CopyTo(buffer);
            sent += count;
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            asked.TrySetResult();
            return ValueTask.CompletedTask;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

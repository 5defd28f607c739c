using System.Collections.Concurrent;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>A registry that can misbehave, a client for it, and a clock that wastes no time.</summary>
internal sealed class RegistryBench : IAsyncDisposable
{
    private bool ownsServer;
    private RegistryClient? client;

    private RegistryBench(TestRegistry server, bool ownsServer) => (Server, this.ownsServer) = (server, ownsServer);

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TestRegistry Server { get; }

    /// <summary>
    /// Changed before the client is first used. Timers run a thousand times faster, but for the framework's own of <c>ContinueTimeout</c>:
    /// nothing stalls within a test unless it says so.
    /// </summary>
    public RegistryClientOptions Options { get; set; } =
        new()
        {
            IdleTimeout = TimeSpan.FromHours(20),
            DocumentTimeout = TimeSpan.FromHours(20),
            TidyTimeout = TimeSpan.FromHours(5),
            EarlyTimeout = TimeSpan.FromHours(5),
            ContinueTimeout = TimeSpan.FromMinutes(1),
        };

    public Credential? Credential { get; set; }

    public FastClock Clock { get; } = new();

    /// <summary>Another clock in its place; set before the client is first used.</summary>
    public TimeProvider? Time { get; set; }

    public TestLog Log { get; } = new();

    public RegistryClient Client => client ??= new RegistryClient(Options, new OneCredential(this), Log, Time ?? Clock);

    public Registry Registry => Registry.Parse(Server.Host);

    public Repository Repository => Named("acme/shop");

    public Reference Latest => Repository.ReferenceTo(Tag.Parse("latest"));

    public static async Task<RegistryBench> StartAsync(Action<TestRegistryOptions>? configure = null) =>
        new(await TestRegistry.StartAsync(configure, Cancel), ownsServer: true);

    public static RegistryBench For(TestRegistry server) => new(server, ownsServer: false);

    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static MemoryBlobSource Layer(int count, int seed = 1) =>
        MemoryBlobSource.Create("application/vnd.oci.image.layer.v1.tar+gzip", Bytes(count, seed));

    public Repository Named(string name) => Repository.Create(Registry, name);

    public Fault Fail(RegistryStep step, FaultAction action, int times = 1, int skip = 0, Func<RecordedRequest, bool>? when = null) =>
        Server.Faults.Add(
            new Fault(step, action)
            {
                Times = times,
                Skip = skip,
                When = when,
            }
        );

    public BlobPusher Blobs => Client.BlobsOf(Repository.Registry);

    public Task<BlobPushResult> PushAsync(BlobSource blob) => Client.PushBlobAsync(Repository, blob, Cancel);

    public int CountOf(RegistryStep step) => Server.Requests.CountOf(step);

    public void HasBlob(BlobSource blob) =>
        Assert.True(Server.Content.HasBlob(Repository.Name, blob.Descriptor.Digest.Value), Server.Requests.ToString());

    public void HasNoOpenUpload() => Assert.Equal(0, Server.Content.OpenUploadSessions);

    public static async Task<ImagePublishException> FailsAsync(DiagnosticCode code, Func<Task> act)
    {
        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(act);
        Assert.True(code == failure.Code, $"{failure.Code} instead of {code}: {failure.Message}");
        Assert.DoesNotContain('\n', failure.Message);
        return failure;
    }

    public ValueTask StopServerAsync()
    {
        ownsServer = false;
        return Server.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        if (ownsServer)
            await Server.DisposeAsync();
    }

    private sealed class OneCredential(RegistryBench bench) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult(registry == bench.Registry ? bench.Credential : null);
    }
}

/// <summary>Keeps what the core logs.</summary>
internal sealed class TestLog : IPublishLog
{
    public ConcurrentQueue<string> Informations { get; } = new();

    public ConcurrentQueue<string> Details { get; } = new();

    public ConcurrentQueue<string> Warnings { get; } = new();

    /// <summary>The warnings that fail the build.</summary>
    public HashSet<DiagnosticCode> Errors { get; } = [];

    public ConcurrentQueue<string> Changes { get; } = new();

    public void Warning(DiagnosticCode code, string message) => Warnings.Enqueue(message);

    public bool IsError(DiagnosticCode code) => Errors.Contains(code);

    public void Changed(NameChange kind, string name) => Changes.Enqueue($"{kind.ToString().ToLowerInvariant()} {name}");

    public void Information(string message) => Informations.Enqueue(message);

    public void Detail(string message) => Details.Enqueue(message);

    public ConcurrentDictionary<string, int> Requests { get; } = new();

    public void Requested(string host) => Requests.AddOrUpdate(host, 1, (_, count) => count + 1);

    /// <summary>What was told of progress: what happened, to what, and how many bytes or seconds of it.</summary>
    public ConcurrentQueue<(string What, string Subject, long Amount)> Progress { get; } = new();

    public void Building(string layer, long bytes) => Progress.Enqueue(("building", layer, bytes));

    public void Compressed(string layer, long bytes) => Progress.Enqueue(("compressed", layer, bytes));

    public void Built(string layer) => Progress.Enqueue(("built", layer, 0));

    public void NameBlob(string blob, string name) => Progress.Enqueue(($"named {name}", blob, 0));

    public void Sending(string blob, long bytes) => Progress.Enqueue(("sending", blob, bytes));

    public void Sent(string blob, long bytes) => Progress.Enqueue(("sent", blob, bytes));

    public void Settled(string blob) => Progress.Enqueue(("settled", blob, 0));

    public void Waiting(string subject, TimeSpan pause, int next, int tries) =>
        Progress.Enqueue(($"try {next} of {tries}", subject, (long)pause.TotalSeconds));

    public override string ToString() => string.Join('\n', [.. Warnings, .. Informations, .. Details]);
}

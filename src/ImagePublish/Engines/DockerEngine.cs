using System.Net;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Engines;

/// <summary>Docker, spoken to by its own API: no client is needed, and layers that it has can be left out.</summary>
/// <remarks><see href="https://docs.docker.com/reference/api/engine/">Docker Engine API</see>.</remarks>
/// <param name="time">The clock for <see cref="SilenceLimit"/>; null for the system's.</param>
internal sealed class DockerEngine(DockerAddress address, TimeProvider? time = null) : IDisposable
{
    /// <summary>How long an engine may neither take nor send anything while it loads or saves an image: it is silent while it packs or
    /// unpacks a large one.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromMinutes(10);

    private const int AtOnce = 8;
    private const int MaxPing = 64 * 1024;
    private const int MaxReport = 16 << 20;
    private const string LoadPath = "images/load?quiet=1";
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private readonly EngineConnection connection = new(address);

    public async Task<ImagePublishException?> TryPingAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeout);
        try
        {
            using var response = await connection.SendAsync(HttpMethod.Get, "_ping", null, limit.Token);
            var answer = await connection.ReadAsync(response, MaxPing, limit.Token);
            return answer.AsSpan().Trim((byte)'\n').SequenceEqual("OK"u8) ? null : connection.NotDocker(HttpMethod.Get, "_ping", answer);
        }
        catch (ImagePublishException exception)
        {
            return exception;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            return new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"Docker does not answer at '{address}' within {AnswerTimeout.TotalSeconds:0} seconds. Restart it, or check DOCKER_HOST.",
                exception
            );
        }
    }

    /// <summary>How many layers of an image it has, from the bottom up: as many as any image there begins with.</summary>
    /// <remarks>
    /// Its classic image store finds layers by the digests of their tars, and takes an archive that lacks those it has. One that keeps
    /// images in containerd, and podman behind Docker's API, want all of it.
    /// </remarks>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<int?> CountKnownLayersAsync(IReadOnlyList<Digest> diffIds, CancellationToken cancellationToken)
    {
        if (!await AcceptsPartialImagesAsync(cancellationToken))
            return null;
        var ids = await connection.GetAsync("images/json", ReadIds, cancellationToken);
        var most = 0;
        await Parallel.ForEachAsync(
            ids,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (id, stop) =>
            {
                var layers = await LayersAsync(id, stop);
                var same = layers.Zip(diffIds).TakeWhile(pair => pair.First == pair.Second.Value).Count();
                InterlockedMax(ref most, same);
            }
        );
        return most;
    }

    /// <summary>Loads an archive as it is written: nothing is stored in between.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public Task<string> LoadAsync(Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken) =>
        WatchAsync("loads the image", watch => LoadAsync(write, watch), cancellationToken);

    /// <returns>What the engine knows it by, which changes when the image does; null if it has none of that name.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<string?> FindImageAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.GetAsync($"images/{Escaped(name)}/json", Id, cancellationToken);
        }
        catch (EngineRefusalException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Writes an image as an archive.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public Task SaveAsync(string name, Stream output, CancellationToken cancellationToken) =>
        WatchAsync(
            $"saves '{Text.Sanitize(name)}'",
            async watch =>
            {
                using var response = await connection.SendAsync(HttpMethod.Get, $"images/{Escaped(name)}/get", null, watch.Token);
                await connection.CopyAsync(response, output, long.MaxValue, watch.Token, watch);
                return true;
            },
            cancellationToken
        );

    public void Dispose() => connection.Dispose();

    private async Task<bool> AcceptsPartialImagesAsync(CancellationToken cancellationToken)
    {
        if (await connection.GetAsync("version", IsPodman, cancellationToken))
            return false;
        return await connection.GetAsync("info", KeepsLayersByDiffId, cancellationToken);
    }

    private async Task<string> LoadAsync(Func<Stream, CancellationToken, Task> write, IdleWatch watch)
    {
        using var content = new WrittenContent(write, watch);
        using var response = await SendAsync(content, watch.Token);
        var answer = await connection.ReadAsync(response, MaxReport, watch.Token, watch);
        // The status is sent before the work is done: a failure comes as a line of its own.
        var lines = ReadReport(answer);
        if (lines.Find(line => line.Error is not null).Error is { } error)
            throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"Docker at '{address}' refuses the image: {Text.Sanitize(error)}. Check its free space and its log."
            );
        return lines.Exists(line => line.Text is not null)
            ? string.Concat(lines.Select(line => line.Text)).Trim()
            : throw connection.NotDocker(HttpMethod.Post, LoadPath, answer);
    }

    private async Task<T> WatchAsync<T>(string activity, Func<IdleWatch, Task<T>> work, CancellationToken cancellationToken)
    {
        using var watch = new IdleWatch(SilenceLimit, time ?? TimeProvider.System, cancellationToken);
        try
        {
            return await work(watch);
        }
        catch (Exception exception) when (watch.HasExpired && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineSilentException($"Docker at '{address}'", activity, SilenceLimit, exception);
        }
    }

    // Documents are read by these alone; what they throw, EngineConnection.Read explains.
    internal static List<string> ReadIds(JsonElement images) => [.. images.EnumerateArray().Select(Id).Distinct()];

    internal static bool KeepsLayersByDiffId(JsonElement info) =>
        !info.TryGetProperty("DriverStatus", out var status)
        || !status.GetRawText().Contains("io.containerd.snapshotter", StringComparison.Ordinal);

    internal static List<(string? Error, string? Text)> ReadReport(byte[] answer) =>
        [
            .. Encoding
                .UTF8.GetString(answer)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => (Field(line, "error"), Field(line, "stream"))),
        ];

    internal static bool IsPodman(JsonElement version) =>
        version.TryGetProperty("Components", out var components)
        && components.ValueKind == JsonValueKind.Array
        && components
            .EnumerateArray()
            .Any(component => component.GetProperty("Name").GetString()?.Contains("Podman", StringComparison.OrdinalIgnoreCase) == true);

    internal static string Id(JsonElement image) => image.GetProperty("Id").GetString() ?? throw new JsonException("An image has no Id.");

    private async Task<IReadOnlyList<string?>> LayersAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.GetAsync($"images/{id}/json", Layers, cancellationToken);
        }
        catch (EngineRefusalException)
        {
            // Removed since it was listed.
            return [];
        }
    }

    internal static IReadOnlyList<string?> Layers(JsonElement image) =>
        image.TryGetProperty("RootFS", out var files)
        && files.TryGetProperty("Layers", out var layers)
        && layers.ValueKind == JsonValueKind.Array
            ? [.. layers.EnumerateArray().Select(layer => layer.GetString())]
            : [];

    // What can't be read here must not be blamed on Docker.
    private async Task<HttpResponseMessage> SendAsync(WrittenContent content, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.SendAsync(HttpMethod.Post, LoadPath, content, cancellationToken);
        }
        catch (ImagePublishException) when (content.Problem is { } problem)
        {
            throw problem as ImagePublishException
                ?? new ImagePublishException(
                    DiagnosticCodes.UnreadableFile,
                    $"The image could not be read to load it into Docker: {Text.Sanitize(problem.Message)}",
                    problem
                );
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var known = Volatile.Read(ref most); value > known; known = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, known);
    }

    private static string Escaped(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    private static string? Field(string line, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value)
                ? value.GetString()
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private sealed class WrittenContent : HttpContent
    {
        private readonly Func<Stream, CancellationToken, Task> write;
        private readonly IdleWatch watch;

        public WrittenContent(Func<Stream, CancellationToken, Task> write, IdleWatch watch)
        {
            (this.write, this.watch) = (write, watch);
            Headers.ContentType = new("application/x-tar");
        }

        /// <summary>What went wrong while the archive was made, and not while it was sent.</summary>
        public Exception? Problem { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await using var sending = new SendingStream(stream, watch);
            try
            {
                await write(sending, cancellationToken);
                watch.Touch();
            }
            catch (Exception exception) when (!sending.HasFailed)
            {
                Problem = exception;
                throw;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

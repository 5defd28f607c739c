using System.Net;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Engines;

/// <summary>Docker, spoken to by its own API: no client is needed, and layers that it has can be left out.</summary>
/// <remarks><see href="https://docs.docker.com/reference/api/engine/">Docker Engine API</see>.</remarks>
/// <param name="address">Where it is.</param>
public sealed class DockerEngine(EngineAddress address) : IDisposable
{
    private const int AtOnce = 8;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private readonly EngineConnection connection = new(address);

    /// <summary>Whether it answers.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null if it does; else why not.</returns>
    public async Task<ImagePublishException?> TryPingAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeout);
        try
        {
            using var response = await connection.SendAsync(HttpMethod.Get, "_ping", null, limit.Token);
            return null;
        }
        catch (ImagePublishException exception)
        {
            return exception;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            return new ImagePublishException(DiagnosticCodes.EngineFailed, $"Docker does not answer at '{address}' within {AnswerTimeout.TotalSeconds:0} seconds. Restart it, or check DOCKER_HOST.", exception);
        }
    }

    /// <summary>How many layers of an image it has, from the bottom up: as many as any image there begins with.</summary>
    /// <remarks>
    /// Its classic image store finds layers by the digests of their tars, and takes an archive that lacks those it has. One that keeps images in containerd,
    /// and podman behind Docker's API, want all of it.
    /// </remarks>
    /// <param name="diffIds">The image's layers.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The number; null where an archive must be whole.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<int?> CountKnownLayersAsync(IReadOnlyList<Digest> diffIds, CancellationToken cancellationToken)
    {
        if (!await TakesPartsAsync(cancellationToken))
            return null;
        using var images = await connection.GetAsync("images/json", cancellationToken);
        var ids = images.RootElement.EnumerateArray().Select(image => image.GetProperty("Id").GetString()!).Distinct().ToList();
        var most = 0;
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (id, stop) =>
        {
            var layers = await LayersAsync(id, stop);
            var same = layers.Zip(diffIds).TakeWhile(pair => pair.First == pair.Second.Value).Count();
            InterlockedMax(ref most, same);
        });
        return most;
    }

    /// <summary>Loads an archive as it is written: nothing is stored in between.</summary>
    /// <param name="write">Writes the archive.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What the engine said.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<string> LoadAsync(Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var content = new WrittenContent(write);
        using var response = await connection.SendAsync(HttpMethod.Post, "images/load?quiet=1", content, cancellationToken);
        var said = await response.Content.ReadAsStringAsync(cancellationToken);
        // The status is sent before the work is done: a failure comes as a line of its own.
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => (Error: Field(line, "error"), Text: Field(line, "stream"))).ToList();
        return lines.Find(line => line.Error is not null).Error is { } error
            ? throw new ImagePublishException(DiagnosticCodes.EngineFailed, $"Docker at '{address}' refuses the image: {Text.Shown(error)}. Check its free space and its log.")
            : string.Concat(lines.Select(line => line.Text)).Trim();
    }

    /// <summary>Finds an image.</summary>
    /// <param name="name">Its name, or the digest of its config.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What the engine knows it by, which changes when the image does; null if it has none of that name.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<string?> FindImageAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using var image = await connection.GetAsync($"images/{Escaped(name)}/json", cancellationToken);
            return image.RootElement.GetProperty("Id").GetString();
        }
        catch (EngineRefusalException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Writes an image as an archive.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it is done.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task SaveAsync(string name, Stream output, CancellationToken cancellationToken)
    {
        using var response = await connection.SendAsync(HttpMethod.Get, $"images/{Escaped(name)}/get", null, cancellationToken);
        await response.Content.CopyToAsync(output, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private async Task<bool> TakesPartsAsync(CancellationToken cancellationToken)
    {
        using var version = await connection.GetAsync("version", cancellationToken);
        if (version.RootElement.TryGetProperty("Components", out var components) && components.ValueKind == JsonValueKind.Array
            && components.EnumerateArray().Any(component => component.GetProperty("Name").GetString()?.Contains("Podman", StringComparison.OrdinalIgnoreCase) == true))
            return false;
        using var info = await connection.GetAsync("info", cancellationToken);
        return !info.RootElement.TryGetProperty("DriverStatus", out var status) || !status.GetRawText().Contains("io.containerd.snapshotter", StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<string?>> LayersAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            using var image = await connection.GetAsync($"images/{id}/json", cancellationToken);
            return image.RootElement.TryGetProperty("RootFS", out var files) && files.TryGetProperty("Layers", out var layers) && layers.ValueKind == JsonValueKind.Array
                ? [.. layers.EnumerateArray().Select(layer => layer.GetString())]
                : [];
        }
        catch (EngineRefusalException)
        {
            // Removed since it was listed.
            return [];
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
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class WrittenContent : HttpContent
    {
        private readonly Func<Stream, CancellationToken, Task> write;

        public WrittenContent(Func<Stream, CancellationToken, Task> write)
        {
            this.write = write;
            Headers.ContentType = new("application/x-tar");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => write(stream, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

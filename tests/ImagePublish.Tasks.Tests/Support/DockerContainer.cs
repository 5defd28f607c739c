using System.Diagnostics;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A running container of a web app; removed when disposed.</summary>
public sealed class DockerContainer(DockerEngine docker, string id, int port) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient http = new() { BaseAddress = new Uri($"http://localhost:{port}/") };

    public string Id => id;

    public int Port => port;

    /// <summary>What the app answers, once it listens.</summary>
    /// <exception cref="InvalidOperationException">The container ended, or never listened; with its logs.</exception>
    public async Task<HttpResponseMessage> GetAsync(string path, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await http.GetAsync(new Uri(path.TrimStart('/'), UriKind.Relative), cancellationToken);
            }
            catch (HttpRequestException) when (clock.Elapsed < Patience && !cancellationToken.IsCancellationRequested)
            {
                if (!await IsRunningAsync(cancellationToken))
                    throw new InvalidOperationException($"The container ended:\n{await LogsAsync(cancellationToken)}");
                await Task.Delay(100, cancellationToken);
            }
        }
    }

    public async Task<string> LogsAsync(CancellationToken cancellationToken) =>
        (await docker.Command("logs", id).RunAsync(cancellationToken)).All;

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await docker.Command("rm", "--force", id).RunAsync(CancellationToken.None);
    }

    private async Task<bool> IsRunningAsync(CancellationToken cancellationToken)
    {
        var state = await docker.Command("inspect", "--format", "{{.State.Running}}", id).SucceedAsync(cancellationToken);
        return state.Output.Trim() == "true";
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace ImagePublish.Tests.Packages;

/// <summary>Serves a folder over http on a free port of this machine.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly LoopbackServer server;
    private readonly string folder;

    public FileServer(string folder)
    {
        this.folder = folder;
        server = new LoopbackServer(AnswerAsync);
    }

    public string Address => server.Address;

    /// <summary>Where it sends everybody, if anywhere.</summary>
    public string? RedirectsTo { get; set; }

    /// <summary>How many requests it answered.</summary>
    public int Requests { get; private set; }

    /// <summary>Answers given before any file: a status, and how many seconds to wait.</summary>
    public ConcurrentQueue<(int Status, int? RetryAfter)> Refusals { get; } = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task AnswerAsync(HttpListenerContext context)
    {
        Requests++;
        if (Refusals.TryDequeue(out var refusal))
        {
            context.Response.StatusCode = refusal.Status;
            if (refusal.RetryAfter is { } seconds)
                context.Response.Headers["Retry-After"] = seconds.ToString(CultureInfo.InvariantCulture);
            context.Response.Close();
            return;
        }

        if (RedirectsTo is { } elsewhere)
        {
            context.Response.Redirect(elsewhere + context.Request.Url!.AbsolutePath);
            context.Response.Close();
            return;
        }

        var file = Path.Combine(folder, Uri.UnescapeDataString(context.Request.Url!.AbsolutePath.TrimStart('/')));
        context.Response.StatusCode = File.Exists(file) ? 200 : 404;
        context.Response.Close(File.Exists(file) ? await File.ReadAllBytesAsync(file) : [], willBlock: true);
    }
}

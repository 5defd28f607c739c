using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ImagePublish.Tests.Packages;

/// <summary>Serves a folder over http on a free port of this machine.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly string folder;
    private readonly Task serving;

    public FileServer(string folder)
    {
        this.folder = folder;
        Address = Listen();
        serving = ServeAsync();
    }

    public string Address { get; }

    /// <summary>Where it sends everybody, if anywhere.</summary>
    public string? RedirectsTo { get; set; }

    /// <summary>How many requests it answered.</summary>
    public int Requests { get; private set; }

    /// <summary>Answers given before any file: a status, and how many seconds to wait.</summary>
    public ConcurrentQueue<(int Status, int? RetryAfter)> Refusals { get; } = new();

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await serving;
    }

    // Another process may take a port between the look and the listening.
    private string Listen()
    {
        while (true)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
            probe.Stop();
            try
            {
                listener.Prefixes.Clear();
                listener.Prefixes.Add(address + "/");
                listener.Start();
                return address;
            }
            catch (HttpListenerException)
            {
                continue;
            }
        }
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            Requests++;
            if (Refusals.TryDequeue(out var refusal))
            {
                context.Response.StatusCode = refusal.Status;
                if (refusal.RetryAfter is { } seconds)
                    context.Response.Headers["Retry-After"] = seconds.ToString(CultureInfo.InvariantCulture);
                context.Response.Close();
                continue;
            }

            if (RedirectsTo is { } elsewhere)
            {
                context.Response.Redirect(elsewhere + context.Request.Url!.AbsolutePath);
                context.Response.Close();
                continue;
            }

            var file = Path.Combine(folder, Uri.UnescapeDataString(context.Request.Url!.AbsolutePath.TrimStart('/')));
            context.Response.StatusCode = File.Exists(file) ? 200 : 404;
            context.Response.Close(File.Exists(file) ? await File.ReadAllBytesAsync(file) : [], willBlock: true);
        }
    }
}

using System.Net;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>Answers http requests on a free port of this machine, one after the other.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly Func<HttpListenerContext, Task> answerAsync;
    private readonly Task serving;
    private HttpListener listener = new();

    public LoopbackServer(Func<HttpListenerContext, Task> answerAsync)
    {
        this.answerAsync = answerAsync;
        Address = Listen();
        serving = Task.Run(ServeAsync);
    }

    /// <summary>Without a slash at its end.</summary>
    public string Address { get; }

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
            var address = $"http://127.0.0.1:{Ports.Free()}";
            try
            {
                listener.Prefixes.Add(address + "/");
                listener.Start();
                return address;
            }
            catch (HttpListenerException)
            {
                listener = new HttpListener();
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

            await answerAsync(context);
        }
    }
}

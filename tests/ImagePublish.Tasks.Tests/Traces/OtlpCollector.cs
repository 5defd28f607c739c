using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.Tasks.Tests.Traces;

/// <summary>A collector of spans over OTLP/HTTP on loopback.</summary>
public sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication app;

    private OtlpCollector()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.Run(ReceiveAsync);
    }

    public string Address { get; private set; } = "";

    public ConcurrentQueue<(string Path, IHeaderDictionary Headers)> Requests { get; } = new();

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    /// <summary>The answers: 200 when there is none left.</summary>
    public ConcurrentQueue<(int Status, string Body)> Answers { get; } = new();

    /// <summary>Whether it never answers.</summary>
    public bool IsSilent { get; set; }

    public static async Task<OtlpCollector> StartAsync()
    {
        var collector = new OtlpCollector();
        await collector.app.StartAsync(TestContext.Current.CancellationToken);
        var addresses = collector.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        collector.Address = addresses.Single();
        return collector;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        Requests.Enqueue((http.Request.Path, new HeaderDictionary(http.Request.Headers.ToDictionary())));
        if (IsSilent)
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        if (Answers.TryDequeue(out var answer))
        {
            http.Response.StatusCode = answer.Status;
            await http.Response.WriteAsync(answer.Body);
            return;
        }

        var content = http.Request.Headers.ContentEncoding == "gzip" ? Decompress(body.ToArray()) : body.ToArray();
        var spans = http.Request.ContentType switch
        {
            "application/x-protobuf" => ReceivedSpan.ReadProtobuf(content),
            "application/json" => ReceivedSpan.ReadJson(content),
            var other => throw new FormatException(other),
        };
        foreach (var span in spans)
            Spans.Enqueue(span);
    }

    private static byte[] Decompress(byte[] body)
    {
        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        using var content = new MemoryStream();
        gzip.CopyTo(content);
        return content.ToArray();
    }
}

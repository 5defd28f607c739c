using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.Testing;

/// <summary>The way of a request: log, line, sign-in, faults, endpoint.</summary>
internal sealed partial class Pipeline(TestRegistry registry)
{
    private readonly Gatekeeper gatekeeper = new(registry);
    private readonly TokenEndpoint tokens = new(registry, new Gatekeeper(registry));
    private readonly BlobEndpoints blobs = new(registry);
    private readonly UploadEndpoints uploads = new(registry);
    private readonly ManifestEndpoints manifests = new(registry);
    private readonly ListEndpoints lists = new(registry);

    public async Task InvokeAsync(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var route = Route.Parse(http.Request.Method, target, registry.Options.Auth.TokenPath);
        var record = registry.Requests.Begin(http, route);
        Prepare(http, record);
        try
        {
            if (registry.Line.Latency > TimeSpan.Zero)
                await Task.Delay(registry.Line.Latency, http.RequestAborted);
            await AnswerAsync(http, route, record);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge && !http.Response.HasStarted)
        {
            await TooLargeAsync(http);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            Wire.Reset(http);
        }
        catch (CutException)
        {
            // Kestrel sends what was written, then closes: nothing that was meant to arrive is lost in a reset.
            record.Aborted = true;
            throw;
        }
        finally
        {
            record.Aborted |= http.RequestAborted.IsCancellationRequested;
            registry.Requests.End(record);
        }
    }

    private void Prepare(HttpContext http, RecordedRequest record)
    {
        Wire.Attach(http, record);
        // The last to be called, so that it sees what the faults made of the status.
        http.Response.OnStarting(() =>
        {
            record.Status = record.Aborted ? 0 : http.Response.StatusCode;
            return Task.CompletedTask;
        });
        // Kestrel looks for it when the body is read.
        if (!registry.Options.AnswersExpect)
            http.Request.Headers.Remove("Expect");
        foreach (var (name, value) in registry.Options.ResponseHeaders)
            http.Response.Headers[name] = value;
        if (registry.Options.MaxRequestBodyBytes < long.MaxValue)
            http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = registry.Options.MaxRequestBodyBytes;
        http.Request.Body = new TappedStream(
            http.Request.Body,
            wanted => wanted,
            (bytes, _) =>
            {
                record.Read(bytes.Span);
                return ValueTask.CompletedTask;
            }
        );
        registry.Line.Apply(http, http.RequestServices.GetRequiredService<TestRegistry.Closing>().Token);
    }

    private async Task AnswerAsync(HttpContext http, Route route, RecordedRequest record)
    {
        var onSecondHost = registry.OtherHost.Length > 0 && http.Connection.LocalPort == new Uri($"http://{registry.OtherHost}").Port;
        var exchange = new Exchange(http, route, record, onSecondHost);
        var refuse = gatekeeper.Check(exchange);
        var authorized = refuse is null || route.Step == RegistryStep.Ping;
        await registry.Faults.RunAsync(http, record, authorized, refuse ?? (() => ServeAsync(exchange)));
    }

    private Task ServeAsync(Exchange exchange)
    {
        if (exchange.Repository.Length > 0 && (exchange.Repository.Length > 255 || !Name().IsMatch(exchange.Repository)))
            return exchange.ErrorAsync(400, "NAME_INVALID", "invalid repository name", exchange.Repository);
        return exchange.Route.Step switch
        {
            RegistryStep.Ping => PingAsync(exchange),
            RegistryStep.Token => tokens.HandleAsync(exchange),
            RegistryStep.TokenExchange => tokens.ExchangeAsync(exchange),
            RegistryStep.StorageGet => blobs.StorageAsync(exchange),
            RegistryStep.BlobHead or RegistryStep.BlobGet => blobs.GetAsync(exchange),
            RegistryStep.BlobDelete => blobs.DeleteAsync(exchange),
            RegistryStep.MountPost or RegistryStep.UploadPost => uploads.PostAsync(exchange),
            RegistryStep.UploadPatch => uploads.PatchAsync(exchange),
            RegistryStep.UploadPut => uploads.PutAsync(exchange),
            RegistryStep.UploadStatus => uploads.StatusAsync(exchange),
            RegistryStep.UploadDelete => uploads.DeleteAsync(exchange),
            RegistryStep.ManifestHead or RegistryStep.ManifestGet => manifests.GetAsync(exchange),
            RegistryStep.ManifestPut => manifests.PutAsync(exchange),
            RegistryStep.ManifestDelete => manifests.DeleteAsync(exchange),
            RegistryStep.TagsList => lists.TagsAsync(exchange),
            RegistryStep.Referrers => lists.ReferrersAsync(exchange),
            RegistryStep.Catalog => lists.CatalogAsync(exchange),
            _ => exchange.ErrorAsync(404, "NOT_FOUND", "there is no such endpoint", exchange.Record.Target),
        };
    }

    private static Task PingAsync(Exchange exchange)
    {
        exchange.Header("Docker-Distribution-Api-Version", "registry/2.0");
        return exchange.BodyAsync(200, "{}"u8.ToArray(), "application/json");
    }

    private static async Task TooLargeAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
        http.Response.ContentType = "text/html";
        await http.Response.Body.WriteAsync(
            "<html><head><title>413 Request Entity Too Large</title></head></html>"u8.ToArray(),
            http.RequestAborted
        );
    }

    [GeneratedRegex(@"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$", RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}

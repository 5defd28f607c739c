using System.Globalization;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Engines;

/// <summary>Speaks HTTP with an engine over its socket, its pipe or a plain connection.</summary>
/// <param name="address">Where it is.</param>
internal sealed class EngineConnection(EngineAddress address) : IDisposable
{
    private const int MaxErrorLength = 8 * 1024;
    private static readonly Uri Root = new("http://engine/");
    private readonly HttpMessageInvoker invoker = new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectCallback = (_, cancellationToken) => ConnectAsync(address, cancellationToken),
    });

    /// <summary>Reads a small document.</summary>
    public async Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, path, null, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
    }

    /// <summary>Sends a request; an answer that is no success is an error.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(Root, path)) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await invoker.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw Unreachable(exception);
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw new EngineRefusalException(response.StatusCode, $"{method} {address} /{path.Split('?')[0]} answered {(int)response.StatusCode}: {await SaidAsync(response, cancellationToken)}");
    }

    public void Dispose() => invoker.Dispose();

    private ImagePublishException Unreachable(Exception exception)
    {
        var reason = exception.GetBaseException();
        var advice = reason is SocketException { SocketErrorCode: SocketError.AccessDenied } or UnauthorizedAccessException
            ? "You may not use it: join the group that owns the socket (docker, on most machines), or use rootless Docker or podman."
            : "Start the engine, check DOCKER_HOST, or write an archive with ImageArchive instead.";
        return new ImagePublishException(DiagnosticCodes.EngineFailed, $"Docker does not answer at '{address}': {Text.Shown(reason.Message)}. {advice}", exception);
    }

    private static async Task<string> SaidAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxErrorLength];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(buffer.AsMemory(0, length));
            return Text.Shown(document.RootElement.GetProperty("message").GetString() ?? "");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return Text.Shown(System.Text.Encoding.UTF8.GetString(buffer, 0, length));
        }
    }

    private static async ValueTask<Stream> ConnectAsync(EngineAddress address, CancellationToken cancellationToken)
    {
        if (address.Scheme == "npipe")
        {
            var pipe = new NamedPipeClientStream(".", address.Target, PipeDirection.InOut, PipeOptions.Asynchronous);
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }

        var isUnix = address.Scheme == "unix";
        var socket = new Socket(isUnix ? AddressFamily.Unix : AddressFamily.InterNetworkV6, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (!isUnix)
                socket.DualMode = true;
            await socket.ConnectAsync(isUnix ? new UnixDomainSocketEndPoint(address.Target) : HostAndPort(address.Target), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static DnsEndPoint HostAndPort(string target)
    {
        var colon = target.LastIndexOf(':');
        return new DnsEndPoint(target[..colon].Trim('[', ']'), int.Parse(target[(colon + 1)..], CultureInfo.InvariantCulture));
    }
}

/// <summary>The engine answered, and refused.</summary>
internal sealed class EngineRefusalException(HttpStatusCode status, string message) : ImagePublishException(DiagnosticCodes.EngineFailed, message)
{
    public HttpStatusCode Status { get; } = status;
}

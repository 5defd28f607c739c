using System.Globalization;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Engines;

/// <summary>HTTP to a container engine over its socket, its pipe or a plain connection.</summary>
/// <param name="documentLimit">How long a document may take, from the request to its last byte; null for two minutes.</param>
internal sealed class EngineConnection(DockerAddress address, TimeSpan? documentLimit = null) : IDisposable
{
    private static readonly TimeSpan UsualDocumentLimit = TimeSpan.FromMinutes(2);

    private const int MaxErrorLength = 8 * 1024;
    private const int MaxDocumentLength = 64 << 20;
    private const int MaxExcerpt = 80;
    private const int BufferSize = 128 * 1024;
    private const string CheckHost = "Check DOCKER_HOST and the current context of docker, or write an archive with ImageArchive instead.";
    private static readonly Uri Root = new("http://engine/");
    private readonly HttpMessageInvoker invoker = new(
        new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = (_, cancellationToken) => ConnectAsync(address, cancellationToken),
        }
    );

    /// <summary>Reads something from a document of the engine.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, refuses, or what answers is not
    /// Docker.</exception>
    public async Task<T> GetAsync<T>(string path, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        return Read(path, await GetDocumentAsync(path, cancellationToken), read);
    }

    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it is not a document of Docker's.</exception>
    internal T Read<T>(string path, byte[] bytes, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return read(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw NotDocker(HttpMethod.Get, path, bytes, exception);
        }
    }

    private async Task<byte[]> GetDocumentAsync(string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(documentLimit ?? UsualDocumentLimit);
        try
        {
            using var response = await SendAsync(HttpMethod.Get, path, null, limit.Token);
            return await ReadAsync(response, MaxDocumentLength, limit.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"Docker at '{address}' does not answer GET /{path.Split('?')[0]} within "
                    + $"{(documentLimit ?? UsualDocumentLimit).TotalSeconds:0} seconds. Restart it, or write an archive with "
                    + "ImageArchive instead.",
                exception
            );
        }
    }

    public async Task<byte[]> ReadAsync(
        HttpResponseMessage response,
        int limit,
        CancellationToken cancellationToken,
        IdleWatch? watch = null
    )
    {
        using var bytes = new MemoryStream();
        await CopyAsync(response, bytes, limit, cancellationToken, watch);
        return bytes.ToArray();
    }

    /// <summary>Copies an answer's body. What goes wrong with the output is the caller's.</summary>
    /// <param name="watch">Runs while the engine is waited for, and not while the output is.</param>
    public async Task CopyAsync(
        HttpResponseMessage response,
        Stream output,
        long limit,
        CancellationToken cancellationToken,
        IdleWatch? watch = null
    )
    {
        var buffer = new byte[BufferSize];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        while (await ReadPieceAsync(body, buffer, cancellationToken) is var length and > 0)
        {
            watch?.Suspend();
            limit -= length;
            if (limit < 0)
                throw new ImagePublishException(
                    DiagnosticCodes.EngineFailed,
                    $"What answers at '{address}' is not Docker: its answer does not end. {CheckHost}"
                );
            await output.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
            watch?.Touch();
        }
    }

    public ImagePublishException NotDocker(HttpMethod method, string path, ReadOnlySpan<byte> answer, Exception? cause = null) =>
        new(
            DiagnosticCodes.EngineFailed,
            $"What answers at '{address}' is not Docker: {method} /{path.Split('?')[0]} answered '{Excerpt(answer)}'. {CheckHost}",
            cause
        );

    /// <summary>Sends a request; an answer that is no success is an error.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine does not answer, or refuses.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        CancellationToken cancellationToken
    )
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
        {
            var answer = await ReadErrorAsync(response, cancellationToken);
            throw Message(answer) is { } message
                ? new EngineRefusalException(
                    response.StatusCode,
                    $"{method} {address} /{Text.Sanitize(path.Split('?')[0])} answered {(int)response.StatusCode}: {Text.Sanitize(message)}"
                )
                : NotDocker(method, path, Encoding.UTF8.GetBytes($"{(int)response.StatusCode} {Encoding.UTF8.GetString(answer)}"));
        }
    }

    public void Dispose() => invoker.Dispose();

    // The status says enough where the rest does not come.
    private async Task<byte[]> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(documentLimit ?? UsualDocumentLimit);
        try
        {
            return await ReadAsync(response, MaxErrorLength, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [];
        }
    }

    private async Task<int> ReadPieceAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw Lost(exception);
        }
    }

    private ImagePublishException Unreachable(HttpRequestException exception)
    {
        if (
            exception.HttpRequestError
            is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.InvalidResponse)
        )
            return Lost(exception);
        var reason = exception.GetBaseException();
        var advice = reason is SocketException { SocketErrorCode: SocketError.AccessDenied } or UnauthorizedAccessException
            ? "You may not use it: join the group that owns the socket (docker, on most machines), or use rootless Docker or podman."
            : "Start the engine, check DOCKER_HOST, or write an archive with ImageArchive instead.";
        // .NET's words for a missing file are "Cannot assign requested address".
        var what =
            reason is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } && address.Scheme == "unix"
                ? "there is no such socket"
                : Text.Sanitize(reason.Message).TrimEnd('.');
        return new ImagePublishException(
            DiagnosticCodes.EngineFailed,
            $"Docker does not answer at '{address}': {what}. {advice}",
            exception
        );
    }

    private ImagePublishException Lost(Exception exception) =>
        new(
            DiagnosticCodes.EngineFailed,
            $"The connection to Docker at '{address}' was lost: "
                + $"{Text.Sanitize(exception.GetBaseException().Message).TrimEnd('.')}. Check that the engine still runs, and its log.",
            exception
        );

    // Docker's own errors are objects with a message.
    internal static string? Message(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.GetProperty("message").GetString();
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Excerpt(ReadOnlySpan<byte> answer)
    {
        var text = Encoding.UTF8.GetString(answer[..Math.Min(answer.Length, MaxExcerpt)]).ReplaceLineEndings(" ").Trim();
        return answer.Length > MaxExcerpt ? $"{Text.Sanitize(text)}…" : Text.Sanitize(text);
    }

    private static async ValueTask<Stream> ConnectAsync(DockerAddress address, CancellationToken cancellationToken)
    {
        if (address.Scheme == "npipe")
        {
            var pipe = new NamedPipeClientStream(".", address.Target, PipeDirection.InOut, PipeOptions.Asynchronous);
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }

        var isUnix = address.Scheme == "unix";
        // Without an address family it is for both, where the kernel has IPv6, and for IPv4 alone elsewhere.
        var socket = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(
                isUnix ? new UnixDomainSocketEndPoint(address.Target) : HostAndPort(address.Target),
                cancellationToken
            );
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

internal sealed class EngineRefusalException(HttpStatusCode status, string message)
    : ImagePublishException(DiagnosticCodes.EngineFailed, message)
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>An engine that is there, and does nothing any more.</summary>
internal sealed class EngineSilentException(string engine, string activity, TimeSpan limit, Exception cause)
    : ImagePublishException(
        DiagnosticCodes.EngineFailed,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{engine} has been silent for {limit.TotalMinutes:0} minutes while it {activity}. Check its free space and its log, "
                + $"restart it, or write an archive with ImageArchive instead."
        ),
        cause
    );

/// <summary>What the search for a container engine knows of the machine. Everything is handed in: nothing is read from the
/// environment.</summary>
internal sealed record EngineSettings
{
    /// <summary>An environment variable's value; null if it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required string HomeFolder { get; init; }

    internal string DockerFolder => Variable("DOCKER_CONFIG") is { Length: > 0 } folder ? folder : Path.Combine(HomeFolder, ".docker");
}

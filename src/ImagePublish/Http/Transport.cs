using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Http;

/// <summary>One request as it goes out once.</summary>
internal sealed record TransportRequest(RequestUrl Url, HttpRequestMessage Message) : IDisposable
{
    /// <summary>The registry that sent us to another host: only addresses that it may lead to are connected to.</summary>
    public Registry? Sender { get; init; }

    /// <summary>Whether it is for a token, and not what follows from a redirect or an upload's location.</summary>
    public bool IsForToken { get; init; }

    /// <summary>Whether it is for a service of this machine: it goes through no proxy, and does not wait long for a connection.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Connects to the address's host in place of the network, where no proxy does.</summary>
    public Func<DnsEndPoint, CancellationToken, Task<Stream>>? Connect { get; init; }

    /// <summary>Gets the watch that the request's body touches while it is sent.</summary>
    public Action<IdleWatch>? Sending { get; init; }

    public void Dispose() => Message.Dispose();
}

/// <summary>Sends single requests. Connections are pooled for the whole build; no redirect is followed, no cookie kept, no header
/// added.</summary>
internal sealed class Transport(HttpOptions options, TimeProvider time) : IDisposable
{
    /// <summary>The <c>User-Agent</c> of requests to registries and token services.</summary>
    public static readonly string UserAgent = $"ImagePublish.Tasks/{typeof(Transport).Assembly.GetName().Version?.ToString(3)}";

    private static readonly TimeSpan LocalConnectTimeout = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Lazy<HttpMessageInvoker>> invokers = new(StringComparer.Ordinal);

    // Of several for a host.
    private readonly ConcurrentDictionary<string, ClientCertificate> clientCertificates = new(StringComparer.Ordinal);

    private readonly ExpectContinueSupport expectations = new(options.ContinueTimeout, time);

    private readonly ProxyRules? proxies = options.Proxies is { } settings ? new ProxyRules(settings) : null;

    private readonly AddressGuard guard = new(options.Resolve, options.Connect);

    public TimeProvider Time => time;

    public HttpOptions Options => options;

    /// <summary>Whether a host may be reached by plain http, or without a trusted certificate.</summary>
    public bool IsInsecure(Registry registry) =>
        options.InsecureRegistries.Contains(registry) || (options.TrustLoopback && registry.IsLoopback);

    /// <summary>Whether a proxy is asked in place of the address's host.</summary>
    public bool IsProxied(RequestUrl url) => proxies?.IsBypassed(url.ToUri()) == false;

    /// <summary>Sends a request once; the response's body is still to be read. Disposes nothing of the caller's.</summary>
    /// <exception cref="TransportException">There was no response.</exception>
    public async Task<TransportResponse> ExchangeAsync(TransportRequest request, CancellationToken cancellationToken)
    {
        var (url, message) = request;
        ThrowIfOffline(url.Authority);
        await GuardAsync(request, cancellationToken);
        var watch = new IdleWatch(options.IdleTimeout, time, cancellationToken);
        using var span = RequestSpan.Start(request);
        try
        {
            request.Sending?.Invoke(watch);
            message.Version = HttpVersion.Version20;
            message.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
            expectations.Prepare(url, message);
            var start = time.GetTimestamp();
            var response = await SendAsync(request, watch.Token);
            expectations.Learn(url, response, start, watch);
            RequestSpan.Conclude(span, response);
            watch.Touch();
            return new TransportResponse(url, response, watch, options, cancellationToken);
        }
        catch (Exception e)
        {
            var failure = Translate(e, watch, cancellationToken);
            RequestSpan.Fail(span, failure ?? e);
            watch.Dispose();
            if (failure is null)
                throw;
            throw failure;
        }
    }

    public void Dispose()
    {
        foreach (var invoker in invokers.Values)
        {
            if (invoker.IsValueCreated)
                invoker.Value.Dispose();
        }
    }

    private async Task<HttpResponseMessage> SendAsync(TransportRequest request, CancellationToken cancellationToken)
    {
        var (url, message) = request;
        if (request.IsLocal)
            return await LocalInvoker().SendAsync(message, cancellationToken);
        try
        {
            return await InvokerFor(request).SendAsync(message, cancellationToken);
        }
        catch (HttpRequestException e) when (e.GetBaseException() is ClientCertificateChosenException chosen)
        {
            // Nothing of the request was sent.
            clientCertificates[url.Authority] = chosen.Certificate;
            return await InvokerFor(request).SendAsync(message, cancellationToken);
        }
    }

    // What the address guard refuses comes wrapped by the handler that it refused to connect for.
    private static Exception? Translate(Exception exception, IdleWatch watch, CancellationToken cancellationToken) =>
        exception switch
        {
            HttpRequestException { InnerException: ImagePublishException refusal } => refusal,
            _ when TransportErrors.IsTransportError(exception, cancellationToken) => TransportErrors.From(exception, watch),
            _ => null,
        };

    private async ValueTask GuardAsync(TransportRequest request, CancellationToken cancellationToken)
    {
        if (request.Connect is not null)
            request.Message.Options.Set(AddressGuard.ConnectOption, request.Connect);
        if (request.Sender is not { } sender)
            return;
        if (!request.IsForToken)
        {
            await guard.CheckTextAsync(sender, HostName.Normalize(request.Url.Host), cancellationToken);
            request.Message.Options.Set(AddressGuard.RedirectOption, true);
        }

        request.Message.Options.Set(AddressGuard.RegistryOption, sender);
    }

    private void ThrowIfOffline(string authority)
    {
        if (options.Offline)
            throw new ImagePublishException(
                DiagnosticCodes.NetworkNeeded,
                $"A request to '{authority}' is needed, but ImageOffline is true. Unset it to use the network."
            );
    }

    // One for all hosts, one for each host with certificates of its own, which are settings of the handler, one for the hosts that each
    // registry sends us to, and one for package sources of base images:
    // a connection that one registry may lead to must not be used for the others.
    private HttpMessageInvoker InvokerFor(TransportRequest request)
    {
        var authority = request.Url.Authority;
        var isInsecure = Registry.TryParse(authority, out var registry) && IsInsecure(registry);
        var folders = Certificates.FoldersFor(authority, options.DockerCertificateFolders).ToArray();
        var client = clientCertificates.GetValueOrDefault(authority);
        var purpose =
            request.Sender is { } sender ? $"from {sender} "
            : request.Connect is not null ? "connected by the caller "
            : "";
        var key = purpose + (isInsecure || folders.Length > 0 ? $"{authority} {client?.Thumbprint}" : "");
        return invokers
            .GetOrAdd(key, _ => new(() => Create(purpose.Length > 0, CertificatesFor(folders, isInsecure).Options(isInsecure, client))))
            .Value;
    }

    // A proxy would answer for its own machine.
    private HttpMessageInvoker LocalInvoker() =>
        invokers
            .GetOrAdd("local", _ => new(() =>
                {
                    var handler = CreateHandler(new SslClientAuthenticationOptions());
                    (handler.UseProxy, handler.ConnectTimeout) = (false, LocalConnectTimeout);
                    return new HttpMessageInvoker(handler);
                }))
            .Value;

    private HttpMessageInvoker Create(bool isGuarded, SslClientAuthenticationOptions tls)
    {
        var handler = CreateHandler(tls);
        if (isGuarded)
            guard.Protect(handler);
        return new HttpMessageInvoker(handler);
    }

    private SocketsHttpHandler CreateHandler(SslClientAuthenticationOptions tls)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            Expect100ContinueTimeout = options.ContinueTimeout,
            MaxResponseHeadersLength = 64,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(50),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            Proxy = proxies,
            SslOptions = tls,
            // Quirk: cookie-means-browser.
            UseCookies = false,
            UseProxy = proxies is not null,
        };
        if (options.Connect is { } connect)
            handler.ConnectCallback = (context, cancellationToken) => connect(context.DnsEndPoint, cancellationToken);
        return handler;
    }

    // Where any certificate is accepted, hundreds of authorities need not be read: that takes longer than a request.
    private Certificates CertificatesFor(string[] folders, bool isInsecure)
    {
        var certificates = new Certificates();
        if (!isInsecure && options.CertificateFile is { Length: > 0 } file)
            certificates.AddAuthorities(file);
        foreach (var folder in folders)
            certificates.AddFolder(folder);
        return certificates;
    }
}

/// <summary>Which hosts are worth asking with <c>Expect: 100-continue</c> before a large body is sent to them.</summary>
/// <remarks>
/// <para><see href="https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1">RFC 9110, Expect</see>. A refusal (413, 401) then costs a round
/// trip instead of the upload.</para>
/// <para>
/// Over HTTP/2 it is never used: a refusal ends the stream at once, whatever is still being sent. And nginx does not answer it there: each
/// large blob would wait until <see cref="HttpOptions.ContinueTimeout"/>. A host whose protocol is not known yet may speak HTTP/2 as well.
/// </para>
/// <para>Over HTTP/1.1 most servers read a body that they refuse to its end, or reset the connection before their answer is read. A host
/// that does not answer is asked once.</para>
/// </remarks>
internal sealed class ExpectContinueSupport(TimeSpan continueTimeout, TimeProvider time)
{
    // The handler's timer counts in ticks of the system, and may elapse up to one tick early by the finer clock here.
    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(16);

    private readonly ConcurrentDictionary<string, bool> http1 = new(StringComparer.Ordinal);

    /// <summary>Removes the header from a request to a host where it is of no use.</summary>
    public void Prepare(RequestUrl url, HttpRequestMessage message)
    {
        // Quirk: expect-ignored.
        var isUseful = http1.TryGetValue(Origin(url), out var answers) && answers;
        message.Headers.ExpectContinue = message.Headers.ExpectContinue == true && isUseful ? true : null;
    }

    /// <summary>Learns from a response: a body that was sent only after the timeout was not asked for.</summary>
    public void Learn(RequestUrl url, HttpResponseMessage response, long start, IdleWatch watch)
    {
        var isAsked = response.RequestMessage?.Headers.ExpectContinue == true;
        if (isAsked && watch.BodyStart is { } bodyStart && time.GetElapsedTime(start, bodyStart) + TimerResolution >= continueTimeout)
            http1[Origin(url)] = false;
        else if (response.Version.Major < 2)
            http1.TryAdd(Origin(url), true);
    }

    // With the scheme: nginx answers plain http at a port of TLS too, with 400.
    private static string Origin(RequestUrl url) => $"{url.Scheme}://{url.Authority}";
}

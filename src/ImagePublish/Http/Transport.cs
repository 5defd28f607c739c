using System.Collections.Concurrent;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Http;

namespace ImagePublish.Http;

/// <summary>Sends single requests. Connections are pooled for the whole build; nothing is followed, stored or added behind our back.</summary>
internal sealed class Transport(RegistryClientOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<HttpMessageInvoker>> invokers = new(StringComparer.Ordinal);

    private readonly Expectations expectations = new();

    private readonly AddressGuard guard = new(options.Resolve, options.Connect);

    public TimeProvider Time => time;

    public RegistryClientOptions Options => options;

    /// <summary>Whether a host may be spoken to in plain http, or without a trusted certificate.</summary>
    public bool IsInsecure(Registry registry) =>
        options.InsecureRegistries.Contains(registry) || (options.TrustLoopback && registry.IsLoopback);

    /// <summary>Sends a request; the answer's body is still to be read. Disposes nothing of the caller's.</summary>
    /// <param name="sender">The registry that sent us there, where it is another host: only addresses that it may lead to are connected to.</param>
    /// <exception cref="TransportException">There was no answer.</exception>
    public async Task<RegistryResponse> SendAsync(
        RequestUrl url,
        HttpRequestMessage request,
        Action<IdleWatch>? sending,
        bool isOwn,
        CancellationToken cancellationToken,
        Registry? sender = null
    )
    {
        ThrowIfOffline(url.Authority);
        if (sender is not null)
        {
            await guard.CheckTextAsync(sender, RealmPolicy.Normalize(url.Host), cancellationToken);
            request.Options.Set(AddressGuard.RegistryOption, sender);
            request.Options.Set(AddressGuard.RedirectOption, true);
        }

        var watch = new IdleWatch(options.IdleTimeout, time, cancellationToken);
        try
        {
            sending?.Invoke(watch);
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
            var expects = request.Headers.ExpectContinue == true && expectations.AreUseful(url);
            request.Headers.ExpectContinue = expects ? true : null;
            var start = time.GetTimestamp();
            var response = await InvokerFor(url.Authority, sender).SendAsync(request, watch.Token);
            var wasIgnored = expects && watch.BodyStart is { } begun && time.GetElapsedTime(start, begun) >= options.ContinueTimeout;
            expectations.Learn(url, response.Version, wasIgnored);
            watch.Touch();
            return new RegistryResponse(url, response, watch, options.DocumentTimeout, cancellationToken)
            {
                IsFromRegistry = isOwn,
                Redactor = options.Redactor,
            };
        }
        catch (HttpRequestException e) when (e.InnerException is ImagePublishException refusal)
        {
            watch.Dispose();
            throw refusal;
        }
        catch (Exception e) when (TransportErrors.IsTransportError(e, cancellationToken))
        {
            var failure = TransportErrors.From(e, watch);
            watch.Dispose();
            throw failure;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request for a token to the realm that a registry names; guarded, so that it can't reach private addresses.</summary>
    public Task<HttpResponseMessage> SendTokenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ThrowIfOffline(request.RequestUri!.Authority);
        var sender = request.Options.TryGetValue(AddressGuard.RegistryOption, out var registry) ? registry : null;
        return InvokerFor(request.RequestUri.Authority.ToLowerInvariant(), sender).SendAsync(request, cancellationToken);
    }

    public void Dispose()
    {
        foreach (var invoker in invokers.Values)
        {
            if (invoker.IsValueCreated)
                invoker.Value.Dispose();
        }
    }

    private void ThrowIfOffline(string authority)
    {
        if (options.Offline)
            throw new ImagePublishException(
                DiagnosticCodes.NetworkNeeded,
                $"'{authority}' would have to be asked, but ImageOffline is true. Leave it out where the registry is wanted."
            );
    }

    // One for all registries, one for each that has certificates of its own, which are settings of the handler, and one for where each registry sends us:
    // a connection that one registry may lead to is not open to the others.
    private HttpMessageInvoker InvokerFor(string authority, Registry? sender)
    {
        var isInsecure = Registry.TryParse(authority, out var registry) && IsInsecure(registry);
        var folders = Certificates.FoldersFor(authority, options.DockerCertificateFolders).ToArray();
        var key = (sender is null ? "" : $"from {sender} ") + (isInsecure || folders.Length > 0 ? authority : "");
        return invokers.GetOrAdd(key, _ => new(() => Create(isInsecure, sender is not null, folders))).Value;
    }

    private HttpMessageInvoker Create(bool isInsecure, bool isGuarded, string[] folders)
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
            Proxy = options.Proxies is { } proxies ? new ProxyRules(proxies) : null,
            SslOptions = CertificatesFor(folders, isInsecure).Options(isInsecure),
            UseCookies = false,
            UseProxy = options.Proxies is not null,
        };
        if (options.Connect is { } connect)
            handler.ConnectCallback = (context, cancellationToken) => connect(context.DnsEndPoint, cancellationToken);
        if (isGuarded)
            guard.Protect(handler);
        return new HttpMessageInvoker(handler);
    }

    // Where any certificate will do, hundreds of authorities need not be read: that takes longer than a request.
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

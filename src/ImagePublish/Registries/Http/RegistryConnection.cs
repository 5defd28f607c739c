using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Endpoints;

namespace ImagePublish.Registries.Http;

/// <summary>One registry during a build: its scheme, its sign-in, what is tried again, and how many blobs move at a time.</summary>
internal sealed class RegistryConnection : IDisposable
{
    // A token may expire under way, and a registry may want another scope than it said at first. More than that is a loop.
    private const int MaxRefreshes = 2;

    private readonly Registry registry;
    private readonly Transport transport;
    private readonly Authenticator authenticator;
    private readonly SchemeProbe scheme;
    private readonly SemaphoreSlim introduction = new(1, 1);

    // Several at once: repositories have tokens of their own.
    private readonly ConcurrentDictionary<string, bool> accepted = new(StringComparer.Ordinal);
    private volatile bool isKnown;
    private volatile bool isRefusing;

    public RegistryConnection(
        Registry registry,
        RegistryClientOptions options,
        Transport transport,
        Authenticator authenticator,
        IPublishLog log
    )
    {
        (this.registry, this.transport, this.authenticator) = (registry, transport, authenticator);
        scheme = new SchemeProbe(registry, transport);
        Log = log;
        Options = options;
        Retry = new RetryPolicy(options, log, transport.Time);
        Uploads = new SemaphoreSlim(options.ParallelBlobs);
        Downloads = new SemaphoreSlim(options.ParallelBlobs);
    }

    public Registry Registry => registry;

    public RegistryClientOptions Options { get; }

    public IPublishLog Log { get; }

    public TimeProvider Time => transport.Time;

    public RetryPolicy Retry { get; }

    /// <summary>A turn to upload a blob. Small requests take none.</summary>
    public SemaphoreSlim Uploads { get; }

    /// <summary>A turn to download a blob: apart from uploads, so that copying within a registry can't wait for itself.</summary>
    public SemaphoreSlim Downloads { get; }

    /// <summary>Sends a request until it gets an answer that would stay the same, and reads that.</summary>
    /// <param name="read">Reads the answer, whatever its status. A line that breaks meanwhile is a reason to send the request again.</param>
    /// <exception cref="ImagePublishException">There was no such answer.</exception>
    public async Task<T> SendAsync<T>(Endpoint endpoint, Func<RegistryResponse, Task<T>> read, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            Failure failure;
            try
            {
                using var response = await SendOnceAsync(endpoint, cancellationToken);
                if (!Failure.IsTransientStatus(response.Status))
                {
                    var result = await read(response);
                    Retry.Succeeded();
                    return result;
                }

                failure = await Failure.OfAsync(endpoint.Description, response, Time);
            }
            catch (TransportException e)
            {
                failure = Failed(endpoint, e);
            }

            if (!MayRepeat(failure, tries) || !await Retry.WaitAsync(failure, tries, cancellationToken))
                throw failure.ToException();
        }
    }

    /// <summary>Sends a request once, signed in, following redirects. The answer may have any status.</summary>
    /// <exception cref="TransportException">There was no answer.</exception>
    /// <exception cref="ImagePublishException">The registry does not let us in, or sends us to an unsafe place.</exception>
    public async Task<RegistryResponse> SendOnceAsync(Endpoint endpoint, CancellationToken cancellationToken)
    {
        if (Options.Offline)
            throw new ImagePublishException(
                DiagnosticCodes.NetworkNeeded,
                $"Could not {endpoint.Description}: ImageOffline is true. Leave it out where the registry is wanted, or name an image of the local store."
            );
        if (isKnown)
            return await SignedInAsync(endpoint, cancellationToken);

        // The first request learns how one signs in, so that the others need not all be refused first.
        await introduction.WaitAsync(cancellationToken);
        var isFirst = !isKnown;
        try
        {
            if (isFirst)
            {
                var response = await SignedInAsync(endpoint, cancellationToken);
                isKnown = true;
                return response;
            }
        }
        finally
        {
            introduction.Release();
        }

        return await SignedInAsync(endpoint, cancellationToken);
    }

    /// <summary>The registry's <c>/v2/</c>.</summary>
    public ValueTask<RequestUrl> RootAsync(CancellationToken cancellationToken) => scheme.RootAsync(cancellationToken);

    /// <summary>What went wrong, where an endpoint got no answer.</summary>
    public Failure Failed(Endpoint endpoint, TransportException line) =>
        scheme.Known is { } root
            ? Failure.FromTransport(endpoint.Description, endpoint.Method, endpoint.Url(root), line)
            : Failure.FromTransport(
                endpoint.Description,
                endpoint.Method,
                endpoint.Url(RequestUrl.Root("https", registry.ApiHost)),
                Neither(line)
            );

    // Https and http have the same port, if it is named. Else the probe says what became of either.
    private TransportException Neither(TransportException line) =>
        line.Fault == TransportError.Refused && registry.HasPort
            ? new TransportException(line.Fault, $"{line.Message}, and so would http be: nobody listens there", line)
            : line;

    public void Dispose()
    {
        introduction.Dispose();
        scheme.Dispose();
        Uploads.Dispose();
        Downloads.Dispose();
    }

    // A registry that was there and is gone is probably restarting. One that never was is probably a mistake: it is asked twice, and everything else that goes there once.
    private bool MayRepeat(Failure failure, int tries)
    {
        if (failure.TransportFault?.Fault != TransportError.Refused || isKnown)
            return true;
        var mayRepeat = tries == 1 && !isRefusing;
        isRefusing |= !mayRepeat;
        return mayRepeat;
    }

    private async Task<RegistryResponse> SignedInAsync(Endpoint endpoint, CancellationToken cancellationToken)
    {
        var mayRepeat = true;
        for (var refreshes = 0; ; refreshes++)
        {
            var header = await authenticator.AuthorizeAsync(registry, endpoint.Scopes, cancellationToken);
            var response = await FollowAsync(endpoint, header, cancellationToken);
            if (response.Status != HttpStatusCode.Unauthorized || !response.IsFromRegistry)
            {
                if (header?.Parameter is { } good)
                    accepted[good] = true;
                return response;
            }

            using (response)
            {
                var challenges = Challenge.ParseAll(response.Headers("WWW-Authenticate"));
                if (
                    refreshes < MaxRefreshes
                    && await authenticator.RefreshAsync(
                        registry,
                        endpoint.Scopes,
                        challenges,
                        header,
                        await IsPlainAsync(cancellationToken),
                        cancellationToken
                    )
                )
                    continue;
                // What was good a moment ago is refused now and then, at the beginning of uploads for instance, and good again.
                if (!mayRepeat || header?.Parameter is not { } refused || !accepted.ContainsKey(refused))
                    throw (await Failure.OfAsync(endpoint.Description, response, Time)).ToException();
                mayRepeat = false;
            }
        }
    }

    private async ValueTask<bool> IsPlainAsync(CancellationToken cancellationToken) => !(await scheme.RootAsync(cancellationToken)).IsHttps;

    private async Task<RegistryResponse> FollowAsync(
        Endpoint endpoint,
        AuthenticationHeaderValue? header,
        CancellationToken cancellationToken
    )
    {
        var guessed = scheme.IsGuess ? await GuessAsync(endpoint, header, cancellationToken) : null;
        var root = await scheme.RootAsync(cancellationToken);
        var url = endpoint.Url(root);
        var isOwn = true;
        for (var hops = 0; ; hops++)
        {
            // Once we were sent elsewhere, credentials stay out of it, also if it leads back.
            isOwn &= url.IsSameOrigin(root);
            var response = guessed
                ?? await SendAsync(endpoint, url, isOwn ? header : null, isOwn, IsElsewhere(url, root), cancellationToken);
            guessed = null;
            if (!Redirects.IsRedirect(response))
                return response;
            using (response)
                url = Redirects.Next(endpoint, root, response, hops);
        }
    }

    // The registry's own host is as far inside or outside as the registry, at whatever port.
    private bool IsElsewhere(RequestUrl url, RequestUrl root) =>
        url.Host != root.Host && !Options.TrustedRedirectHosts.Contains(RealmPolicy.Normalize(url.Host), StringComparer.OrdinalIgnoreCase);

    // The answer at the root that is only guessed, or null if that was wrong.
    private async Task<RegistryResponse?> GuessAsync(
        Endpoint endpoint,
        AuthenticationHeaderValue? header,
        CancellationToken cancellationToken
    )
    {
        RegistryResponse? response = null;
        try
        {
            response = await SendAsync(
                endpoint,
                endpoint.Url(await scheme.RootAsync(cancellationToken)),
                header,
                isOwn: true,
                isElsewhere: false,
                cancellationToken
            );
        }
        catch (TransportException e) when (e.Fault is TransportError.Broken or TransportError.Protocol || scheme.IsOnOtherPort(e))
        {
            if (await scheme.IsRightAsync(null, cancellationToken))
                throw;
            return null;
        }

        if (await scheme.IsRightAsync(response.Status, cancellationToken))
            return response;
        response.Dispose();
        return null;
    }

    private async Task<RegistryResponse> SendAsync(
        Endpoint endpoint,
        RequestUrl url,
        AuthenticationHeaderValue? header,
        bool isOwn,
        bool isElsewhere,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(endpoint.Method, url.ToUri());
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent.Value);
        request.Headers.Authorization = header;
        endpoint.Prepare(request);
        return await transport.SendAsync(url, request, endpoint.Sending, isOwn, cancellationToken, sender: isElsewhere ? registry : null);
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Connection;

/// <summary>One registry during a build.</summary>
/// <remarks>
/// A request is sent by these, one inside the other; each adds one thing:
/// <list type="number">
/// <item><see cref="SendWithRetriesAsync"/> sends it again after a transient failure, and reads the response;</item>
/// <item><see cref="SendSignedInAsync"/> waits while the registry wants fewer requests, adds a token or password, and gets another
/// where the registry wants one;</item>
/// <item><see cref="FollowRedirectsAsync"/> finds out whether the registry uses https or http, and goes where it redirects to;</item>
/// <item><see cref="Transport.ExchangeAsync"/> sends it once.</item>
/// </list> Uploads, downloads and manifests, which recover in ways of their own, begin with the second.
/// </remarks>
internal sealed class RegistryConnection : IDisposable
{
    // A token may expire meanwhile, and a registry may want another scope than it named at first. More than that is a loop.
    private const int MaxRefreshes = 2;

    private readonly Registry registry;
    private readonly Transport transport;
    private readonly Authenticator authenticator;
    private readonly SchemeProbe scheme;
    private readonly RateGate rate;
    private readonly SemaphoreSlim firstRequest = new(1, 1);

    // Tokens and passwords that were accepted; several, since repositories have tokens of their own.
    private readonly ConcurrentDictionary<string, bool> accepted = new(StringComparer.Ordinal);
    private volatile bool hasAnswered;
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
        rate = new RateGate(options, transport.Time);
        Log = log;
        Options = options;
        Retry = new RetryPolicy(options, log, transport.Time);
        Downloads = new SemaphoreSlim(options.ParallelBlobs);
    }

    public Registry Registry => registry;

    public RegistryClientOptions Options { get; }

    public IPublishLog Log { get; }

    public TimeProvider Time => transport.Time;

    public RetryPolicy Retry { get; }

    /// <summary>Whether a small blob may be sent with the request that opens its upload: until the registry has ignored one.</summary>
    public bool TakesBlobsByPost { get; set; } = true;

    /// <summary>Limits the downloads at a time. Uploads have a limit of their own, so that a copy within the registry can't wait for
    /// itself.</summary>
    public SemaphoreSlim Downloads { get; }

    /// <summary>Sends a request until it gets a response that would stay the same, and reads that.</summary>
    /// <param name="read">Reads the response, whatever its status. A connection that is lost meanwhile is a reason to send the request
    /// again.</param>
    /// <exception cref="ImagePublishException">There was no such response.</exception>
    public async Task<T> SendWithRetriesAsync<T>(
        RegistryRequest request,
        Func<TransportResponse, Task<T>> read,
        CancellationToken cancellationToken
    )
    {
        for (var attempts = 1; ; attempts++)
        {
            RegistryFailure failure;
            try
            {
                using var response = await SendSignedInAsync(request, cancellationToken);
                if (!HttpFailure.IsTransientStatus(response.Status))
                {
                    var result = await read(response);
                    Retry.RecordSuccess();
                    return result;
                }

                failure = await ReadFailureAsync(request, response);
            }
            catch (TransportException e)
            {
                failure = ToFailure(request, e);
            }

            if (!MayRetry(failure, attempts) || !await Retry.WaitAsync(failure, attempts, cancellationToken))
                throw failure.ToException();
        }
    }

    /// <summary>Sends a request signed in, without retries. The response may have any status.</summary>
    /// <exception cref="TransportException">There was no response.</exception>
    /// <exception cref="ImagePublishException">The registry refuses the sign-in, or leads to an unsafe address.</exception>
    public async Task<TransportResponse> SendSignedInAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        ThrowIfOffline(request);
        var isFirst = await BecomeFirstAsync(cancellationToken);
        try
        {
            var isRepeated = false;
            for (var refreshes = 0; ; refreshes++)
            {
                await rate.PassAsync(cancellationToken);
                var authorization = await authenticator.AuthorizeAsync(registry, request.Scopes, cancellationToken);
                var response = await FollowRedirectsAsync(request, authorization, cancellationToken);
                if (response.IsFromOrigin)
                    rate.Learn(response);
                if (response.Status != HttpStatusCode.Unauthorized || !response.IsFromOrigin)
                {
                    if (authorization?.Parameter is { } good)
                        accepted[good] = true;
                    hasAnswered = true;
                    return response;
                }

                using (response)
                {
                    if (refreshes < MaxRefreshes && await RefreshAsync(request, response, authorization, cancellationToken))
                        continue;
                    // Quirk: good-token-refused. What was accepted a moment ago is sent once more.
                    var wasAccepted = authorization?.Parameter is { } refused && accepted.ContainsKey(refused);
                    if (isRepeated || !wasAccepted)
                        throw (await ReadFailureAsync(request, response)).ToException(AdviceFor(response));
                    isRepeated = true;
                }
            }
        }
        finally
        {
            if (isFirst)
                firstRequest.Release();
        }
    }

    /// <summary>Learns how to sign in before there is anything to ask, and requests a token where there are tokens. A password goes to the
    /// registry itself only with a request that is wanted: one that is wrong is sent once. What fails here fails again where it
    /// matters.</summary>
    /// <param name="request">What is asked without signing in. It tells what the token has to be good for.</param>
    public async Task SignInEarlyAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Options.EarlyTimeout, Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var isFirst = false;
        try
        {
            ThrowIfOffline(request);
            isFirst = await BecomeFirstAsync(linked.Token);
            if (!isFirst)
                return;
            await rate.PassAsync(linked.Token);
            using var response = await FollowRedirectsAsync(request, authorization: null, linked.Token);
            hasAnswered = true;
            if (response.Status == HttpStatusCode.Unauthorized && response.IsFromOrigin)
                await RefreshAsync(request, response, rejected: null, linked.Token);
        }
        catch (Exception exception) when (exception is TransportException or ImagePublishException or OperationCanceledException)
        {
            Log.Detail($"Not signed in to {registry} early: {exception.Message}");
        }
        finally
        {
            if (isFirst)
                firstRequest.Release();
        }
    }

    public ValueTask<RequestUrl> GetRootAsync(CancellationToken cancellationToken) => scheme.GetRootAsync(cancellationToken);

    /// <summary>The address in the Location header of a response to a request, which starts an upload or redirects.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c> or <c>IMG4004</c>: it is unsafe or malformed.</exception>
    public async Task<RequestUrl> ResolveLocationAsync(RegistryRequest request, TransportResponse response) =>
        Redirects.Resolve(request, await scheme.GetRootAsync(CancellationToken.None), response);

    // A token service says itself why it refuses, and a registry with Basic alone says nothing.
    private string? AdviceFor(TransportResponse refused) =>
        refused.Authorization is { Scheme: "Basic" }
            ? "The user name or the password is wrong or has expired: check both, and sign in again."
        : refused.Authorization is null && Challenge.ParseAll(refused.Headers("WWW-Authenticate")).Any(challenge => challenge.IsBasic)
            ? EnvironmentCredentials.Advice(registry)
        : null;

    public Task<RegistryFailure> ReadFailureAsync(RegistryRequest request, TransportResponse response) =>
        RegistryFailure.ReadAsync(request.Description, response, Time);

    public RegistryFailure ToFailure(RegistryRequest request, TransportException exception)
    {
        var root = scheme.Known;
        // Https and http have the same port where the name has one. Where it has none, the probe says what became of either.
        if (root is null && exception.Error == TransportError.Refused && registry.HasPort)
            exception = new TransportException(
                exception.Error,
                $"{exception.Message}; http would fail too: no server listens on this port",
                exception
            );
        var url = request.Url(root ?? RequestUrl.Root("https", registry.ApiHost));
        return new RegistryFailure(request.Description, request.Method, url) { Transport = exception };
    }

    public void Dispose()
    {
        firstRequest.Dispose();
        scheme.Dispose();
        Downloads.Dispose();
    }

    private void ThrowIfOffline(RegistryRequest request)
    {
        if (Options.Offline)
            throw new ImagePublishException(
                DiagnosticCodes.NetworkNeeded,
                $"Could not {request.Description}: ImageOffline is true. Unset it to use the registry, or name an image "
                    + "of the local store."
            );
    }

    // The first request learns how to sign in, so that the others need not all be refused first.
    private async ValueTask<bool> BecomeFirstAsync(CancellationToken cancellationToken)
    {
        if (hasAnswered)
            return false;
        await firstRequest.WaitAsync(cancellationToken);
        if (!hasAnswered)
            return true;
        firstRequest.Release();
        return false;
    }

    // A registry that was there and is gone is probably restarting. One that never was is probably a mistake: it is asked twice, and by
    // everything else once.
    private bool MayRetry(HttpFailure failure, int attempts)
    {
        if (failure.Transport?.Error != TransportError.Refused || hasAnswered)
            return true;
        var mayRetry = attempts == 1 && !isRefusing;
        isRefusing |= !mayRetry;
        return mayRetry;
    }

    private async Task<bool> RefreshAsync(
        RegistryRequest request,
        TransportResponse response,
        AuthenticationHeaderValue? rejected,
        CancellationToken cancellationToken
    )
    {
        var root = await scheme.GetRootAsync(cancellationToken);
        var rejection = new Rejection(Challenge.ParseAll(response.Headers("WWW-Authenticate")), rejected, IsPlainText: !root.IsHttps);
        return await authenticator.RefreshAsync(registry, request.Scopes, rejection, cancellationToken);
    }

    private async Task<TransportResponse> FollowRedirectsAsync(
        RegistryRequest request,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken
    )
    {
        var response = scheme.IsAssumed ? await TryAssumedSchemeAsync(request, authorization, cancellationToken) : null;
        var root = await scheme.GetRootAsync(cancellationToken);
        var url = request.Url(root);
        var isOrigin = true;
        for (var redirects = 0; ; redirects++)
        {
            // Once we were sent elsewhere, credentials are left out, also if it leads back.
            isOrigin &= url.IsSameOrigin(root);
            if (response is null)
            {
                var sender = IsElsewhere(url, root) ? registry : null;
                using var outgoing = Prepare(request, url, isOrigin ? authorization : null, sender);
                response = await transport.ExchangeAsync(outgoing, cancellationToken);
            }

            response.IsFromOrigin = isOrigin;
            if (!response.IsRedirect || !request.FollowsRedirects)
                return response;
            using (response)
                url = Redirects.Next(request, root, response, redirects);
            response = null;
        }
    }

    // The registry's own host is as far inside or outside as the registry, at whatever port.
    private bool IsElsewhere(RequestUrl url, RequestUrl root) =>
        url.Host != root.Host && !Options.TrustedRedirectHosts.Contains(HostName.Normalize(url.Host), StringComparer.OrdinalIgnoreCase);

    // The response at the assumed root; null if the assumption was wrong.
    private async Task<TransportResponse?> TryAssumedSchemeAsync(
        RegistryRequest request,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken
    )
    {
        var root = await scheme.GetRootAsync(cancellationToken);
        TransportResponse response;
        try
        {
            using var outgoing = Prepare(request, request.Url(root), authorization, sender: null);
            response = await transport.ExchangeAsync(outgoing, cancellationToken);
        }
        catch (TransportException e) when (e.Error is TransportError.Broken or TransportError.Protocol || scheme.MayDifferForOther(e))
        {
            if (await scheme.VerifyAssumedAsync(null, cancellationToken))
                throw;
            return null;
        }

        if (await scheme.VerifyAssumedAsync(response.Status, cancellationToken))
            return response;
        response.Dispose();
        return null;
    }

    private TransportRequest Prepare(RegistryRequest request, RequestUrl url, AuthenticationHeaderValue? authorization, Registry? sender)
    {
        var message = new HttpRequestMessage(request.Method, url.ToUri());
        message.Headers.TryAddWithoutValidation("User-Agent", Transport.UserAgent);
        message.Headers.Authorization = authorization;
        request.Prepare(message);
        Log.Requested(url.Authority);
        return new TransportRequest(url, message) { Sending = request.Sending, Sender = sender };
    }
}

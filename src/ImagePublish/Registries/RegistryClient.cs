using System.Collections.Concurrent;
using System.Net;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Identities;
using ImagePublish.Registries.Auth.Realms;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Registries.Requests;

namespace ImagePublish.Registries;

/// <summary>Pulls from and pushes to registries: one for a whole build, for many callers at once. It pools connections, tokens and
/// limits.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md">OCI distribution specification 1.1</see>,
/// and what registries do in its place. All methods throw <see cref="ImagePublishException"/> with a code <c>IMG4xxx</c> for what the
/// registry does or does not, and <c>IMG5xxx</c> where signing in fails.</remarks>
internal sealed class RegistryClient : IDisposable
{
    private const int MaxDenials = 3;

    private static readonly TimeSpan DenialPause = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<Registry, Lazy<ConnectedRegistry>> registries = new();
    private readonly Transport transport;
    private readonly FileDownload downloads;
    private readonly Func<Registry, RegistryConnection> connect;

    public RegistryClient(RegistryClientOptions options, ICredentialSource credentials, IPublishLog log, TimeProvider time)
    {
        (Log, Time, Options) = (log, time, options);
        transport = new Transport(options, time);
        downloads = new FileDownload(transport, new RetryPolicy(options, log, time));
        Services = new ServiceClient(transport, new RetryPolicy(options, log, time));
        var tokens = new TokenTransport(transport, options, log);
        var authenticator = new Authenticator(
            credentials,
            tokens,
            new RealmPolicy(options.InsecureRegistries, options.TrustedTokenHosts, options.PlainTextCredentials),
            time,
            options.Redactor,
            options.Identities is { } environment ? CreateIdentities(environment, options, tokens) : null
        );
        connect = registry => new RegistryConnection(registry, options, transport, authenticator, log);
    }

    internal IPublishLog Log { get; }

    internal TimeProvider Time { get; }

    internal RegistryClientOptions Options { get; }

    /// <summary>Asks services that are no registries, over the same connections.</summary>
    public ServiceClient Services { get; }

    public async Task<RemoteManifest> GetManifestAsync(Reference reference, CancellationToken cancellationToken) =>
        (await ManifestReader.GetAsync(Connect(reference.Repository), reference, mustExist: true, cancellationToken))!;

    public Task<RemoteManifest?> TryGetManifestAsync(Reference reference, CancellationToken cancellationToken) =>
        ManifestReader.GetAsync(Connect(reference.Repository), reference, mustExist: false, cancellationToken);

    /// <summary>Looks for a manifest or an index without reading it, which registries that count pulls do not count.</summary>
    public Task<Descriptor?> FindManifestAsync(Reference reference, CancellationToken cancellationToken) =>
        ManifestReader.FindAsync(Connect(reference.Repository), reference, cancellationToken);

    public async Task<ReadOnlyMemory<byte>> GetBlobAsync(
        Repository repository,
        Descriptor descriptor,
        int limit,
        CancellationToken cancellationToken
    )
    {
        if (descriptor.Size < 0 || descriptor.Size > limit)
            throw new ImagePublishException(
                DiagnosticCodes.TooLarge,
                $"The blob {descriptor.Digest} of {repository} should have {descriptor.Size} bytes; at most {limit} are read. "
                    + "Choose another image."
            );
        var bytes = new byte[descriptor.Size];
        var blob = new RegistryBlobSource(Connect(repository), repository, descriptor) { IsDocument = true };
        await using var stream = await blob.OpenVerifiedAsync(blob.WrongContent, cancellationToken);
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    /// <summary>A blob of a registry as a source: streamed when it is read, resumed where the connection is lost.</summary>
    public BlobSource Blob(Repository repository, Descriptor descriptor) =>
        new RegistryBlobSource(Connect(repository), repository, descriptor);

    /// <summary>Makes sure that a repository has a blob, uploading as little as possible.</summary>
    public Task<BlobPushResult> PushBlobAsync(Repository target, BlobSource blob, CancellationToken cancellationToken) =>
        BlobsOf(target.Registry).PushAsync(target, blob, locations: null, cancellationToken);

    /// <summary>What gets blobs into the repositories of a registry.</summary>
    public BlobPusher BlobsOf(Registry registry) => Find(registry).Blobs;

    /// <summary>Puts a manifest or an index into a repository. Everything it refers to must be there, but for its subject.</summary>
    /// <returns>Whether the registry says that it read the manifest's subject.</returns>
    /// <exception cref="MissingBlobsException"><c>IMG4012</c>: the registry misses blobs; push them and the manifest again.</exception>
    public async Task<bool> PushManifestAsync(Reference target, MemoryBlobSource manifest, CancellationToken cancellationToken)
    {
        var digest = manifest.Descriptor.Digest;
        if (target.Digest is not null && target.Digest != digest)
            throw new ArgumentException($"{target} is not the digest of the manifest, {digest}.", nameof(target));
        if (manifest.Descriptor.Size > OciJson.MaxManifestSize)
            throw new ImagePublishException(
                DiagnosticCodes.TooLarge,
                $"The manifest for {target} has {manifest.Descriptor.Size} bytes; registries take {OciJson.MaxManifestSize >> 20} "
                    + "MiB. Use fewer labels and annotations."
            );
        var (connection, blobs) = Find(target.Repository.Registry);
        var at = target.Tag is { } tag ? target.Repository.ReferenceTo(tag) : target.Repository.ReferenceTo(digest);
        return await new ManifestPusher(connection, blobs, at, manifest).RunAsync(cancellationToken);
    }

    /// <summary>The same, for blobs that can be sent again where the registry misses them.</summary>
    /// <exception cref="MissingBlobsException"><c>IMG4012</c>: the registry goes on to miss blobs.</exception>
    public async Task<bool> PushManifestAsync(
        Reference target,
        MemoryBlobSource manifest,
        Func<IReadOnlyList<Digest>, Task> resendAsync,
        CancellationToken cancellationToken
    )
    {
        var denials = 0;
        for (var lost = new HashSet<Digest>(); ; )
        {
            try
            {
                return await PushManifestAsync(target, manifest, cancellationToken);
            }
            catch (MissingBlobsException exception) when (exception.Digests.Where(lost.Add).ToList().Count > 0)
            {
                // A registry that has lost what it confirmed gets it once more. It may name one at a time.
                await resendAsync(exception.Digests);
            }
            catch (MissingBlobsException) when (denials++ < MaxDenials)
            {
                // Quirk: blob-rewritten. Another job uploads the same blob, and the registry reads it half-written.
                await Task.Delay(DenialPause * denials, Time, cancellationToken);
            }
        }
    }

    public IAsyncEnumerable<Tag> ListTagsAsync(Repository repository, CancellationToken cancellationToken) =>
        new TagLister(Connect(repository), repository).ListAsync(cancellationToken);

    /// <summary>Lists what is attached to a manifest: signatures, bills of materials, attestations.</summary>
    public Task<IReadOnlyList<Descriptor>?> ListReferrersAsync(
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    ) => Referrers.ListAsync(Connect(repository), repository, subject, cancellationToken);

    public Task<bool> HasBlobAsync(Repository repository, Descriptor blob, CancellationToken cancellationToken) =>
        BlobExistence.CheckAsync(Connect(repository), repository, blob, cancellationToken);

    /// <summary>Deletes a manifest with all its tags, or one tag where the registry can do that. One that is not there is no
    /// error.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4015</c>: the registry does not delete.</exception>
    public Task DeleteManifestAsync(Reference reference, CancellationToken cancellationToken)
    {
        var connection = Connect(reference.Repository);
        var request = new DeleteManifest(reference);
        return connection.SendWithRetriesAsync(
            request,
            async response =>
                response.IsSuccess || response.Status == HttpStatusCode.NotFound
                    ? true
                    : throw Refused(await connection.ReadFailureAsync(request, response)),
            cancellationToken
        );

        ImagePublishException Refused(RegistryFailure failure) =>
            failure.Status is HttpStatusCode.BadRequest or HttpStatusCode.MethodNotAllowed
                ? failure.ToException(
                    DiagnosticCodes.DeleteUnsupported,
                    reference.Digest is null
                        ? "It may delete by digest only; otherwise, enable deletion in the registry."
                        : "Enable deletion in the registry."
                )
                : failure.ToException();
    }

    /// <summary>Gets a file that is not in a registry: one of a package source. The same proxies and certificates are used, without
    /// credentials.</summary>
    /// <returns>Whether it was written; false where the server says that there is no such file.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6009</c>: the server can't be reached, or does not give it.</exception>
    /// <param name="connect">Connects to the address's host, and to no other; null where requests may go anywhere.</param>
    public Task<bool> TryDownloadAsync(
        string address,
        Stream target,
        long limit,
        Func<DnsEndPoint, CancellationToken, Task<Stream>>? connect,
        CancellationToken cancellationToken
    ) => downloads.TryGetAsync(address, target, limit, connect, cancellationToken);

    /// <summary>Signs in and does nothing else: whether a registry takes the credentials.</summary>
    public Task CheckSignInAsync(Registry registry, CancellationToken cancellationToken)
    {
        var connection = Find(registry).Connection;
        var request = new CheckApi(registry);
        return connection.SendWithRetriesAsync(
            request,
            async response => response.IsSuccess ? true : throw (await connection.ReadFailureAsync(request, response)).ToException(),
            cancellationToken
        );
    }

    /// <summary>Connects to a registry and learns how to sign in there, for a publish that is going to begin by asking what a repository
    /// has.</summary>
    public Task SignInEarlyAsync(Repository repository, CancellationToken cancellationToken) =>
        Spans.RunAsync("sign in early", () =>
            Connect(repository).SignInEarlyAsync(new CheckApi(repository.Registry, Scope.Pull(repository.Name)), cancellationToken)
        );

    public void Dispose()
    {
        foreach (var registry in registries.Values.Where(registry => registry.IsValueCreated))
        {
            registry.Value.Blobs.Dispose();
            registry.Value.Connection.Dispose();
        }

        transport.Dispose();
    }

    private IdentitySource CreateIdentities(CredentialEnvironment environment, RegistryClientOptions options, TokenTransport remote) =>
        new(
            () =>
            {
                // A service of this machine answers at once or is not there.
                var local = new TokenTransport(transport, options with { MaxTries = 2 }, Log) { IsLocal = true };
                return new CloudIdentity(environment, registry => new(registry, remote, local, options.Redactor), Time, Log);
            },
            options.InsecureRegistries,
            Log
        );

    private RegistryConnection Connect(Repository repository) => Find(repository.Registry).Connection;

    private ConnectedRegistry Find(Registry registry) =>
        registries
            .GetOrAdd(registry, key => new(() =>
                {
                    var connection = connect(key);
                    return new ConnectedRegistry(connection, new BlobPusher(connection));
                }))
            .Value;

    private sealed record ConnectedRegistry(RegistryConnection Connection, BlobPusher Blobs);
}

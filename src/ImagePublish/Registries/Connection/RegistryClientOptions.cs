using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Connection;

/// <summary>How registries are reached, and what is done with them.</summary>
internal sealed record RegistryClientOptions : HttpOptions
{
    /// <summary>Hosts of token services that are trusted with every registry's credentials although they are on another domain.</summary>
    public IReadOnlyList<string> TrustedTokenHosts { get; init; } = [];

    /// <summary>Hosts that redirects and upload locations may lead to although they are on this machine or network and the registry is
    /// not.</summary>
    public IReadOnlyList<string> TrustedRedirectHosts { get; init; } = [];

    /// <summary>Registries that get user names, passwords and tokens over plain http too. Those on this machine need not be
    /// named.</summary>
    public IReadOnlySet<Registry> PlainTextCredentials { get; init; } = new HashSet<Registry>();

    /// <summary>Where the build's identity is found, which signs in to the registries of clouds where there are no credentials for them;
    /// null where none is used.</summary>
    public CredentialEnvironment? Identities { get; init; }

    /// <summary>How many blobs are uploaded to, and how many are downloaded from, one registry at a time. Small requests are not
    /// counted.</summary>
    public int ParallelBlobs { get; init; } = 4;

    /// <summary>How long deleting an upload session may take after a failure.</summary>
    public TimeSpan TidyTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long signing in early may take: what is asked next waits for it, also where the registry does not answer.</summary>
    public TimeSpan EarlyTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The size in bytes of the chunks of an upload that can't be done in one request.</summary>
    public long ChunkSize { get; init; } = 8 << 20;
}

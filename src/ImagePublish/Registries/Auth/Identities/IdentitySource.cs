using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>The gate to <see cref="CloudIdentity"/>: what is behind it is neither loaded nor compiled in a build that uses no cloud's
/// registry.</summary>
/// <param name="unverified">Registries whose certificates are not checked. Whoever answers in the place of one would get the
/// token.</param>
internal sealed class IdentitySource(Func<CloudIdentity> create, IReadOnlySet<Registry> unverified, IPublishLog log) : IIdentitySource
{
    private readonly Lazy<CloudIdentity> identity = new(create);

    public ValueTask<Credential?> FindAsync(Registry registry, CancellationToken ct) =>
        CloudHost.IsCandidate(registry) && !unverified.Contains(registry) ? identity.Value.FindAsync(registry, ct) : default;

    public void ReportUnused(Registry registry, ImagePublishException reason) =>
        log.Information($"Reading from {registry} without signing in: {reason.Message} ({reason.Code})");
}

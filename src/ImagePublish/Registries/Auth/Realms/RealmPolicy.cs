using System.Collections.Frozen;
using System.Net;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Realms;

/// <summary>How far the place that a registry sends us to for tokens is trusted.</summary>
internal enum RealmTrust
{
    /// <summary>It belongs to another owner: it may be asked for an anonymous token, and never gets credentials.</summary>
    Foreign,

    Registry,
}

/// <summary>Decides where tokens may be asked for: a realm is a URL that the other side chose, and credentials go there.</summary>
/// <remarks>A realm belongs to its registry if it is on the same host, or if both are of one domain (<c>registry-1.docker.io</c> and
/// <c>auth.docker.io</c>, <c>registry.gitlab.com</c> and <c>gitlab.com</c>), or if the user says so. Precedent: CVE-2026-33540.</remarks>
/// <param name="insecure">The registries that may be spoken to in plain http; loopback ones always may.</param>
/// <param name="trustedHosts">Hosts of token services that the user trusts with every registry's credentials.</param>
/// <param name="plainText">The registries that get credentials over plain http; loopback ones always do.</param>
internal sealed class RealmPolicy(IReadOnlySet<Registry> insecure, IReadOnlyList<string> trustedHosts, IReadOnlySet<Registry> plainText)
{
    private readonly FrozenSet<string> trustedHosts = trustedHosts.Select(HostName.Normalize).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Checks a realm, and each place it redirects to.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5003</c>: nothing may be sent there.</exception>
    public RealmTrust Check(Registry registry, Uri realm)
    {
        if (!realm.IsAbsoluteUri || (realm.Scheme != Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttp) || realm.Host.Length == 0)
            throw Refused(registry, realm, "it is not an http address");
        if (realm.UserInfo.Length > 0)
            throw Refused(registry, realm, "it carries a user name");
        if (HostOf(realm) is not { } host)
            throw Refused(registry, realm, "its host is not a name");
        var trust = TrustOf(registry, host);
        if (realm.Scheme == Uri.UriSchemeHttp && (trust == RealmTrust.Foreign || !MayBePlain(registry)))
            throw Refused(registry, realm, "it is not https");
        if (trust == RealmTrust.Foreign && !IsPublic(registry, host))
            throw Refused(registry, realm, "it is a private or local address, less public than the registry's");
        return trust;
    }

    /// <summary>Checks that a registry may get credentials over plain http.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5012</c>: it may not.</exception>
    public void RequirePlainText(Registry registry)
    {
        if (registry.IsLoopback || plainText.Contains(registry))
            return;
        throw new ImagePublishException(
            DiagnosticCodes.PlainTextCredentials,
            $"{registry} uses plain http, so anyone on the network could read the user name and password. Nothing was sent. "
                + "Use https for the registry, or name it in ImagePlainTextCredentials if you trust the network."
        );
    }

    /// <summary>Whether connections to a realm must be checked by address, <see cref="AddressGuard"/>.</summary>
    public bool NeedsGuard(Registry registry, Uri realm) =>
        !realm.Authority.Equals(registry.ApiHost, StringComparison.OrdinalIgnoreCase)
        && !trustedHosts.Contains(HostName.Normalize(realm.IdnHost));

    /// <summary>The error for a realm that would get credentials and is not trusted with them.</summary>
    public static ImagePublishException Foreign(Registry registry, Uri realm) =>
        Refused(
            registry,
            realm,
            "it is on another domain and would get your credentials. If it does belong to the registry, name its host in "
                + "ImageTrustedTokenHosts"
        );

    /// <summary>A URL as it may be shown: without user name, query and fragment.</summary>
    public static string Shown(Uri uri) =>
        Text.Sanitize(
            uri.IsAbsoluteUri
                ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)
                : "a relative address"
        );

    private static ImagePublishException Refused(Registry registry, Uri realm, string reason) =>
        new(DiagnosticCodes.UntrustedRealm, $"{registry} names {Shown(realm)} as its token service, which is refused: {reason}.");

    private RealmTrust TrustOf(Registry registry, string host)
    {
        var own = HostName.Normalize(HostOf(registry));
        var isOwn =
            host == own
            || (HostName.IsLoopback(host) && HostName.IsLoopback(own))
            || DomainName.AreOfOneOwner(host, own)
            || DomainName.IsTokenServiceOf(own, host);
        return isOwn || trustedHosts.Contains(host) ? RealmTrust.Registry : RealmTrust.Foreign;
    }

    private bool MayBePlain(Registry registry) => registry.IsLoopback || insecure.Contains(registry);

    // What a name leads to is seen when connecting; what an address or localhost says is clear now.
    private static bool IsPublic(Registry registry, string host) =>
        !HostName.IsLoopback(host)
        && (
            !IPAddress.TryParse(host, out var address)
            || AddressReaches.Classify(address) is var reach
                && (
                    reach == AddressReach.Public
                    || (
                        reach == AddressReach.Private
                        && IPAddress.TryParse(HostName.Normalize(HostOf(registry)), out var own)
                        && AddressReaches.Classify(own) is AddressReach.Private or AddressReach.Loopback
                    )
                )
        );

    // The framework takes every character into a host, and finds out here which are none of a name.
    private static string? HostOf(Uri realm)
    {
        try
        {
            return HostName.Normalize(realm.IdnHost);
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static string HostOf(Registry registry) => registry == Registry.DockerHub ? registry.ApiHost : registry.HostName;
}

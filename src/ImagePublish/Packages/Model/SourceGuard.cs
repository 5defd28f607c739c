using System.Net;
using System.Net.Sockets;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Model;

/// <summary>An address of a host, and whether only this machine or its network can reach it.</summary>
internal sealed record HostAddress(IPAddress Address, bool IsInner);

/// <summary>Looks up a host.</summary>
/// <returns>Its addresses; none where the name can't be looked up here, as behind a proxy.</returns>
internal delegate Task<IReadOnlyList<HostAddress>> LookUpHost(string host, CancellationToken cancellationToken);

/// <summary>How packages are fetched where apt does not do it.</summary>
internal sealed record PackageNetwork(FileDownload Download, LookUpHost LookUpHost);

/// <summary>Lets a base image's package sources be asked only where everybody could ask: the image's author must not reach services of this
/// machine or its network.</summary>
/// <remarks>Checked once before anything is asked, so that the error comes first, and again at the address that is connected to: a name's
/// answers may change in between.</remarks>
internal sealed class SourceGuard(PackageSources sources, IReadOnlyList<string> trusted, LookUpHost lookUp)
{
    /// <summary>Whether what it guards against can happen at all.</summary>
    public bool IsNeeded => sources.BaseImage is not null;

    /// <summary>The hosts of the sources, once each.</summary>
    public IEnumerable<Uri> Hosts => sources.Addresses.Select(address => new Uri(address)).DistinctBy(address => address.Authority);

    /// <exception cref="ImagePublishException"><c>IMG6012</c>: one is inside.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!IsNeeded)
            return;
        foreach (var source in Hosts)
            Check(source, await lookUp(HostOf(source), cancellationToken));
    }

    /// <summary>Connects to a source's host, and to no other.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6012</c>: it is inside by now.</exception>
    /// <exception cref="SocketException">It can't be connected to, or is no source's host.</exception>
    public async Task<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var host = target.Host.TrimEnd('.');
        var source = Hosts.FirstOrDefault(one =>
            one.Port == target.Port && HostOf(one).Trim('[', ']').Equals(host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase)
        ) ?? throw new SocketException((int)SocketError.AccessDenied);
        var addresses = await lookUp(HostOf(source), cancellationToken);
        if (addresses.Count == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        Check(source, addresses);
        return await TcpConnection.OpenAsync([.. addresses.Select(one => one.Address)], target.Port, cancellationToken);
    }

    private void Check(Uri source, IReadOnlyList<HostAddress> addresses)
    {
        var host = HostOf(source);
        if (
            IsNamed(host, source.Port)
            || addresses.FirstOrDefault(one => one.IsInner)?.Address is not { } inner
            || PackageSources.IsOfMachine(source)
        )
            return;
        var where = Equals(inner.ToString(), host.Trim('[', ']')) ? "its address is" : $"its host has the address {inner}, which is";
        throw new ImagePublishException(
            DiagnosticCodes.PackageSourceRefused,
            $"A package source of the base image '{Text.Sanitize(sources.BaseImage!)}' is refused, "
                + $"'{Text.Sanitize(source.AbsoluteUri)}': {where} private or local. "
                + $"If it is your own mirror, trust it: ImagePackageSourceHosts={host}. Else name the package sources to "
                + "use in ImagePackageSource."
        );
    }

    private static string HostOf(Uri source) => source.IdnHost.TrimEnd('.');

    private bool IsNamed(string host, int port)
    {
        string[] names = [host, FormattableString.Invariant($"{host}:{port}")];
        return trusted.Any(name => names.Contains(name.Trim('[', ']'), StringComparer.OrdinalIgnoreCase));
    }
}

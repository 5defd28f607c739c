using System.Net;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Model;

/// <summary>Finds an address of a host that only this machine or its network can reach.</summary>
/// <returns>The address; null where there is none, or where the name can't be looked up here, as behind a proxy.</returns>
internal delegate Task<IPAddress?> FindInnerAddress(string host, CancellationToken cancellationToken);

/// <summary>How packages are fetched where apt does not do it.</summary>
internal sealed record PackageNetwork(FileDownload Download, FindInnerAddress FindInnerAddress);

/// <summary>Lets a base image's package sources be asked only where everybody could ask: the image's author must not reach services of this
/// machine or its network.</summary>
/// <remarks>apt looks names up once more when it connects, so a name whose answers change in between is not caught here.</remarks>
internal sealed class SourceGuard(PackageSources sources, IReadOnlyList<string> trusted, FindInnerAddress find)
{
    /// <exception cref="ImagePublishException"><c>IMG6012</c>: one is inside.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (sources.BaseImage is not { } image)
            return;
        foreach (var source in sources.Addresses.Select(address => new Uri(address)).DistinctBy(address => address.Authority))
        {
            var host = source.IdnHost.TrimEnd('.');
            if (IsNamed(host, source.Port) || await find(host, cancellationToken) is not { } inner || PackageSources.IsOfMachine(source))
                continue;
            var where = Equals(inner.ToString(), host.Trim('[', ']')) ? "its address is" : $"its host has the address {inner},";
            throw new ImagePublishException(
                DiagnosticCodes.PackageSourceRefused,
                $"A package source of the base image '{Text.Sanitize(image)}' is refused, "
                    + $"'{Text.Sanitize(source.AbsoluteUri)}': {where} inside this machine or network. "
                    + $"If it is your own mirror, trust it: ImagePackageSourceHosts={host}. Else name the package sources to "
                    + "use in ImagePackageSource."
            );
        }
    }

    private bool IsNamed(string host, int port)
    {
        string[] names = [host, FormattableString.Invariant($"{host}:{port}")];
        return trusted.Any(name => names.Contains(name.Trim('[', ']'), StringComparer.OrdinalIgnoreCase));
    }
}

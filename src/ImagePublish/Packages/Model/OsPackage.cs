using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Model;

/// <summary>One Debian package, exactly: what a lock file pins.</summary>
internal sealed record OsPackage(string Name, string Version, string Architecture, string Path, long Size, Digest Digest)
{
    /// <summary>The archive's whole address, where apt chose it; null for a package of a lock file.</summary>
    public string? Location { get; init; }

    public override string ToString() => Text.OneLine($"{Name} {Version}");
}

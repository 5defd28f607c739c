using ImagePublish.Oci;

namespace ImagePublish.Packages;

/// <summary>One Debian package, exactly: what a lock file pins.</summary>
/// <param name="Name">Its name, such as <c>tzdata</c>.</param>
/// <param name="Version">Its Debian version.</param>
/// <param name="Architecture">Its Debian architecture, such as <c>amd64</c> or <c>all</c>.</param>
/// <param name="Path">Where its archive is in its source: the same in every mirror.</param>
/// <param name="Size">The archive's length in bytes.</param>
/// <param name="Digest">The archive's SHA-256, from a signed index.</param>
public sealed record OsPackage(string Name, string Version, string Architecture, string Path, long Size, Digest Digest)
{
    /// <summary>The archive's whole address, where apt chose it; null for a package of a lock file.</summary>
    public string? Location { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Text.OneLine($"{Name} {Version}");
}

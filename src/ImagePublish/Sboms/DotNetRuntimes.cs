using ImagePublish.Common;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Sboms;

/// <summary>The .NET runtimes of a base image, named as the advisories about them name them.</summary>
internal static class DotNetRuntimes
{
    private static readonly string[] Roots = ["usr/share/dotnet/", "usr/lib/dotnet/", "dotnet/", "Files/Program Files/dotnet/"];

    private const string Core = "Microsoft.NETCore.App";

    /// <summary>The runtime that a file of a base image is from; null where it is from none.</summary>
    public static Component? OwnerOf(string path, Platform platform, BaseFileSystem files)
    {
        if (Roots.FirstOrDefault(root => path.StartsWith(root, StringComparison.Ordinal)) is not { } root)
            return null;
        if (path[root.Length..].Split('/') is ["shared", var framework, var version, _, ..] && IsName(framework) && IsName(version))
            return Describe(framework, version, platform, IsMusl(files));
        // The host is part of the newest runtime's package on every system.
        return VersionsOf(files, root).Max() is { } newest ? Describe(Core, newest.Text, platform, IsMusl(files)) : null;
    }

    private static Component Describe(string framework, string version, Platform platform, bool isMusl)
    {
        var name = $"{framework}.Runtime.{SystemOf(platform)}-{(isMusl ? "musl-" : "")}{ArchitectureOf(platform)}";
        return new Component(ComponentKind.Runtime, name, version) { Purl = PackageUrl.NuGet(name, version) };
    }

    private static IEnumerable<KnownVersion> VersionsOf(BaseFileSystem files, string root) =>
        files
            .Below(root + "shared/" + Core)
            .Where(below => !below.Path.Contains('/', StringComparison.Ordinal) && IsName(below.Path))
            .Select(below => new KnownVersion(below.Path));

    private static bool IsMusl(BaseFileSystem files) =>
        files.Find("lib/apk/db/installed") is not null || files.Find("etc/alpine-release") is not null;

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 100 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '+');

    private static string SystemOf(Platform platform) => platform.Os == "windows" ? "win" : platform.Os;

    private static string ArchitectureOf(Platform platform) =>
        platform.Architecture switch
        {
            "amd64" => "x64",
            "386" => "x86",
            var other => other,
        };

    private sealed record KnownVersion(string Text) : IComparable<KnownVersion>
    {
        private readonly (Version Number, bool IsStable) order = (
            Version.TryParse(Text.Split('-')[0], out var number) ? number : new Version(0, 0),
            !Text.Contains('-', StringComparison.Ordinal)
        );

        public int CompareTo(KnownVersion? other)
        {
            var byNumber = other is null ? 1 : order.CompareTo(other.order);
            return byNumber != 0 ? byNumber : string.CompareOrdinal(Text, other!.Text);
        }
    }
}

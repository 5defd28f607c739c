using System.Diagnostics.CodeAnalysis;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>What a key in docker's or podman's file stands for: a registry, or a part of one.</summary>
internal sealed record AuthKey(Registry Registry, string Path)
{
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <summary>How docker writes a registry.</summary>
    public static string GetKey(Registry registry) => registry == Registry.DockerHub ? DockerHubKey : registry.Host;

    /// <summary>Reads a key in any of the spellings that clients have written over the years.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuthKey? key)
    {
        key = null;
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        var isUrl = separator >= 0;
        var rest = isUrl ? text[(separator + 3)..] : text;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : rest[(slash + 1)..].TrimEnd('/');
        // A URL's path is the API's version, as is that of an old key without a scheme.
        if (isUrl || path is "v1" or "v2")
            path = "";
        if (!Registry.TryParse(slash < 0 ? rest : rest[..slash], out var registry))
            return false;
        key = new AuthKey(registry, path);
        return true;
    }

    /// <summary>Whether it stands for a repository of a registry, or for the whole registry.</summary>
    public bool Covers(Registry registry, string? repository) =>
        Registry == registry
        && (
            Path.Length == 0
            || (repository is not null && (repository == Path || repository.StartsWith(Path + "/", StringComparison.Ordinal)))
        );
}

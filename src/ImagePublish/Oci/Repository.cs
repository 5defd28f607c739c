using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A repository of a registry, such as <c>ghcr.io/acme/shop</c>. Valid by construction.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests">distribution-spec, Pulling
/// manifests</see>.
/// </remarks>
internal sealed partial record Repository
{
    /// <summary>The most characters that registry and name may have together.</summary>
    public const int MaxLength = 255;

    private Repository(Registry registry, string name) => (Registry, Name) = (registry, name);

    public Registry Registry { get; }

    /// <summary>Its name in the registry, <c>acme/shop</c>; on Docker Hub with <c>library/</c> where it has no namespace.</summary>
    public string Name { get; }

    /// <exception cref="ImagePublishException"><c>IMG1005</c>: the name is malformed.</exception>
    public static Repository Create(Registry registry, string name) =>
        TryOf(registry, name, out var repository)
            ? repository
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidRepository,
                $"'{Text.Sanitize(name)}' is not a repository name: expected lower-case letters, digits and single . _ - "
                    + $"between them, in parts divided by /, at most {MaxLength} characters."
            );

    public static bool TryOf(Registry registry, string? name, [NotNullWhen(true)] out Repository? repository)
    {
        repository = null;
        if (name is null || registry.Host.Length + 1 + name.Length > MaxLength || !NamePattern().IsMatch(name))
            return false;
        var isOfficial = registry == Registry.DockerHub && !name.Contains('/', StringComparison.Ordinal);
        repository = new Repository(registry, isOfficial ? "library/" + name : name);
        return true;
    }

    public Reference ReferenceTo(Tag tag) => new(this, tag, null);

    public Reference ReferenceTo(Digest digest) => new(this, null, digest);

    public override string ToString() => $"{Registry}/{Name}";

    [GeneratedRegex(@"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex NamePattern();
}

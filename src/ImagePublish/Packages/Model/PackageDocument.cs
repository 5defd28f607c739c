using System.Text.Json.Serialization;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Model;

/// <summary>Packages as JSON, in lock files and in the cache of what apt chose.</summary>
internal sealed record PackageDocument
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required string Architecture { get; init; }

    public required string Path { get; init; }

    public required long Size { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>Its whole address; never in a lock file, which is for all machines.</summary>
    public string? Location { get; init; }

    public static PackageDocument Create(OsPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        return new PackageDocument
        {
            Name = package.Name,
            Version = package.Version,
            Architecture = package.Architecture,
            Path = package.Path,
            Size = package.Size,
            Sha256 = package.Digest.Hex,
        };
    }

    public OsPackage? ToPackage() =>
        Name.Length > 0 && Size > 0 && PackageSources.IsPath(Path) && Digest.TryParse("sha256:" + Sha256, out var digest)
            ? new OsPackage(Name, Version, Architecture, Path, Size, digest) { Location = Location }
            : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true
)]
[JsonSerializable(typeof(IReadOnlyList<PackageDocument>))]
internal sealed partial class PackageJsonContext : JsonSerializerContext;

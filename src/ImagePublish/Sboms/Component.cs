using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Sboms;

internal enum ComponentKind
{
    Image,
    BaseImage,
    OtherImage,
    OperatingSystem,
    SystemPackage,
    Application,
    Project,
    Runtime,
    Package,
}

/// <summary>Something that an image is made of.</summary>
internal sealed record Component(ComponentKind Kind, string Name, string? Version)
{
    public string? Purl { get; init; }

    public License License { get; init; } = License.Unknown;

    public string? Supplier { get; init; }

    public string? Copyright { get; init; }

    public string? Homepage { get; init; }

    /// <summary>How it was made, such as the source package of a package of the system.</summary>
    public string? Source { get; init; }

    /// <summary>The hash of its package or manifest.</summary>
    public (string Algorithm, string Hex)? Hash { get; init; }

    /// <summary>What it is, in one line: the same for the same component.</summary>
    public string Key { get; } = $"{Kind} {Name} {Version}";
}

/// <summary>A licence: an expression that SPDX knows, a text of its own, or neither.</summary>
/// <param name="Expression">A valid expression; null where there is none.</param>
/// <param name="Text">The text of a licence that has no identifier.</param>
internal sealed record License(string? Expression, string? Text)
{
    public static License Unknown { get; } = new(null, null);
}

internal enum RelationKind
{
    Contains,
    DependsOn,
    DescendantOf,
}

internal sealed record Relation(Component From, RelationKind Kind, Component To);

/// <summary>A file of an image with the layer that it is in and what it belongs to.</summary>
internal sealed record ComponentFile(string Path, FileHashes Hashes, Digest Layer, Component Owner);

/// <summary>A bill of materials, independent of its form. Everything in it has one order.</summary>
internal sealed record Bom
{
    public required string Name { get; init; }

    public required Digest Digest { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required Component Image { get; init; }

    /// <summary>Everything besides the image, the files and the relations.</summary>
    public required IReadOnlyList<Component> Components { get; init; }

    public required IReadOnlyList<ComponentFile> Files { get; init; }

    public required IReadOnlyList<Relation> Relations { get; init; }
}

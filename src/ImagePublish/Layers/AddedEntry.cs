using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>A file, directory or link that the user puts into the image besides the publish output.</summary>
internal sealed record AddedEntry(ItemSource Item, LayerEntryKind Kind, string Path)
{
    /// <summary>Permissions; null for those of its kind, or those that the base's directory has.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Whose it is; null for the app's owner in the working directory and root elsewhere, or whose the base's directory is.</summary>
    public FileOwner? Owner { get; init; }

    /// <summary>The layer of its own that it goes to, by name; null for the usual one.</summary>
    public string? Layer { get; init; }

    /// <summary>The file on the build machine; null for everything else.</summary>
    public string? SourceFile { get; init; }

    /// <summary>Whether that file is of a NuGet package, whose execute bits mean nothing.</summary>
    public bool IsFromPackage { get; init; }

    /// <summary>What a link points at; null for everything else.</summary>
    public string? LinkTarget { get; init; }
}

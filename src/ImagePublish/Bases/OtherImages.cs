using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Trust;

namespace ImagePublish.Bases;

/// <summary>A file or folder of another image that goes into the image, as an item asks for it.</summary>
/// <param name="Path">Where it is in the other image, without a leading <c>/</c>; empty for all of it.</param>
internal sealed record FilesOfImage(ItemSource Item, ImageSource From, string Path)
{
    /// <summary>Where it goes, without a leading <c>/</c>; null for the path that it has in the other image.</summary>
    public string? Target { get; init; }

    /// <summary>Whether a file goes into <see cref="Target"/> under its own name. What is in a folder does so anyway.</summary>
    public bool IsIntoTarget { get; init; }

    /// <summary>Permissions of files; null for those that they have in the other image. Folders keep theirs.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Whose all of it is; null for whose it is in the other image.</summary>
    public FileOwner? Owner { get; init; }

    /// <summary>The layer that it goes to, by name; null for one of the other image's name.</summary>
    public string? Layer { get; init; }

    /// <summary>Whether that layer is above the app's.</summary>
    public bool IsOnTop { get; init; }

    /// <summary>Who must have signed the image; null if that does not matter.</summary>
    public TrustPolicy? Trust { get; init; }
}

/// <summary>All layers of another image on top of the base, as an item asks for them.</summary>
internal sealed record LayersOfImage(ItemSource Item, ImageSource From)
{
    /// <summary>Who must have signed the image; null if that does not matter.</summary>
    public TrustPolicy? Trust { get; init; }
}

/// <summary>What an image takes from other images than its base.</summary>
/// <param name="Layers">Layers that are put on the base, from the bottom up.</param>
internal sealed record OtherImages(IReadOnlyList<FilesOfImage> Files, IReadOnlyList<LayersOfImage> Layers)
{
    public static OtherImages None { get; } = new([], []);

    /// <summary>The images, each once.</summary>
    public IReadOnlyList<ImageSource> Sources =>
        [.. Layers.Select(layers => layers.From).Concat(Files.Select(files => files.From)).Distinct()];

    public ItemSource ItemOf(ImageSource source) =>
        Layers.FirstOrDefault(layers => layers.From == source)?.Item ?? Files.First(files => files.From == source).Item;

    /// <summary>What the items want of who signed an image, each with an item that wants it.</summary>
    public IEnumerable<(ItemSource Item, TrustPolicy Trust)> TrustIn(ImageSource source)
    {
        var wanted = Layers
            .Where(layers => layers.From == source)
            .Select(layers => (layers.Item, layers.Trust))
            .Concat(Files.Where(files => files.From == source).Select(files => (files.Item, files.Trust)));
        foreach (var (item, trust) in wanted.DistinctBy(one => one.Trust?.Id))
        {
            if (trust is not null)
                yield return (item, trust);
        }
    }

    public OtherImages Replace(Func<ImageSource, ImageSource> replace) =>
        new(
            [.. Files.Select(files => files with { From = replace(files.From) })],
            [.. Layers.Select(layers => layers with { From = replace(layers.From) })]
        );
}

/// <summary>The images that an image is made of.</summary>
/// <param name="Original">The base image alone.</param>
/// <param name="Base">The base image with the layers of others on top of it.</param>
/// <param name="Others">The images besides the base that something is taken from.</param>
internal sealed record ResolvedImages(BaseImage Original, BaseImage Base, IReadOnlyDictionary<ImageSource, BaseImage> Others);

/// <summary>What an image is used for, which decides what errors say of it.</summary>
internal sealed record ImageRole(string Noun, string Advice, ItemSource? Item)
{
    public required DiagnosticCode NotFound { get; init; }

    public required DiagnosticCode PlatformMissing { get; init; }

    public required DiagnosticCode Invalid { get; init; }

    public static ImageRole Base { get; } =
        new("base image", "or set ImageBase to another one", Item: null)
        {
            NotFound = DiagnosticCodes.BaseNotFound,
            PlatformMissing = DiagnosticCodes.BasePlatformMissing,
            Invalid = DiagnosticCodes.BaseInvalid,
        };

    /// <summary>The image that an item takes files or layers from.</summary>
    public static ImageRole SourceOf(ItemSource item) =>
        new("image", "or name another image", item)
        {
            NotFound = DiagnosticCodes.OtherImageNotFound,
            PlatformMissing = DiagnosticCodes.OtherImagePlatformMissing,
            Invalid = DiagnosticCodes.OtherImageInvalid,
        };

    /// <summary>A failure of the image.</summary>
    /// <param name="predicate">What is wrong with it, after its name.</param>
    public ImagePublishException Fail(DiagnosticCode code, string name, string predicate, Exception? cause = null)
    {
        var subject = Item is null ? $"The {Noun}" : $"{Item} can't be used: the {Noun}";
        return new ImagePublishException(code, $"{subject} '{Text.Sanitize(name)}' {predicate}", cause) { Item = Item };
    }
}

using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>
/// Files of packages for other platforms than the image's: an app that is published without a runtime identifier has all of them.
/// </summary>
internal static class OtherPlatformFiles
{
    private const string Folder = "runtimes/";

    public static long LengthOfNew(Image image, IReadOnlyCollection<LayerInput> contents) =>
        contents
            .Zip(image.Layers.Skip(image.Layers.Count - contents.Count))
            .Where(pair => pair.Second.IsNew)
            .SelectMany(pair => pair.First.Entries)
            .Where(entry => IsForeign(entry.PublishPath, image.Platform))
            .Sum(entry => entry.Content?.Length ?? 0);

    private static bool IsForeign(string? path, Platform platform) =>
        path is not null
        && path.StartsWith(Folder, StringComparison.Ordinal)
        && RuntimeIdentifier.IsForeign(path[Folder.Length..].Split('/')[0], platform);
}

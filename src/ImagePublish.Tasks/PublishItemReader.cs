using ImagePublish.Layers;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads from the SDK's publish items where each published file comes from.</summary>
internal static class PublishItemReader
{
    public static IReadOnlyCollection<PublishItem> Read(ITaskItem[] items, SourceFolders folders) =>
        [.. items.Select(item => Read(item, folders)).Where(item => item.RelativePath.Length > 0)];

    /// <summary>Reads where a package's file will be published, before it is.</summary>
    public static PublishItem ReadAsset(ITaskItem item)
    {
        var place = InputParser.Optional(item.GetMetadata("DestinationSubPath"))
            ?? item.GetMetadata("DestinationSubDirectory") + item.GetMetadata("Filename") + item.GetMetadata("Extension");
        return new PublishItem(place, Origin(item, RelativePath(item)))
        {
            Package = InputParser.Optional(item.GetMetadata("NuGetPackageId")),
        };
    }

    private static PublishItem Read(ITaskItem item, SourceFolders folders)
    {
        var path = RelativePath(item);
        var known = new PublishItem(path, Origin(item, path)) { Package = InputParser.Optional(item.GetMetadata("NuGetPackageId")) };
        if (known.Origin != PublishItemOrigin.App)
            return known;
        var file = item.GetMetadata("FullPath");
        return folders.PackageOf(file) is var (id, version)
            ? known with
            {
                Origin = OriginOf(version),
                Package = id,
            }
            : known with
            {
                Origin = folders.IsBuilt(file) ? PublishItemOrigin.App : PublishItemOrigin.Content,
            };
    }

    private static string RelativePath(ITaskItem item) => item.GetMetadata("RelativePath");

    private static PublishItemOrigin Origin(ITaskItem item, string path)
    {
        if (path.Replace('\\', '/').StartsWith("wwwroot/", StringComparison.OrdinalIgnoreCase))
            return PublishItemOrigin.StaticContent;
        if (item.GetMetadata("RuntimePackAlwaysCopyLocal").Length > 0 || IsRuntimePack(item.GetMetadata("NuGetPackageId")))
            return PublishItemOrigin.Runtime;
        if (item.GetMetadata("NuGetPackageVersion") is { Length: > 0 } version)
            return OriginOf(version);
        return item.GetMetadata("ReferenceSourceTarget") == "ProjectReference" || item.GetMetadata("MSBuildSourceProjectFile").Length > 0
            ? PublishItemOrigin.Project
            : PublishItemOrigin.App;
    }

    private static PublishItemOrigin OriginOf(string version) =>
        version.Contains('-', StringComparison.Ordinal) ? PublishItemOrigin.PrereleasePackage : PublishItemOrigin.Package;

    private static bool IsRuntimePack(string packageId) =>
        packageId.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase)
        && packageId.Contains(".App.Runtime.", StringComparison.OrdinalIgnoreCase);
}

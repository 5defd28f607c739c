using ImagePublish.Layers;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads from the SDK's publish items where each published file comes from.</summary>
internal static class PublishItemReader
{
    /// <summary>Reads them.</summary>
    /// <param name="items">The items <c>ResolvedFileToPublish</c>.</param>
    /// <returns>The files that are not simply the app's own.</returns>
    public static IReadOnlyCollection<PublishItem> Read(ITaskItem[] items) =>
        [.. items.Select(item => new PublishItem(RelativePath(item), Origin(item)) { Package = Lists.Optional(item.GetMetadata("NuGetPackageId")) }).Where(item => item.RelativePath.Length > 0)];

    /// <summary>Reads where a package's file will be published, before it is.</summary>
    /// <param name="item">The package's file, as <c>ResolvePackageAssets</c> tells of it.</param>
    /// <returns>What its publish item will say.</returns>
    public static PublishItem ReadAsset(ITaskItem item)
    {
        var place = Lists.Optional(item.GetMetadata("DestinationSubPath")) ?? item.GetMetadata("DestinationSubDirectory") + item.GetMetadata("Filename") + item.GetMetadata("Extension");
        return new PublishItem(place, Origin(item)) { Package = Lists.Optional(item.GetMetadata("NuGetPackageId")) };
    }

    private static string RelativePath(ITaskItem item) => item.GetMetadata("RelativePath");

    private static PublishItemOrigin Origin(ITaskItem item)
    {
        if (RelativePath(item).Replace('\\', '/').StartsWith("wwwroot/", StringComparison.OrdinalIgnoreCase))
            return PublishItemOrigin.StaticContent;
        if (item.GetMetadata("RuntimePackAlwaysCopyLocal").Length > 0 || IsRuntimePack(item.GetMetadata("NuGetPackageId")))
            return PublishItemOrigin.Runtime;
        if (item.GetMetadata("NuGetPackageVersion") is { Length: > 0 } version)
            return version.Contains('-', StringComparison.Ordinal) ? PublishItemOrigin.PrereleasePackage : PublishItemOrigin.Package;
        return item.GetMetadata("ReferenceSourceTarget") == "ProjectReference" || item.GetMetadata("MSBuildSourceProjectFile").Length > 0
            ? PublishItemOrigin.Project
            : PublishItemOrigin.App;
    }

    private static bool IsRuntimePack(string packageId) =>
        packageId.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase) && packageId.Contains(".App.Runtime.", StringComparison.OrdinalIgnoreCase);
}

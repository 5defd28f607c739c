using ImagePublish.Diagnostics;

namespace ImagePublish.Sboms;

/// <summary>What NuGet knows of a project's packages: it is read beside the rest of a publish, which does not need it.</summary>
internal sealed record SbomFacts(PackageGraph Graph, NuGetPackages Packages)
{
    public static SbomFacts Read(SbomRequest request, IPublishLog log)
    {
        var packages = new NuGetPackages(request.PackageFolders, log);
        foreach (var source in request.Sources)
        {
            if (source.Package is { } package)
                packages.Describe(package);
        }

        return new SbomFacts(PackageGraph.Read(request.Graph, log), packages);
    }
}

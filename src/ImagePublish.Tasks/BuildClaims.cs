using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What the projects of a build claim for themselves.</summary>
internal static class BuildClaims
{
    // Only the projects of a solution are known to be of one build, in whatever process.
    public static NameClaims Find(IBuildEngine4 engine)
    {
        var solution = engine is IBuildEngine6 build && build.GetGlobalProperties().TryGetValue("SolutionPath", out var path) ? path : null;
        return BuildObjects.GetOrAdd(engine, "", () => new NameClaims(solution is null ? null : StoreFolder.Claims, solution ?? ""));
    }
}

using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Reproducing;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reports whether a build made the image that it was compared with, and if not, why.</summary>
public sealed class ReproduceImage : CommandTask
{
    /// <summary>Where the tasks of this command hand documents to each other.</summary>
    public string Folder { get; set; } = "";

    private protected override Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var folder = new ReproductionFolder(FullPath(Folder));
        var plan = folder.ReadPlan();
        var platforms = folder.ReadPlatforms();
        if (platforms.Count == 0)
            throw NamedImage.NotComparable(plan.Name, "the build made no image", "Publish the project once to see why");
        var index = folder.ReadIndex();
        var comparison = new ComparedImage(plan, platforms, index is null ? null : Digest.Compute(index).ToString())
        {
            IndexNotes = folder.ReadNamed() is { } named
                ? IndexExplainer.Explain(named, index, [.. platforms.Select(platform => platform.Digest)])
                : [],
        };
        Report(log, ReproductionTables.Of(comparison));
        Items = [.. platforms.Select(platform => ItemOf(comparison, platform))];
        if (!comparison.IsEqual)
            Failure = new ImagePublishException(
                DiagnosticCodes.NotReproduced,
                $"'{Text.Sanitize(plan.Name)}' is not what this build makes: {ReproductionTables.Likeliest(comparison)}"
            );
        return Task.CompletedTask;
    }

    private static CommandItem ItemOf(ComparedImage image, PlatformReproduction platform)
    {
        var cause = platform.Likeliest;
        return CommandItem.Create(
            image.Plan.Name,
            ("State", platform.IsEqual ? "Equal" : "Different"),
            ("Platform", platform.Platform),
            ("Digest", image.Plan.Digest),
            ("PlatformDigest", platform.Digest),
            ("RebuiltDigest", image.Index ?? platform.RebuiltDigest),
            ("RebuiltPlatformDigest", platform.RebuiltDigest),
            ("Base", platform.Base),
            ("Commit", image.Plan.Head),
            ("Sdk", image.Plan.Sdk),
            ("Cause", cause?.Kind.ToString()),
            ("Reason", cause?.Text),
            ("Advice", cause?.Advice),
            ("Causes", new JsonText(ReproductionJson.Write(platform.Causes))),
            ("Differences", new JsonText(ReproductionJson.Write(platform.Differences)))
        );
    }
}

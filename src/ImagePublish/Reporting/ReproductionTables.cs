using System.Globalization;
using ImagePublish.Oci;
using ImagePublish.Reproducing;

namespace ImagePublish.Reporting;

/// <summary>A comparison of an image with a build, for people: the outcome, its likeliest cause, then everything that differs.</summary>
internal static class ReproductionTables
{
    private const int MaxDifferences = 20;
    private const int MaxCauses = 6;

    /// <summary>The likeliest cause, and what to do; it begins in the middle of a sentence.</summary>
    public static string Likeliest(ComparedImage image) =>
        CausesOf(image).FirstOrDefault() is { } cause ? $"{cause.Text}. {cause.Advice}." : "no cause was found.";

    public static IEnumerable<string> Of(ComparedImage image)
    {
        yield return image switch
        {
            { IsSameDigest: true } => $"Reproduced {Name(image)}: the same digest",
            { IsEqual: true } => $"Reproduced {Name(image)}: the same image for each platform",
            _ => $"Not reproduced: {Likeliest(image)}",
        };
        yield return $"  {image.Plan.Digest}";
        foreach (var platform in image.Platforms)
            yield return platform.IsEqual
                ? $"  {platform.Platform}: {platform.Digest}, on {platform.Base}"
                : $"  {platform.Platform}: {Short(platform.Digest)} in the image, {Short(platform.RebuiltDigest)} here, on {platform.Base}";
        foreach (var note in image is { IsEqual: true, IsSameDigest: false } ? image.IndexNotes : [])
            yield return $"  {note}";
        if (image.Platforms.SelectMany(platform => platform.Variants).Distinct().ToList() is { Count: > 0 } variants)
            yield return $"  Its variants are not compared: {Common.Text.Sanitize(string.Join(", ", variants))}.";
        var commit = image.Plan.Head is { } head ? $"commit {head}" : "no commit";
        yield return $"  built here: {commit}{Changes(image.Plan)}, .NET SDK {image.Plan.Sdk}";
        if (image.IsEqual)
            yield break;
        foreach (var line in Differences(image))
            yield return line;
        foreach (var line in OtherCauses(image))
            yield return line;
    }

    private static string Name(ComparedImage image) => Common.Text.Sanitize(image.Plan.Name);

    private static string Changes(ReproductionPlan plan) =>
        plan.Changed.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" with {plan.Changed.Count} changed files");

    // What explains one platform most often explains the others.
    private static IEnumerable<Cause> CausesOf(ComparedImage image) =>
        image.Platforms.SelectMany(platform => platform.Causes).OrderBy(cause => cause.Kind).DistinctBy(cause => cause.Kind);

    private static IEnumerable<string> Differences(ComparedImage image)
    {
        // Assemblies are the same for all platforms.
        var shown = new HashSet<Difference>();
        foreach (var platform in image.Platforms)
        {
            var differences = platform.Differences.Where(shown.Add).ToList();
            var prefix = image.Platforms.Count > 1 ? $"{platform.Platform}: " : "";
            foreach (var one in differences.Take(MaxDifferences))
                yield return $"    {prefix}{one.Place}: {(one.Name is null ? "" : $"{one.Name}: ")}{one.Text}";
            if (differences.Count > MaxDifferences)
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"    {prefix}{differences.Count - MaxDifferences} more differences are in the JSON"
                );
        }
    }

    private static IEnumerable<string> OtherCauses(ComparedImage image)
    {
        var others = CausesOf(image).Skip(1).ToList();
        if (others.Count > 0)
            yield return "  Also, perhaps as a consequence:";
        foreach (var cause in others.Take(MaxCauses))
            yield return $"    {cause.Text}";
    }

    private static string Short(string digest) => Digest.TryParse(digest, out var parsed) ? ImageTables.Short(parsed) : digest;
}

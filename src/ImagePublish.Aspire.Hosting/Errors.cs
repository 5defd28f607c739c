using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace ImagePublish.AppHost;

/// <summary>The errors of this package, explained in <c>docs/troubleshooting.md</c>.</summary>
internal static class Errors
{
    public static DistributedApplicationException Unsupported(IResource resource, string what, string advice) =>
        new($"error IMG1042: UseImagePublish can't publish '{resource.Name}', which {what}. {advice}");

    /// <param name="images">What was to be published.</param>
    /// <param name="errors">The errors that the build shows.</param>
    /// <param name="exitCode">What the build ended with.</param>
    public static DistributedApplicationException Failed(IEnumerable<ProjectImage> images, IReadOnlyList<string> errors, int exitCode)
    {
        var different = errors.Distinct(StringComparer.Ordinal).ToList();
        var first = different.FirstOrDefault() ?? $"dotnet ended with {exitCode}. See its output above.";
        var more = different.Count > 1 ? $" ({different.Count - 1} more above)" : "";
        // An error of ImagePublish.Tasks says all there is to say.
        if (first.StartsWith("IMG", StringComparison.Ordinal))
            return new($"error {first}{more}");
        var names = string.Join(", ", images.Select(image => $"'{image.Resource.Name}'"));
        return new($"error IMG1044: The build of {names} failed: {first}{more}");
    }
}

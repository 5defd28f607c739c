using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Policies;

/// <summary>What an image must be like: its base, labels, user and size.</summary>
internal sealed class ImagePolicy(PolicyRequest policy)
{
    private const int MaxListed = 3;

    /// <summary>The base by the names that it goes by: with its tag or digest, and without.</summary>
    public IEnumerable<Finding> CheckBase(params IReadOnlyList<string> names)
    {
        if (policy.AllowedBases.Count == 0 || policy.AllowedBases.Any(pattern => names.Any(name => Wildcard.IsMatch(pattern, name))))
            yield break;
        yield return new Finding(
            DiagnosticCodes.BaseNotAllowed,
            $"The base image '{Text.Sanitize(names[0])}' is not one of those that ImageAllowedBases allows: "
                + $"{Text.Sanitize(string.Join(", ", policy.AllowedBases))}. Set ImageBase to one of them."
        );
    }

    /// <summary>What the image's config says of it.</summary>
    public IEnumerable<Finding> CheckConfig(ImageConfig config)
    {
        var labels = config.Config?.Labels;
        var missing = policy
            .RequiredLabels.Where(name => labels is null || !labels.TryGetValue(name, out var value) || string.IsNullOrWhiteSpace(value))
            .ToList();
        if (missing.Count > 0)
            yield return new Finding(
                DiagnosticCodes.LabelMissing,
                $"The image has no label {Text.Sanitize(string.Join(", ", missing))}, which ImageRequiredLabels asks for. Add it: "
                    + $"<ImageLabel Include=\"{Text.Sanitize(missing[0])}\" Value=\"…\" />, or set the property of the project "
                    + "that it comes from."
            );
        if (policy.RequiresNonRoot && IsRoot(config.Config?.User, config.Os))
            yield return new Finding(
                DiagnosticCodes.RunsAsRoot,
                (
                    string.IsNullOrEmpty(config.Config?.User)
                        ? "The image names no user, so that the app runs as root"
                        : $"The app runs as '{Text.Sanitize(config.Config.User)}', which has all rights in the container"
                )
                    + ", and ImageRequireNonRoot is true. Set ImageUser to a user without rights, such as "
                    + (config.Os == "windows" ? "ContainerUser." : "1654.")
            );
    }

    public IEnumerable<Finding> CheckSize(Image image, IReadOnlyList<(string Name, long Size)> layers)
    {
        if (policy.MaxSize is { } limit && image.Size > limit)
            yield return new Finding(
                DiagnosticCodes.ImageTooLarge,
                $"The image has {Megabytes(image.Size)}, and ImageMaxSize is {Megabytes(limit)}. Its largest layers: {Largest(layers)}. "
                    + "Publish with ImageReport to see their files."
            );
    }

    /// <param name="name">The image that the tag points at now.</param>
    public IEnumerable<Finding> CheckGrowth(Image image, string name, long before, IReadOnlyList<(string Name, long Size)> layers)
    {
        if (policy.MaxGrowth is { } limit && limit.IsExceeded(before, image.Size))
            yield return new Finding(
                DiagnosticCodes.ImageGrew,
                $"The image has {Megabytes(image.Size)}, {Megabytes(image.Size - before)} more than '{Text.Sanitize(name)}', and "
                    + $"ImageMaxGrowth is {(limit.Bytes is { } bytes ? Megabytes(bytes) : limit)}. Its largest layers: {Largest(layers)}. "
                    + "PlanImage lists the files that are new."
            );
    }

    private static string Largest(IReadOnlyList<(string Name, long Size)> layers) =>
        string.Join(
            ", ",
            layers
                .OrderByDescending(layer => layer.Size)
                .Take(MaxListed)
                .Select(layer => $"{Text.Sanitize(layer.Name)} {Megabytes(layer.Size)}")
        );

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    // A group after a colon changes nothing; numbers may be written with zeros.
    private static bool IsRoot(string? user, string? os)
    {
        var name = (user ?? "").Split(':')[0].Trim();
        if (os == "windows")
            return name.Length == 0 || name.Equals("ContainerAdministrator", StringComparison.OrdinalIgnoreCase);
        return name.Length == 0
            || name == "root"
            || (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id == 0);
    }
}

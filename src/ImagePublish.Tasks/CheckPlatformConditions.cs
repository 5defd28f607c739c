using System.Xml;
using System.Xml.Linq;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Warns of conditions on <c>RuntimeIdentifier</c> around image settings in a project whose platforms are all made of one portable publish:
/// the property is empty there.
/// Reads the project file alone, not what it imports.
/// </summary>
public sealed class CheckPlatformConditions : ImageTask
{
    private const string Reference = "$(RuntimeIdentifier";

    // The properties that differ by platform in both kinds of app.
    private static readonly string[] Alternatives = ["$(ImageRuntimeIdentifier", "$(ContainerRuntimeIdentifier"];

    /// <summary>The project.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>The runtime identifiers that share the publish.</summary>
    [Required]
    public string[] RuntimeIdentifiers { get; set; } = [];

    /// <summary>Finds elements whose condition asks for one of the platforms by <c>RuntimeIdentifier</c>.</summary>
    /// <param name="project">The project, with line numbers.</param>
    /// <param name="runtimeIdentifiers">The platforms.</param>
    /// <returns>The elements' lines.</returns>
    public static IEnumerable<int> FindLines(XDocument project, IReadOnlyList<string> runtimeIdentifiers)
    {
        var parts = runtimeIdentifiers.SelectMany(identifier => identifier.Split('-')).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return from element in project.Descendants()
            let condition = element.Attribute("Condition")?.Value
            where condition is not null && AsksForPlatform(condition, parts) && IsAboutImage(element)
            select ((IXmlLineInfo)element).LineNumber;
    }

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        XDocument project;
        await using (var file = File.OpenRead(FullPath(ProjectFile)))
            project = await XDocument.LoadAsync(file, LoadOptions.SetLineInfo, cancellationToken);

        var platforms = string.Join(", ", RuntimeIdentifiers);
        foreach (var line in FindLines(project, RuntimeIdentifiers).Distinct())
        {
            var message =
                $"RuntimeIdentifier is empty in this condition, since one portable publish is used for {platforms}. "
                + "Use $(ImageRuntimeIdentifier) in the condition, or put the platforms into RuntimeIdentifiers, which publishes "
                + "the app for each.";
            if (log.IsError(DiagnosticCodes.PlatformConditionIneffective))
                throw new ImagePublishException(DiagnosticCodes.PlatformConditionIneffective, $"{ProjectFile}({line}): {message}");
            ((TaskLog)log).Warning(DiagnosticCodes.PlatformConditionIneffective, message, ProjectFile, line);
        }
    }

    private static bool AsksForPlatform(string condition, HashSet<string> parts) =>
        condition.Contains(Reference, StringComparison.OrdinalIgnoreCase)
        && !Alternatives.Any(alternative => condition.Contains(alternative, StringComparison.OrdinalIgnoreCase))
        && condition.Split('\'', '-', '(', ')', '`', '"', ' ').Any(parts.Contains);

    private static bool IsAboutImage(XElement element) =>
        element
            .AncestorsAndSelf()
            .Concat(element.Descendants())
            .Any(one =>
                one.Name.LocalName.StartsWith("Image", StringComparison.Ordinal)
                || one.Name.LocalName.StartsWith("Container", StringComparison.Ordinal)
            );
}

using System.Xml;
using System.Xml.Linq;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>A setting of an image, and where its value comes from.</summary>
/// <param name="Source">In words, for a table.</param>
internal sealed record ExplainedSetting(string Name, string Value, string Source)
{
    public string? Property { get; init; }

    public string? File { get; init; }

    public int Line { get; init; }
}

/// <summary>Finds where properties and items of a project come from.</summary>
/// <remarks>
/// MSBuild keeps no origin of a property. The command line's are known; else the last file of the evaluation counts that sets the
/// property to its value, and of those that set it to something that refers to others, the last one.
/// </remarks>
internal sealed class SettingOrigins(string project, IReadOnlyList<string> imports, IReadOnlyCollection<string> given)
{
    private readonly Lazy<List<(string File, XElement Element)>> properties = new(() => Read(project, imports));

    public string SdkFolder { get; init; } = "";

    public IReadOnlyList<string> PackageFolders { get; init; } = [];

    public ExplainedSetting Find(string property, string value)
    {
        var none = new ExplainedSetting("", value, "") { Property = property };
        if (given.Contains(property, StringComparer.OrdinalIgnoreCase))
            return none with { Source = $"{property} of the command line" };
        var all = properties.Value.Where(one => one.Element.Name.LocalName.Equals(property, StringComparison.OrdinalIgnoreCase)).ToList();
        var exact = all.FindLastIndex(one => one.Element.Value.Trim() == value.Trim());
        var found = exact >= 0 ? exact : all.FindLastIndex(one => one.Element.Value.Contains('$', StringComparison.Ordinal));
        if (found < 0 && TaskEnvironment.Variable(property) is not null)
            return none with { Source = $"{property} of the environment" };
        if (found < 0)
            return none with { Source = $"{property}, set by a target or by the .NET SDK" };
        var (file, element) = all[found];
        return Located(none, file, ((IXmlLineInfo)element).LineNumber, property);
    }

    public ExplainedSetting Find(ItemSource item)
    {
        var setting = new ExplainedSetting("", item.Spec, item.Kind) { Property = item.Kind };
        return item.File is null ? setting : Located(setting, item.File, ItemLocations.Locate(item).Line, item.Kind);
    }

    private ExplainedSetting Located(ExplainedSetting setting, string file, int line, string what)
    {
        var place = line > 0 ? FormattableString.Invariant($"{Shown(file)}, line {line}") : Shown(file);
        return setting with { Source = $"{what} in {place}", File = file, Line = line };
    }

    private string Shown(string file)
    {
        if (IsBelow(file, SdkFolder))
            return $"the .NET SDK ({Path.GetFileName(file)})";
        if (PackageFolders.FirstOrDefault(folder => IsBelow(file, folder)) is { } packages)
            return $"the package {Path.GetRelativePath(packages, file).Replace('\\', '/').Split('/')[0]}";
        return Path.GetRelativePath(Path.GetDirectoryName(project)!, file).Replace('\\', '/');
    }

    private static bool IsBelow(string file, string folder) =>
        folder.Length > 0
        && file.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // In the order of the evaluation, as far as that is known: what is imported before the project's body is overwritten by it, and is
    // found first only where the project does not say it.
    private static List<(string File, XElement Element)> Read(string project, IReadOnlyList<string> imports)
    {
        var found = new List<(string File, XElement Element)>();
        foreach (var file in imports.Append(project).Distinct(StringComparer.Ordinal))
        {
            try
            {
                var document = XDocument.Load(file, LoadOptions.SetLineInfo);
                var groups = document.Descendants().Where(element => element.Name.LocalName == "PropertyGroup");
                found.AddRange(groups.Elements().Select(element => (file, element)));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
            {
                // Its properties are then said to come from elsewhere.
            }
        }

        return found;
    }
}

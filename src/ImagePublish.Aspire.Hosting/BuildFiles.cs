using System.Xml.Linq;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace ImagePublish.AppHost;

/// <summary>
/// What MSBuild is given: a project that restores and publishes all others. Names of images are not properties of that call: MSBuild hands
/// those on to referenced projects, each of which would be built once for every app, at the same time and into the same folder. A file of
/// targets, which every project reads, sets them in the project that they are for.
/// </summary>
internal sealed class BuildFiles(string folder, ImagePublishOptions options, IConfiguration environment)
{
    private const string CustomTargets = "CustomAfterMicrosoftCommonTargets";

    private static readonly string[] Switches = ["-nologo", "-verbosity:minimal", "-tl:off", "-nodeReuse:false"];

    private string TargetsFile => Path.Combine(folder, "Image.targets");

    /// <summary>Where the digest of an image will be.</summary>
    public string ResultOf(ProjectImage image) => Path.Combine(folder, $"{image.Resource.Name}.digest");

    /// <returns>
    /// The arguments of <c>dotnet</c>, and which images are made by them. One call for all projects that are for the same platforms: a
    /// project is restored for its platforms, and may have another resource for others. Apps of one file are for the .NET CLI alone.
    /// </returns>
    public IReadOnlyList<(IReadOnlyList<string> Arguments, IReadOnlyList<ProjectImage> Images)> Write(IReadOnlyList<ProjectImage> images)
    {
        var groups = images
            .Where(image => !image.Project.IsFileBasedApp)
            .GroupBy(image => string.Join(';', image.RuntimeIdentifiers))
            .Select(group => new ProjectGroup([.. group]))
            .ToList();
        var fileBased = images.Where(image => image.Project.IsFileBasedApp).ToList();
        var named = groups.SelectMany(group => group.Repeated).Concat(fileBased).ToHashSet();
        Save(ImageTargets.Create(images.Select(image => (image, ResultOf(image))), named, ReplacedTargets()), TargetsFile);
        return
        [
            .. groups.Index().Select(group => (Publish(group.Item, group.Index), group.Item.Images)),
            .. fileBased.Select(image => (PublishFile(image), (IReadOnlyList<ProjectImage>)[image])),
        ];
    }

    private IReadOnlyList<string> Publish(ProjectGroup group, int index)
    {
        var restore = Path.Combine(folder, $"Restore.{index}.proj");
        Save(Restore(group.Distinct), restore);
        var properties = PropertiesOf(group.Images[0]);
        var publish = MSBuild(group.Distinct.Select(image => image.Project.ProjectPath), ImageTargets.PublishTarget, properties);
        var again = group.Repeated.Select(image =>
            MSBuild([image.Project.ProjectPath], ImageTargets.PublishTarget, PropertiesOfNamed(image))
        );
        var file = Path.Combine(folder, $"Images.{index}.proj");
        Save(
            new XElement(
                "Project",
                new XAttribute("DefaultTargets", "PublishImages"),
                Target("Restore", MSBuild([restore], "Restore", properties)),
                Target("PublishImages", [publish, .. again])
            ),
            file
        );
        return ["msbuild", file, "-restore", "-maxCpuCount", .. Switches];
    }

    private IReadOnlyList<string> PublishFile(ProjectImage image) =>
        [
            "publish",
            image.Project.ProjectPath,
            $"-target:{ImageTargets.PublishTarget}",
            .. Switches,
            // In quotes, a list stays one.
            .. PropertiesOfNamed(image).Select(property => $"-property:{property.Name}=\"{EscapeList(property.Value)}\""),
        ];

    // NuGet restores all projects in one go, as it does those of a solution.
    private static XElement Restore(IEnumerable<ProjectImage> images) =>
        new(
            "Project",
            new XElement(
                "ItemGroup",
                images.Select(image => new XElement(
                    "RestoreGraphProjectInputItems",
                    new XAttribute("Include", Escape(image.Project.ProjectPath))
                ))
            ),
            new XElement("Import", new XAttribute("Project", "$(MSBuildToolsPath)/NuGet.targets"))
        );

    private static XElement Target(string name, params IEnumerable<XElement> tasks) => new("Target", new XAttribute("Name", name), tasks);

    private static XElement MSBuild(IEnumerable<string> projects, string target, IEnumerable<(string Name, string Value)> properties) =>
        new(
            "MSBuild",
            new XAttribute("Projects", string.Join(';', projects.Select(Escape))),
            new XAttribute("Targets", target),
            new XAttribute("BuildInParallel", "true"),
            new XAttribute("Properties", string.Join(';', properties.Select(property => $"{property.Name}={EscapeList(property.Value)}")))
        );

    private IEnumerable<(string Name, string Value)> PropertiesOfNamed(ProjectImage image) =>
        PropertiesOf(image).Append((ImageTargets.ResourceProperty, image.Resource.Name));

    private List<(string Name, string Value)> PropertiesOf(ProjectImage image)
    {
        List<(string, string)> properties =
        [
            .. options.Properties.Select(property => (property.Key, property.Value)),
            ("Configuration", options.Configuration),
            ("_IsPublishing", "true"),
            // The AppHost asks for this package's images, whatever a project says of PublishContainer.
            ("ImageTakeOver", "true"),
            (CustomTargets, TargetsFile),
            // The same for projects of several frameworks, which then say what is wrong.
            ("CustomAfterMicrosoftCommonCrossTargetingTargets", TargetsFile),
        ];
        if (image.RuntimeIdentifiers.Count == 0)
            return properties;
        var suffix = image.RuntimeIdentifiers.Count == 1 ? "" : "s";
        properties.Add(($"RuntimeIdentifier{suffix}", string.Join(';', image.RuntimeIdentifiers)));
        properties.Add(($"ContainerRuntimeIdentifier{suffix}", string.Join(';', image.RuntimeIdentifiers)));
        return properties;
    }

    // MSBuild reads one such file; it may be in use already, for all builds of a machine.
    private string? ReplacedTargets() => options.Properties.TryGetValue(CustomTargets, out var file) ? file : environment[CustomTargets];

    /// <summary>A text that MSBuild takes as it is.</summary>
    public static string Escape(string text) => EscapeList(text).Replace(";", "%3B", StringComparison.Ordinal);

    // Where a value is a list, the task of MSBuild wants to see its separators.
    private static string EscapeList(string text) =>
        string.Concat(
            text.Select(character =>
                character is '%' or '$' or '@' or '\'' or '"' or '(' or ')' or '?' or '*' ? $"%{(int)character:X2}" : $"{character}"
            )
        );

    private static void Save(XElement project, string file) => File.WriteAllText(file, project.ToString());

    /// <summary>Projects for the same platforms. Those that make a second image follow the others, from the same folders.</summary>
    private sealed class ProjectGroup(IReadOnlyList<ProjectImage> images)
    {
        public IReadOnlyList<ProjectImage> Images => images;

        public IReadOnlyList<ProjectImage> Distinct { get; } = [.. images.DistinctBy(image => Path.GetFullPath(image.Project.ProjectPath))];

        public IEnumerable<ProjectImage> Repeated => images.Except(Distinct);
    }
}

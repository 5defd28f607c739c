using System.Xml.Linq;

namespace ImagePublish.AppHost;

/// <summary>The targets that every project of the build reads: they say what its image is called, and where its digest goes.</summary>
internal static class ImageTargets
{
    public const string PublishTarget = "_PublishImageForAspire";

    /// <summary>Tells resources apart where the project's path does not: two of one project, and apps of one file.</summary>
    public const string ResourceProperty = "ImageAspireResource";

    private const string SetTarget = "_SetImageForAspire";
    private const string CheckTarget = "_CheckImageForAspire";
    private const string WriteTarget = "_WriteImageForAspire";
    private const string ResultProperty = "_ImageForAspireResult";

    // How else a project may name its image; the AppHost's names count.
    private static readonly string[] NamesOfProject =
    [
        "ContainerImageName",
        "ContainerImageTags",
        "PublishImageTag",
        "AutoGenerateImageTag",
        "ImageName",
        "ImageRegistry",
        "ImageRepository",
        "ImageRepositoryPrefix",
        "ImageTags",
        "ImageTagPolicy",
        "LocalRegistry",
    ];

    /// <param name="images">The images, each with the file for its digest.</param>
    /// <param name="named">Those that <see cref="ResourceProperty"/> names.</param>
    /// <param name="replaced">The file that MSBuild would read in the place of this one, if any.</param>
    public static XElement Create(
        IEnumerable<(ProjectImage Image, string Result)> images,
        IReadOnlySet<ProjectImage> named,
        string? replaced
    )
    {
        // Also in the builds that a project starts for each of several platforms, which do not run PublishTarget.
        var set = Target(SetTarget, "");
        set.Add(new XAttribute("BeforeTargets", "_FindImageApp;ComputeContainerBaseImage"));
        set.Add(new XElement("PropertyGroup", NamesOfProject.Select(name => new XElement(name))));
        foreach (var (image, result) in images)
            set.Add(Values(image, result, named.Contains(image) ? IsResource(image) : IsProject(image)));
        var before = replaced ?? @"$(MSBuildExtensionsPath)\v$(MSBuildToolsVersion)\Custom.After.Microsoft.Common.targets";
        return new XElement(
            "Project",
            new XElement("Import", new XAttribute("Project", before), new XAttribute("Condition", $"Exists('{before}')")),
            set,
            Check(),
            Target(
                WriteTarget,
                "",
                Task("WriteLinesToFile", ("File", $"$({ResultProperty})"), ("Lines", "$(GeneratedContainerDigest)"), ("Overwrite", "true"))
            ),
            Target(PublishTarget, $"{SetTarget};{CheckTarget};PublishContainer;{WriteTarget}")
        );
    }

    private static IEnumerable<XElement> Values(ProjectImage image, string result, string condition)
    {
        (string Name, string? Value)[] properties =
        [
            (ResultProperty, result),
            ("EnableSdkContainerSupport", "true"),
            ("ContainerRegistry", image.Registry),
            ("ContainerRepository", image.Repository),
            ("ContainerImageTag", image.Tag),
            ("ImageFormat", image.Format),
            ("ImageBase", image.BaseImage),
            ("ContainerArchiveOutputPath", image.Destination == ImageDestination.Archive ? image.Archive : ""),
            ("ImageArchive", image.Destination == ImageDestination.Archive ? null : image.Archive),
            ("_ImageStaysInStore", image.Destination == ImageDestination.Store ? "true" : ""),
        ];
        var given = properties.Where(property => property.Value is not null);
        yield return new XElement(
            "PropertyGroup",
            new XAttribute("Condition", condition),
            given.Select(property => new XElement(property.Name, BuildFiles.Escape(property.Value!)))
        );
        if (image.Files.Count > 0)
            yield return new XElement("ItemGroup", new XAttribute("Condition", condition), image.Files.Select(ImageFile));
    }

    private static XElement ImageFile(CopiedFiles files) =>
        Task(
            "ImageFile",
            ("Include", BuildFiles.Escape(files.Path)),
            ("From", BuildFiles.Escape(files.Image)),
            ("TargetPath", BuildFiles.Escape(files.Destination))
        );

    private static string IsResource(ProjectImage image) => $"'$({ResourceProperty})' == '{BuildFiles.Escape(image.Resource.Name)}'";

    private static string IsProject(ProjectImage image)
    {
        var path = BuildFiles.Escape(Path.GetFullPath(image.Project.ProjectPath));
        return $"'$({ResourceProperty})' == '' and '$(MSBuildProjectFullPath)' == '{path}'";
    }

    // Before anything is built: the .NET SDK's own target would push an image as well, and another one.
    private static XElement Check() =>
        Target(
            CheckTarget,
            "",
            Task(
                "Error",
                ("Condition", "'$(_ImageTasksAssembly)' == ''"),
                ("Code", "IMG1042"),
                (
                    "Text",
                    "UseImagePublish can't publish $(MSBuildProjectName), which does not reference ImagePublish.Tasks. "
                        + "Run: dotnet add $(MSBuildProjectFullPath) package ImagePublish.Tasks"
                )
            )
        );

    private static XElement Target(string name, string dependsOn, params XElement[] tasks) =>
        new("Target", new XAttribute("Name", name), new XAttribute("DependsOnTargets", dependsOn), tasks);

    private static XElement Task(string name, params (string Name, string Value)[] parameters) =>
        new(name, parameters.Select(parameter => new XAttribute(parameter.Name, parameter.Value)));
}

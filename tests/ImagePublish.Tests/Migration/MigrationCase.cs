using ImagePublish.Images;
using ImagePublish.Migration;

namespace ImagePublish.Tests.Migration;

/// <summary>Dockerfiles of .NET apps, each in a folder with what is expected of it.</summary>
internal static class MigrationCase
{
    public static readonly string Folder = Path.Combine(RepositoryRoot.Path, "tests", "ImagePublish.Tests", "Migration", "Dockerfiles");

    public static IEnumerable<string> Names => Directory.EnumerateDirectories(Folder).Select(folder => Path.GetFileName(folder)).Order();

    /// <summary>The project that a Dockerfile is of: an app of ASP.NET for .NET 10, called Shop.</summary>
    public static MigrationApp App(string name)
    {
        var folder = Path.Combine(Folder, name);
        return new MigrationApp(NewApp(name is not ("worker" or "browser-app-on-nginx")))
        {
            ContextFolder = folder,
            ProjectFolder = name switch
            {
                "several-projects" => Path.Combine(folder, "src", "Shop"),
                "visual-studio" => Path.Combine(folder, "Shop"),
                _ => folder,
            },
            Properties = new Dictionary<string, string> { ["Version"] = "1.0.0" },
        };
    }

    public static DotNetApp NewApp(bool usesAspNet = true) =>
        new()
        {
            RuntimeIdentifier = RuntimeIdentifier.Parse("linux-x64"),
            FrameworkVersion = "10.0",
            AssemblyName = "Shop",
            UsesAspNet = usesAspNet,
        };
}

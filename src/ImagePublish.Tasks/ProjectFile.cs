using System.Xml;
using System.Xml.Linq;
using ImagePublish.Common;

namespace ImagePublish.Tasks;

/// <summary>
/// What a project file names that evaluation does not show: files that may come and go, and tasks that may read anything.
/// </summary>
internal sealed class ProjectFile
{
    private const int MaxLength = 4 << 20;

    // Tasks, and what else a target may have, that bring no file into the output.
    private static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase)
    {
        "CallTarget",
        "Delete",
        "Error",
        "ItemGroup",
        "MakeDir",
        "Message",
        "OnError",
        "PropertyGroup",
        "RemoveDir",
        "Touch",
        "Warning",
        "WriteLinesToFile",
    };

    private static readonly string[] OutputFolders = ["$(OutDir)", "$(OutputPath)", "$(IntermediateOutputPath)", "$(PublishDir)"];

    private readonly string file;
    private readonly string projectFolder;
    private readonly HashSet<string> paths = new(StringComparer.Ordinal);

    private ProjectFile(string file, string projectFolder) => (this.file, this.projectFolder) = (file, projectFolder);

    /// <summary>Files that are imported where they exist, and folders of wildcards: full paths.</summary>
    public IReadOnlyCollection<string> Paths => paths;

    /// <summary>Why what is read here need not be all that the build reads; null where it is.</summary>
    public string? Doubt { get; private set; }

    public static ProjectFile Read(string file, string projectFolder)
    {
        var read = new ProjectFile(file, projectFolder);
        try
        {
            if (new FileInfo(file).Length > MaxLength)
                read.Doubt = $"{read.Name} is too large to be read";
            else
                read.Scan(File.ReadAllText(file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
        {
            read.Doubt = $"{read.Name} can't be read ({Text.OneLine(exception.Message)})";
        }

        return read;
    }

    private string Name => Text.Sanitize(Path.GetFileName(file));

    private void Scan(string text)
    {
        if (text.Contains("[System.IO.", StringComparison.OrdinalIgnoreCase))
            Doubt ??= $"a property of {Name} reads files";
        using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { XmlResolver = null });
        foreach (var element in XDocument.Load(reader).Descendants())
        {
            if (element.Name.LocalName == "Import")
                ScanImport(element);
            else if (element.Parent?.Name.LocalName == "Target" && !Harmless.Contains(element.Name.LocalName))
                Doubt ??= $"a target of {Name} runs {Text.Sanitize(element.Name.LocalName)}, and which files that reads is not known";
            else if (element.Attribute("Include")?.Value is { } include)
                ScanInclude(include, isInTarget: element.Ancestors().Any(ancestor => ancestor.Name.LocalName == "Target"));
        }
    }

    // Files that are there are known by evaluation; one that may be missing counts, too.
    private void ScanImport(XElement import)
    {
        var project = import.Attribute("Project")?.Value ?? "";
        if (project.Length == 0 || import.Attribute("Sdk") is not null)
            return;
        if (Resolve(project, Path.GetDirectoryName(file)!) is { } path)
            paths.Add(path);
        else if (
            import.Attribute("Condition")?.Value.Contains("Exists", StringComparison.OrdinalIgnoreCase) == true
            && !project.Contains("Directory.", StringComparison.Ordinal)
        )
            Doubt ??= $"{Name} imports a file that need not exist, '{Text.OneLine(project)}'";
    }

    private void ScanInclude(string include, bool isInTarget)
    {
        foreach (var part in include.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var isPattern = part.AsSpan().ContainsAny('*', '?');
            if ((!isPattern && !isInTarget) || part.StartsWith("@(", StringComparison.Ordinal) || IsInOutput(part))
                continue;
            if (Resolve(part, projectFolder) is { } path)
                paths.Add(path);
            else
                Doubt ??= $"what '{Text.OneLine(part)}' stands for in {Name} is not known";
        }
    }

    private static bool IsInOutput(string path) =>
        Array.Exists(OutputFolders, folder => path.StartsWith(folder, StringComparison.OrdinalIgnoreCase));

    /// <summary>The full path; of a pattern, its fixed part; null where other properties are part of it.</summary>
    private string? Resolve(string path, string folder)
    {
        var text = path.Replace("$(MSBuildThisFileDirectory)", Path.GetDirectoryName(file) + "/", StringComparison.OrdinalIgnoreCase)
            .Replace("$(MSBuildProjectDirectory)", projectFolder, StringComparison.OrdinalIgnoreCase)
            .Replace('\\', '/');
        if (text.Contains("$(", StringComparison.Ordinal) || text.Contains("%(", StringComparison.Ordinal))
            return null;
        var wildcard = text.AsSpan().IndexOfAny('*', '?');
        var known = wildcard < 0 ? text : text[..(text.LastIndexOf('/', wildcard) + 1)];
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(known.Length == 0 ? "." : known, folder));
    }
}

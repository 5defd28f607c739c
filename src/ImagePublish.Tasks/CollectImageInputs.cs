using ImagePublish.Common;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Collects what a project and the projects that it references are built from, for <c>ImageRevision=Inputs</c>: their folders, what they
/// import, files that they use from elsewhere, and settings of the folders above.
/// </summary>
/// <remarks>
/// A path too many costs a new digest that was not needed; one that is missing makes a label name a commit without these sources.
/// So whole folders count, and settings also where they do not exist: their removal is a change.
/// </remarks>
public sealed class CollectImageInputs : ImageTask
{
    // What the folders above a project may hold that its build reads, besides what it imports.
    private static readonly string[] Settings =
    [
        ".config/dotnet-tools.json",
        ".editorconfig",
        ".gitattributes",
        ".globalconfig",
        "Directory.Build.props",
        "Directory.Build.rsp",
        "Directory.Build.targets",
        "Directory.Packages.props",
        "NuGet.Config",
        "NuGet.config",
        "global.json",
        "nuget.config",
    ];

    // Where MSBuild does not say what was imported, everything that could have been.
    private static readonly string[] Importable = ["**/*.props", "**/*.targets", "**/*.projitems", "**/*.proj", "**/*.tasks"];

    // They count commits, so that an assembly's version changes with every one.
    private static readonly string[] CommitCounters = ["MinVer", "Nerdbank.GitVersioning", "GitVersion.MsBuild", "GitInfo"];

    private const string Advice = "If it is generated, name its sources: <ImageInput Include=\"../frontend\" />.";

    /// <summary>The project's file.</summary>
    [Required]
    public string Project { get; set; } = "";

    /// <summary>Files that are compiled, published or otherwise part of the output.</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <summary>Files that only influence the build, such as a signing key.</summary>
    public string[] BuildFiles { get; set; } = [];

    /// <summary>Files and folders that the user names, such as the sources of generated files.</summary>
    public ITaskItem[] NamedInputs { get; set; } = [];

    /// <summary>The projects that this one references.</summary>
    public ITaskItem[] References { get; set; } = [];

    /// <summary>Projects that this one references and that do not exist, of which the .NET SDK only warns.</summary>
    public ITaskItem[] MissingReferences { get; set; } = [];

    /// <summary>What they are built from, as this task returned it for them.</summary>
    public ITaskItem[] ReferencedInputs { get; set; } = [];

    /// <summary>Folders that builds write to.</summary>
    public string[] BuildFolders { get; set; } = [];

    /// <summary>Folders of packages and of the SDK, whose versions the project's files name.</summary>
    public string[] ToolFolders { get; set; } = [];

    /// <summary>Whether the project's own assembly takes its revision from its inputs.</summary>
    public bool UsesInputs { get; set; }

    /// <summary>Whether nobody has asked for it.</summary>
    public bool IsDefault { get; set; }

    /// <summary>The packages that the project references.</summary>
    public string[] Packages { get; set; } = [];

    internal Func<IBuildEngine, ProjectEvaluation?> Evaluation { get; init; } = ProjectEvaluation.Read;

    /// <summary>Paths, with a reason in <c>Problem</c> where one stands for what can't be known, and <c>Changed</c> for files that
    /// are not committed.</summary>
    [Output]
    public ITaskItem[] Inputs { get; set; } = [];

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, ITaskItem>(StringComparer.Ordinal);
        foreach (var input in ReferencedInputs)
            inputs.TryAdd(KeyOf(input), input);
        foreach (var input in await CollectOwnAsync())
            inputs.TryAdd(KeyOf(input), input);
        Inputs = [.. inputs.Values];
    }

    private static string KeyOf(ITaskItem input) =>
        string.Join(
            '\n',
            input.ItemSpec,
            input.GetMetadata(ImageInput.Problem),
            input.GetMetadata(ImageInput.Doubt),
            input.GetMetadata(ImageInput.NamesHead),
            input.GetMetadata(ImageInput.Changed)
        );

    private async Task<IReadOnlyList<ITaskItem>> CollectOwnAsync()
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(ProjectDirectory));
        if (GitHistory.Find(BuildEngine4, folder) is not { } history)
            return [ImageInput.Create(Project, ImageInput.Problem, $"'{Text.Sanitize(folder)}' is in no git checkout.")];
        if (history.Relativize(folder) is null)
            return [ImageInput.Create(Project, ImageInput.Problem, "GIT_DIR names a repository that the project is not in. Unset it.")];
        var inputs = new List<ITaskItem>();
        inputs.AddRange(FindUnknownReferences());
        var evaluation = Evaluation(BuildEngine);
        var projectFiles = ReadProjectFiles(folder, history, evaluation);
        if (FindDoubt(history, evaluation, projectFiles) is { } doubt)
            inputs.Add(ImageInput.Create(Project, ImageInput.Doubt, doubt));
        var paths = FindPaths(folder, history, evaluation, projectFiles);
        inputs.AddRange(paths.Select(OutputItem.Create));
        var tree = await history.GetWorkingTreeAsync();
        if (tree.Problem is { } problem)
            inputs.Add(ImageInput.Create(Project, ImageInput.Problem, $"{problem}. Fix what git reports."));
        inputs.AddRange(FindChanged(paths, history, tree).Select(path => ImageInput.Create(Project, ImageInput.Changed, path)));
        if (NamedInputs.Length == 0 && FindUncommitted(history, tree) is { } uncommitted)
            inputs.Add(ImageInput.Create(Project, ImageInput.Problem, uncommitted));
        return inputs;
    }

    // The image changes with every commit if one of its assemblies does, whatever its labels say.
    private IEnumerable<ITaskItem> FindUnknownReferences()
    {
        const string Remedy = "Reference ImagePublish.Tasks and set ImageRevision in Directory.Build.props.";
        var known = ReferencedInputs.Select(input => input.GetMetadata("MSBuildSourceProjectFile")).ToHashSet(StringComparer.Ordinal);
        foreach (var path in References.Select(reference => reference.GetMetadata("FullPath")).Where(path => !known.Contains(path)))
        {
            var name = Text.Sanitize(Path.GetFileName(path));
            yield return ImageInput.Create(path, ImageInput.Problem, $"{name} does not reference ImagePublish.Tasks. {Remedy}");
        }

        if (!UsesInputs)
        {
            var name = Text.Sanitize(Path.GetFileName(Project));
            yield return ImageInput.Create(Project, ImageInput.NamesHead, $"{name} does not set ImageRevision. {Remedy}");
        }
    }

    private List<string> FindPaths(string folder, GitHistory history, ProjectEvaluation? evaluation, IEnumerable<ProjectFile> projectFiles)
    {
        var foreignFolders = FullPaths([.. BuildFolders, .. ToolFolders]);
        var elsewhere = Files
            .Select(item => item.GetMetadata("FullPath"))
            .Concat(BuildFiles.Select(FullPath))
            .Concat(evaluation?.Imports ?? [.. Importable.Select(pattern => $"{history.Root}{Path.DirectorySeparatorChar}{pattern}")])
            .Concat(evaluation?.Items.Where(File.Exists) ?? [])
            .Concat(projectFiles.SelectMany(file => file.Paths))
            .Concat(MissingReferences.Select(item => Path.GetDirectoryName(item.GetMetadata("FullPath"))!))
            .Where(path => history.Relativize(path) is not null && !IsIn(path, folder) && !IsInAny(path, foreignFolders));
        // One that is not in the checkout stays, for whoever reads the list to find.
        var named = NamedInputs.Select(item => item.GetMetadata("FullPath"));
        return [folder, .. FindSettings(folder, history.Root), .. elsewhere.Concat(named).Distinct(StringComparer.Ordinal)];
    }

    // Those of the checkout. Packages and the .NET SDK read what items and properties name, and are not asked for more.
    private List<ProjectFile> ReadProjectFiles(string folder, GitHistory history, ProjectEvaluation? evaluation)
    {
        var foreignFolders = FullPaths([.. BuildFolders, .. ToolFolders]);
        var imports = evaluation?.Imports.Where(path => history.Relativize(path) is not null && !IsInAny(path, foreignFolders)) ?? [];
        return [.. imports.Prepend(Project).Where(File.Exists).Distinct().Select(path => ProjectFile.Read(path, folder))];
    }

    private string? FindDoubt(GitHistory history, ProjectEvaluation? evaluation, List<ProjectFile> projectFiles)
    {
        if (IsDefault && evaluation is null)
            return "this MSBuild does not report what a project imports. Set ImageRevision to Inputs to work without it.";
        if (IsDefault && Array.Find(Packages, package => CommitCounters.Contains(package, StringComparer.OrdinalIgnoreCase)) is { } counter)
            return $"{counter} changes the version with every commit.";
        if (IsDefault && FindOutside(history, evaluation!) is { } outside)
            return $"'{Text.Sanitize(outside)}' is not in the checkout '{Text.Sanitize(history.Root)}'. {Advice}";
        return NamedInputs.Length == 0 && projectFiles.Find(file => file.Doubt is not null)?.Doubt is { } doubt
            ? $"{doubt}. Name what it reads: <ImageInput Include=\"../frontend\" />, or the project's own folder for nothing else."
            : null;
    }

    private string? FindOutside(GitHistory history, ProjectEvaluation evaluation)
    {
        var foreignFolders = FullPaths([.. BuildFolders, .. ToolFolders]);
        return evaluation
            .Imports.Concat(evaluation.Items)
            .FirstOrDefault(path => history.Relativize(path) is null && !IsInAny(path, foreignFolders) && File.Exists(path));
    }

    private static IEnumerable<string> FindSettings(string folder, string root)
    {
        for (var above = folder; above.Length > root.Length; )
        {
            above = Path.GetDirectoryName(above)!;
            foreach (var name in Settings)
                yield return Path.Combine(above, name);
        }
    }

    private IEnumerable<string> FindChanged(List<string> paths, GitHistory history, WorkingTree tree)
    {
        if (tree.Changed.Count == 0)
            return [];
        var relative = paths.Select(history.Relativize).OfType<string>().ToList();
        var changed = tree.Changed.Where(change => ImageInput.Covers(relative, change));
        var buildFolders = FullPaths(BuildFolders);
        return changed.Where(change => !IsInAny(Path.Combine(history.Root, change), buildFolders));
    }

    // A file that no commit has: another one may have been used for it, or none.
    private string? FindUncommitted(GitHistory history, WorkingTree tree)
    {
        var foreignFolders = FullPaths([.. BuildFolders, .. ToolFolders]);
        foreach (var path in Files.Select(item => item.GetMetadata("FullPath")).Where(path => !IsInAny(path, foreignFolders)))
        {
            if (history.Relativize(path) is not { } relative)
                return $"'{Text.Sanitize(path)}' is not in the checkout '{Text.Sanitize(history.Root)}'. {Advice}";
            if (tree.IsIgnored(relative))
                return $"'{Text.Sanitize(relative)}' is part of the build, but git ignores it. {Advice}";
        }

        return null;
    }

    private List<string> FullPaths(IEnumerable<string> folders) => [.. folders.Where(folder => folder.Length > 0).Select(FullPath)];

    private static bool IsInAny(string path, List<string> folders) => folders.Exists(folder => IsIn(path, folder));

    private static bool IsIn(string path, string folder) =>
        path.Equals(folder, StringComparison.Ordinal)
        || path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

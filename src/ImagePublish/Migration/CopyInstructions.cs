using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>Translates <c>COPY</c> and <c>ADD</c>.</summary>
internal sealed class CopyInstructions(
    Dockerfile file,
    FinalStage final,
    MigrationApp project,
    AddedAccounts accounts,
    MigrationFindings findings
)
{
    private static readonly string[] Archives = [".tar", ".tgz", ".tar.gz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"];

    private static readonly string[] OutputFolders = ["publish", "bin", "out", "output", "artifacts"];

    /// <summary>The folders that the Dockerfile publishes to, by the stage that does.</summary>
    public IReadOnlyCollection<string> Outputs { get; init; } = [];

    public string? AppFolder { get; init; }

    /// <summary>Where the published app is copied to; null where that is not to be seen.</summary>
    public string? AppTarget =>
        final
            .Steps.Where(step =>
                step.Instruction.Keyword == "COPY"
                && Operands(step) is { Sources: [var source], Target: var target }
                && IsApp(step, source, target)
            )
            .Select(step => Operands(step).Target.TrimEnd('/'))
            .FirstOrDefault();

    public void Copy(StageStep step)
    {
        var (sources, target) = Operands(step);
        if (step.Instruction.Heredocs.Count > 0)
            findings.ByHand(step, "write the text into a file of the project, and name that with ImageFile");
        else if (sources.Count == 0)
            findings.ByHand(step, "it has no source");
        else if (sources.All(source => IsApp(step, source, target)))
            App(step);
        else if (step.Instruction.Flag("from") is { Length: > 0 } from)
            CopyFrom(step, step.Expand(from), sources, target);
        else if (
            KnownBase.Read(final.Base).Kind == "sdk"
            && sources.All(source => source is "." or "./" || source.EndsWith("proj", StringComparison.Ordinal))
        )
            findings.NotNeeded(step, "sources; the project is built where it is");
        else
            CopyFiles(step, sources, target);
    }

    private void App(StageStep step)
    {
        if (
            step.Instruction.Flag("chown") is { Length: > 0 } owner
            && step.Expand(owner) is not ("root" or "root:root" or "0" or "0:0") and var name
        )
            findings.Set(
                step,
                "the published app; without it, root owns its files",
                MigrationEntry.Property("ImageFileOwner", accounts.Replace(name))
            );
        else
            findings.Default(step, "the published app");
    }

    private void CopyFrom(StageStep step, string from, IReadOnlyList<string> sources, string target)
    {
        var stage = file.Stages.FirstOrDefault(one => string.Equals(one.Name, from, StringComparison.OrdinalIgnoreCase));
        stage ??= int.TryParse(from, out var number) && number >= 0 && number < file.Stages.Count ? file.Stages[number] : null;
        if (stage is null || IsOnlyImage(stage))
            findings.Set(
                step,
                "",
                [.. sources.Select(source => OfImage(step, stage is null ? from : final.BaseOf(stage), source, target))]
            );
        else if (InContext(stage, sources) is { } files)
            CopyFiles(step, files, target);
        else if (IsWebContent(sources, target))
            findings.ByHand(step, "let a target of the project build it into wwwroot before the publish, as with npm run build");
        else
            findings.ByHand(step, $"a file that the stage {stage.Name ?? from} makes: make it in a target, and name it with ImageFile");
    }

    private MigrationEntry OfImage(StageStep step, string image, string source, string target)
    {
        var path = source.StartsWith('/') ? source : "/" + source;
        (string, string?)[] metadata = [("From", image), ("TargetPath", target), .. Attributes(step)];
        return path.Contains('*', StringComparison.Ordinal)
            ? MigrationEntry.Item(
                "ImageFile",
                ImagePaths.Name(ImagePaths.Folder(path)),
                [("From", image), ("Path", path), .. metadata[1..]]
            )
            : MigrationEntry.Item("ImageFile", path, metadata);
    }

    private void CopyFiles(StageStep step, IReadOnlyList<string> sources, string target)
    {
        if (step.Instruction.Keyword == "ADD" && sources.Any(source => source.Contains("://", StringComparison.Ordinal)))
            findings.ByHand(step, "download it in a target (DownloadFile), and name the file with ImageFile");
        else if (step.Instruction.Keyword == "ADD" && sources.Any(source => Archives.Any(source.EndsWith)))
            findings.ByHand(step, "unpack it in a target, and name the files with ImageFile");
        else if (!sources.All(DockerfileText.IsKnown))
            findings.ByHand(step, "only a build knows what it copies: name the files with ImageFile");
        else if (sources.Any(source => !Exists(source)))
            findings.Check(step, "not found in the build context", [.. sources.Select(source => Local(step, source, target))]);
        else
            findings.Set(step, "", [.. sources.Select(source => Local(step, source, target))]);
    }

    private MigrationEntry Local(StageStep step, string source, string target)
    {
        var path = Path.GetFullPath(source.TrimStart('/'), project.ContextFolder);
        var isFolder = source.EndsWith('/') || Directory.Exists(path);
        var include = Path.GetRelativePath(project.ProjectFolder, path).Replace('\\', '/').TrimEnd('/');
        return MigrationEntry.Item(
            "ImageFile",
            isFolder ? $"{include}/**" : include,
            [("TargetPath", isFolder ? target.TrimEnd('/') + "/" : target), .. Attributes(step)]
        ) with
        {
            IsPattern = isFolder || source.AsSpan().ContainsAny('*', '?'),
        };
    }

    private bool Exists(string source)
    {
        var path = Path.GetFullPath(source.TrimStart('/'), project.ContextFolder);
        return source.AsSpan().ContainsAny('*', '?') || File.Exists(path) || Directory.Exists(path);
    }

    private IEnumerable<(string, string?)> Attributes(StageStep step)
    {
        if (
            step.Instruction.Flag("chmod") is { Length: > 0 } mode
            && step.Expand(mode) is { Length: <= 4 } octal
            && octal.All(char.IsAsciiDigit)
        )
            yield return ("Mode", octal.PadLeft(4, '0'));
        if (step.Instruction.Flag("chown") is { Length: > 0 } owner)
            yield return ("Owner", accounts.Replace(step.Expand(owner)));
    }

    private static (IReadOnlyList<string> Sources, string Target) Operands(StageStep step)
    {
        var words = DockerfileText.Exec(step.Instruction.Text) is { } exec ? [.. exec.Select(step.Expand)] : step.Words();
        return words.Length < 2 ? ([], "") : ([.. words.SkipLast(1)], step.Absolute(words[^1]));
    }

    // The published app is what the start names; where that is a script, what comes from a folder that is published to.
    private bool IsApp(StageStep step, string source, string target)
    {
        var folder = AppFolder;
        var isThere = folder is null || target.TrimEnd('/') == folder.TrimEnd('/') || IsFileOf(target, folder);
        if (step.Instruction.Flag("from") is { Length: > 0 } from)
            return isThere && IsPublished(ImagePaths.Join(Folder(from), source).TrimEnd('/'));
        var parts = source.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var isOutput = parts.Intersect(OutputFolders, StringComparer.OrdinalIgnoreCase).Any();
        var isWhole = source is "." or "./" && KnownBase.Read(final.Base).Kind != "sdk";
        return isThere && (isOutput || isWhole) && !ImagePaths.Name(source).Contains('.', StringComparison.Ordinal) | isWhole;
    }

    // Where no command is seen that publishes, a script may.
    private bool IsPublished(string path) =>
        Outputs.Contains(path)
        || (Outputs.Contains(ImagePaths.Folder(path)) && ImagePaths.Name(path) == project.App.AssemblyName)
        || OutputFolders.Contains(ImagePaths.Name(path))
        || (Outputs.Count == 0 && AppFolder is not null && IsFolder(path));

    private bool IsFileOf(string target, string folder) =>
        ImagePaths.Name(target) == project.App.AssemblyName && ImagePaths.Folder(target) == folder;

    private static bool IsFolder(string source) => !ImagePaths.Name(source.TrimEnd('/')).Contains('.', StringComparison.Ordinal);

    private string Folder(string from)
    {
        var stage = file.Stages.FirstOrDefault(one => string.Equals(one.Name, from, StringComparison.OrdinalIgnoreCase));
        return stage is null ? ""
            : final.StepsOf(stage) is [.., var last] ? last.WorkingDirectory
            : "";
    }

    private bool IsOnlyImage(DockerfileStage stage) =>
        stage.Instructions.TrueForAll(instruction => instruction.Keyword is "ARG" or "LABEL")
        && DockerfileText.IsKnown(final.BaseOf(stage))
        && file.FindStage(stage.Image, stage) is null;

    // What a stage has only copied from the build context.
    private List<string>? InContext(DockerfileStage stage, IReadOnlyList<string> sources)
    {
        var copy = final
            .StepsOf(stage)
            .FirstOrDefault(step =>
                step.Instruction.Keyword == "COPY" && step.Instruction.Flag("from") is null && Operands(step).Sources is ["." or "./"]
            );
        if (copy is null)
            return null;
        var root = Operands(copy).Target.TrimEnd('/') + "/";
        var files = sources
            .Where(source => source.StartsWith(root, StringComparison.Ordinal))
            .Select(source => source[root.Length..])
            .Where(source => source.Length > 0 && Exists(source))
            .ToList();
        return files.Count == sources.Count ? files : null;
    }

    private static bool IsWebContent(IReadOnlyList<string> sources, string target) =>
        target.Contains("wwwroot", StringComparison.Ordinal)
        || sources.Any(source => ImagePaths.Name(source.TrimEnd('/')) is "dist" or "wwwroot" or "build");
}

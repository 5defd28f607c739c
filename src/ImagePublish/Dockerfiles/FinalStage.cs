using System.Collections.Immutable;

namespace ImagePublish.Dockerfiles;

/// <summary>An instruction that the image has, with what holds where it stands.</summary>
/// <param name="WorkingDirectory">The folder that relative paths begin at; empty for the base's.</param>
internal sealed record StageStep(
    DockerfileInstruction Instruction,
    IReadOnlyDictionary<string, string> Variables,
    string WorkingDirectory,
    char Escape
)
{
    public string Expand(string text) => DockerfileText.Expand(text, Escape, Variables);

    public string[] Words() => [.. DockerfileText.Words(Instruction.Text, Escape).Select(Expand)];

    /// <summary>What <c>RUN</c> runs, in any of its forms.</summary>
    public IReadOnlyList<ShellCommand> Commands()
    {
        var exec = DockerfileText.Exec(Instruction.Text);
        if (exec is ["/bin/sh" or "sh" or "/bin/bash" or "bash", "-c", var line])
            return ShellLine.Commands(line);
        if (exec is not null)
            return exec.Length == 0 ? [] : [new ShellCommand(exec, string.Join(' ', exec), true)];
        return ShellLine.Commands(Instruction.Heredocs is [var heredoc, ..] ? heredoc.Content : Instruction.Text);
    }

    public IReadOnlyList<KeyValuePair<string, string>> Pairs() =>
        [.. DockerfileText.Pairs(Instruction.Text, Escape).Select(pair => KeyValuePair.Create(Expand(pair.Key), Expand(pair.Value)))];

    /// <summary>An absolute path of the image; a slash at its end stays.</summary>
    public string Absolute(string path) => ImagePaths.Join(WorkingDirectory, path);
}

/// <summary>The last stage, with the stages that it is made from: what the image is.</summary>
internal sealed class FinalStage
{
    private readonly Dockerfile file;
    private readonly Dictionary<string, string> globals = [];
    private readonly Dictionary<DockerfileStage, IReadOnlyList<StageStep>> known = [];

    /// <summary>Follows the stages.</summary>
    /// <param name="inherited">What is known of a base's variables.</param>
    public FinalStage(Dockerfile file, Func<string, IReadOnlyDictionary<string, string>> inherited)
    {
        this.file = file;
        foreach (var (name, value) in file.Arguments.SelectMany(argument => DockerfileText.Pairs(argument.Text, file.Escape)))
            globals[name] = value.Length == 0 ? DockerfileText.Argument(name) : Expand(value, globals);
        var stages = Chain(file.Stages[^1]);
        Stages = stages;
        Base = Expand(stages[0].Image, globals);
        Steps = [.. StepsOf(stages, inherited(Base))];
        Environment = EnvironmentOf(Steps, inherited(Base));
    }

    /// <summary>The image that it is based on; what only a build knows is marked.</summary>
    public string Base { get; }

    /// <summary>From the first, which has the base, to the last.</summary>
    public IReadOnlyList<DockerfileStage> Stages { get; }

    public IReadOnlyList<StageStep> Steps { get; }

    /// <summary>The variables of the image, as far as they are known.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>The last one; empty where none is set.</summary>
    public string WorkingDirectory => Last("WORKDIR") is { } step ? step.Absolute(step.Expand(step.Instruction.Text.Trim())) : "";

    /// <summary>The instructions of any stage, in the same way.</summary>
    public IReadOnlyList<StageStep> StepsOf(DockerfileStage stage)
    {
        if (!known.TryGetValue(stage, out var steps))
            known.Add(stage, steps = [.. StepsOf(Chain(stage), ImmutableDictionary<string, string>.Empty)]);
        return steps;
    }

    /// <summary>The image that a stage is based on in the end.</summary>
    public string BaseOf(DockerfileStage stage) => Expand(Chain(stage)[0].Image, globals);

    /// <summary>The last instruction of a kind; null where there is none.</summary>
    public StageStep? Last(string keyword) => Steps.LastOrDefault(step => step.Instruction.Keyword == keyword);

    private List<DockerfileStage> Chain(DockerfileStage stage)
    {
        List<DockerfileStage> chain = [stage];
        // Only earlier stages have a name, so that this ends.
        while (file.FindStage(Expand(chain[0].Image, globals), chain[0]) is { } earlier)
            chain.Insert(0, earlier);
        return chain;
    }

    private IEnumerable<StageStep> StepsOf(List<DockerfileStage> stages, IReadOnlyDictionary<string, string> inherited)
    {
        var environment = ImmutableDictionary.CreateRange(inherited);
        var folder = "";
        foreach (var stage in stages)
        {
            // An ARG ends with its stage, and ENV wins over it.
            var variables = environment;
            foreach (var instruction in stage.Instructions)
            {
                var step = new StageStep(instruction, variables, folder, file.Escape);
                yield return step;
                if (instruction.Keyword == "WORKDIR")
                    folder = step.Absolute(step.Expand(instruction.Text.Trim()));
                if (instruction.Keyword == "ENV")
                {
                    environment = environment.SetItems(step.Pairs());
                    variables = variables.SetItems(step.Pairs());
                }
                else if (instruction.Keyword == "ARG")
                {
                    variables = variables.SetItems(Arguments(step).Where(pair => !environment.ContainsKey(pair.Key)));
                }
            }
        }
    }

    private IEnumerable<KeyValuePair<string, string>> Arguments(StageStep step) =>
        DockerfileText
            .Pairs(step.Instruction.Text, file.Escape)
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Length > 0 ? step.Expand(pair.Value) : Global(pair.Key)));

    private static Dictionary<string, string> EnvironmentOf(IReadOnlyList<StageStep> steps, IReadOnlyDictionary<string, string> inherited)
    {
        var environment = new Dictionary<string, string>(inherited);
        foreach (var (name, value) in steps.Where(step => step.Instruction.Keyword == "ENV").SelectMany(step => step.Pairs()))
            environment[name] = value;
        return environment;
    }

    private string Global(string name) => globals.TryGetValue(name, out var value) ? value : DockerfileText.Argument(name);

    // BuildKit's own arguments, such as BUILDPLATFORM, have no value before a build.
    private string Expand(string text, Dictionary<string, string> variables) => DockerfileText.Expand(text, file.Escape, variables);
}

/// <summary>Paths within an image.</summary>
internal static class ImagePaths
{
    /// <summary>Joins and normalises; a slash at the end stays.</summary>
    public static string Join(string folder, string path)
    {
        if (path is [_, ':', '\\' or '/', ..])
            return path.Replace('\\', '/');
        if (folder is [_, ':', ..])
            return path is "." or "./" ? folder : $"{folder.TrimEnd('/')}/{path.Replace('\\', '/')}";
        var whole = path.StartsWith('/') ? path : $"{folder}/{path}";
        var parts = new List<string>();
        foreach (var part in whole.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }

        var isFolder = path.EndsWith('/') || path is "." or ".." || path.EndsWith("/.", StringComparison.Ordinal);
        return "/" + string.Join('/', parts) + (isFolder && parts.Count > 0 ? "/" : "");
    }

    public static string Folder(string path) => path.LastIndexOf('/') is var slash and > 0 ? path[..slash] : "/";

    public static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];
}

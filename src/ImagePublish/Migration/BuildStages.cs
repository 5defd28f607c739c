using ImagePublish.Dockerfiles;
using ImagePublish.Images;

namespace ImagePublish.Migration;

/// <summary>Translates the stages that build: the options of their <c>dotnet publish</c> are settings of the project.</summary>
internal sealed class BuildStages(Dockerfile file, FinalStage final, MigrationApp given, MigrationFindings findings)
{
    private const string Platforms = "ImageRuntimeIdentifiers names the platforms, such as linux-x64 linux-arm64";

    private static readonly string[] Options =
    [
        "PublishAot",
        "PublishTrimmed",
        "PublishSingleFile",
        "PublishReadyToRun",
        "InvariantGlobalization",
        "SelfContained",
        "PublishSelfContained",
        "RuntimeIdentifier",
    ];

    // What a publish of an image decides by itself.
    private static readonly string[] Ignored =
    [
        "UseAppHost",
        "Configuration",
        "PublishDir",
        "OutputPath",
        "RestorePackagesPath",
        "PublishProfile",
    ];

    private readonly Dictionary<string, string> properties = new(given.Properties, StringComparer.OrdinalIgnoreCase);

    /// <summary>The folders that are published to.</summary>
    public HashSet<string> Outputs { get; } = [];

    /// <summary>Translates them, and returns the app with what their options make of it.</summary>
    public DotNetApp Translate()
    {
        foreach (var stage in file.Stages.Except(final.Stages))
        {
            var name = stage.Name is null ? "" : $" {stage.Name}";
            findings.Add(stage.From, MigrationState.NotNeeded, Purpose(stage, name), []);
        }

        foreach (var step in file.Stages.SelectMany(final.StepsOf).DistinctBy(step => step.Instruction.Line).ToList())
        {
            if (step.Instruction.Keyword == "RUN")
                Run(step);
        }

        return given.App with
        {
            IsAot = Is("PublishAot"),
            IsTrimmed = Is("PublishTrimmed"),
            IsSingleFile = Is("PublishSingleFile"),
            IsSelfContained = Is("SelfContained") || Is("PublishSelfContained"),
            IsGlobalizationInvariant = Is("InvariantGlobalization"),
            RuntimeIdentifier =
                properties.TryGetValue("RuntimeIdentifier", out var rid) && RuntimeIdentifier.TryParse(rid) is { } known
                    ? known
                    : given.App.RuntimeIdentifier,
        };
    }

    private bool Is(string property) =>
        properties.TryGetValue(property, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static string Purpose(DockerfileStage stage, string name)
    {
        var text = string.Join(
            '\n',
            stage.Instructions.SelectMany(instruction => instruction.Heredocs.Select(heredoc => heredoc.Content).Prepend(instruction.Text))
        );
        if (
            text.Contains("npm ", StringComparison.Ordinal)
            || text.Contains("yarn", StringComparison.Ordinal)
            || text.Contains("pnpm", StringComparison.Ordinal)
        )
            return $"the stage{name} builds for the browser: a target of the project can";
        if (text.Contains("dotnet test", StringComparison.Ordinal))
            return $"the stage{name} tests; that is a step of CI";
        return text.Contains("dotnet ", StringComparison.Ordinal)
            ? $"the stage{name}: dotnet publish does its work"
            : $"the stage{name} is no part of the image";
    }

    private void Run(StageStep step)
    {
        foreach (var command in step.Commands())
        {
            string[] words = [.. command.Words.Select(step.Expand)];
            if (words is ["dotnet", "publish", ..])
                Publish(step, words, command.Words);
            else if (words is ["dotnet", "ef", "migrations", "bundle", ..])
                findings.Add(
                    "RUN " + command.Text,
                    step.Instruction.Line,
                    MigrationState.ByHand,
                    "run it in a target, and name the file with ImageFile",
                    []
                );
            else if (words is ["dotnet", "workload", ..] || (IsInstall(words) && words.Contains("clang")))
                findings.Add("RUN " + command.Text, step.Instruction.Line, MigrationState.Check, "the machine that publishes needs it", []);
        }
    }

    private static bool IsInstall(string[] words) => words is ["apt-get" or "apt" or "apk", ..];

    // What has a variable in it is what a build passes.
    private void Publish(StageStep step, string[] options, string[] written)
    {
        for (var at = 2; at < options.Length; at++)
        {
            var next = at + 1 < options.Length && !options[at + 1].StartsWith('-') ? options[at + 1] : null;
            var (name, value) = Option(options[at], next);
            if (name == "output" && value is not null)
                Outputs.Add(ImagePaths.Join(step.WorkingDirectory, value).TrimEnd('/'));
            else if (name == "runtime" && value is not null)
                Property(step, "RuntimeIdentifier", value);
            else if (name == "architecture")
                findings.Add($"dotnet publish, {options[at]}", step.Instruction.Line, MigrationState.Check, Platforms, []);
            else if (name == "self-contained")
                Property(step, "SelfContained", value is "false" ? "false" : "true");
            else if (name == "property")
                Properties(step, value ?? "", written[at].Contains('$', StringComparison.Ordinal));
        }
    }

    private static (string Name, string? Value) Option(string option, string? next)
    {
        var colon = option.IndexOfAny([':', '=']);
        var name = (colon < 0 ? option : option[..colon]).TrimStart('-', '/');
        var value = colon < 0 ? next : option[(colon + 1)..];
        return name switch
        {
            "o" or "output" => ("output", value),
            "r" or "runtime" => ("runtime", value),
            "a" or "arch" => ("architecture", value),
            "sc" or "self-contained" => ("self-contained", value),
            "no-self-contained" => ("self-contained", "false"),
            "p" or "property" => ("property", value),
            _ => ("", null),
        };
    }

    private void Properties(StageStep step, string list, bool isPassed)
    {
        foreach (var pair in list.Split(';'))
        {
            if (pair.Split('=', 2) is [{ Length: > 0 } name, var value])
                Property(step, name, isPassed && !Options.Contains(name) ? DockerfileText.Argument(name) : value);
        }
    }

    private void Property(StageStep step, string name, string value)
    {
        var source = $"dotnet publish, {name}={DockerfileText.Replace(value, one => $"${one}")}";
        var line = step.Instruction.Line;
        if (Ignored.Contains(name, StringComparer.OrdinalIgnoreCase) || (value == "false" && !properties.ContainsKey(name)))
            return;
        if (properties.TryGetValue(name, out var now) && now.Equals(value, StringComparison.OrdinalIgnoreCase))
            findings.Add(source, line, MigrationState.Default, "the project says it", []);
        else if (DockerfileText.IsKnown(value))
            findings.Add(source, line, MigrationState.Set, "", [MigrationEntry.Property(name, value)]);
        else if (name == "RuntimeIdentifier")
            findings.Add(source, line, MigrationState.Check, Platforms, []);
        else
            findings.Add(source, line, MigrationState.NotNeeded, $"pass it: dotnet publish -p:{name}=…", []);
        if (Options.Contains(name, StringComparer.OrdinalIgnoreCase) && DockerfileText.IsKnown(value))
            properties[name] = value;
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using ImagePublish.Dockerfiles;
using ImagePublish.Images;

namespace ImagePublish.Migration;

/// <summary>Translates how a container starts, and how it is asked whether it is well.</summary>
internal sealed partial class StartInstructions
{
    // A longer one asks for more than a path.
    private const int MaxCommand = 2000;

    private static readonly string[] SdkCommands = ["run", "watch", "test"];

    private static readonly (string Flag, string Metadata)[] Times =
    [
        ("interval", "Interval"),
        ("timeout", "Timeout"),
        ("start-period", "StartPeriod"),
        ("start-interval", "StartInterval"),
        ("retries", "Retries"),
    ];

    private readonly FinalStage final;
    private readonly MigrationApp project;
    private readonly KnownBase known;
    private readonly MigrationFindings findings;

    public StartInstructions(FinalStage final, MigrationApp project, KnownBase known, MigrationFindings findings)
    {
        (this.final, this.project, this.known, this.findings) = (final, project, known, findings);
        AppFolder = FindAppFolder();
    }

    /// <summary>The folder that the app is started in; null where what is started is a script or another program.</summary>
    public string? AppFolder { get; }

    private string AssemblyFile => project.App.AssemblyName + ".dll";

    public void Entrypoint(StageStep step)
    {
        var words = Exec(step);
        if (words is ["dotnet"] && final.Last("CMD") is { } command && Exec(command) is [var dll, ..] && IsApp(dll))
            findings.Default(step, "the app is started");
        else if (words is null)
            Shell(step, "ImageEntrypoint");
        else
            Start(step, words, "ImageEntrypoint");
    }

    public void Command(StageStep step)
    {
        var words = Exec(step);
        if (final.Last("ENTRYPOINT") is { } entrypoint)
        {
            if (Exec(entrypoint) is ["dotnet"] && words is [var dll, .. var arguments] && IsApp(dll))
                Arguments(step, arguments);
            else if (words is null)
                Shell(step, "ImageCommand");
            else
                findings.Set(step, "", MigrationEntry.List("ImageCommand", [.. words.Select(word => InApp(word, words))]));
        }
        else if (words is null)
        {
            Shell(step, "ImageEntrypoint");
        }
        else
        {
            Start(step, words, "ImageEntrypoint");
        }
    }

    public void Healthcheck(StageStep step)
    {
        var text = step.Instruction.Text.Trim();
        if (text.Equals("NONE", StringComparison.OrdinalIgnoreCase))
        {
            findings.Set(step, "turns the base's off", MigrationEntry.Item("ImageHealthcheck", "NONE"));
            return;
        }

        var command = text.StartsWith("CMD", StringComparison.OrdinalIgnoreCase) ? text[3..].Trim() : text;
        (string, string?)[] times = [.. Times.Select(time => (time.Metadata, step.Instruction.Flag(time.Flag)))];
        if (command.Length <= MaxCommand && HttpRequest().Match(command) is { Success: true } request)
            findings.Set(step, "needs no curl and no shell", Probe(request, times));
        else if (DockerfileText.Exec(command) is { } words)
            findings.Set(
                step,
                "",
                MigrationEntry.Item("ImageHealthcheck", "", times) with
                {
                    Words = [.. words.Select(word => InApp(word, words))],
                }
            );
        else if (known.HasNoShell)
            findings.ByHand(step, "the base has no shell: ImageHealthcheck with Http=\"true\" asks the app for a path");
        else
            findings.Set(step, "", MigrationEntry.Item("ImageHealthcheck", command, times));
    }

    private MigrationEntry Probe(Match request, (string, string?)[] times)
    {
        var number = request.Groups["port"].Length > 0 ? request.Groups["port"].Value : "80";
        var path = request.Groups["path"].Length > 0 ? request.Groups["path"].Value : "/";
        string[] variables = [.. known.Variables.Concat(final.Environment).Select(variable => $"{variable.Key}={variable.Value}")];
        var usual = EnvironmentVariables.HttpPort(variables);
        var isUsual = usual?.ToString(CultureInfo.InvariantCulture) == number;
        return MigrationEntry.Item("ImageHealthcheck", path, [("Http", "true"), ("Port", isUsual ? null : number), .. times]);
    }

    private void Start(StageStep step, string[] words, string item)
    {
        if (words is ["dotnet", var verb, ..] && SdkCommands.Contains(verb))
            findings.Default(step, "the published app is started, and compiles nothing");
        else if (words is ["dotnet", var other, ..] && IsOtherAssembly(other))
            findings.Check(step, $"this project builds {AssemblyFile}: is the Dockerfile another project's?");
        else if (!StartsApp(words, out var arguments))
            findings.Set(step, "", MigrationEntry.List(item, [.. words.Select(word => InApp(word, words))]));
        else if (arguments.Count == 0)
            findings.Default(step, "the app is started");
        else
            findings.Set(step, "", MigrationEntry.List(item, [.. project.App.Entrypoint(Folder), .. arguments]));
    }

    private void Arguments(StageStep step, string[] arguments)
    {
        if (arguments.Length == 0)
            findings.Default(step, "the app is started");
        else
            findings.Set(step, "", MigrationEntry.List("ImageCommand", arguments));
    }

    // A line of one command that starts the app needs no shell; the signal to stop then reaches the app.
    private void Shell(StageStep step, string item)
    {
        var commands = ShellLine.Commands(step.Instruction.Text);
        string[] words = commands is [{ IsPlain: true } only] ? [.. only.Words.SkipWhile(word => word == "exec").Select(step.Expand)] : [];
        if (words.Length > 0 && words.All(DockerfileText.IsKnown) && (StartsApp(words, out _) || words is ["dotnet", ..]))
            Start(step, words, item);
        else if (known.HasNoShell)
            findings.ByHand(step, "the base has no shell: name the program and its arguments with ImageEntrypoint");
        else
            findings.Set(
                step,
                "a line for a shell; the app gets the signal to stop if it begins with exec",
                MigrationEntry.List(item, [.. ShellWords(step), step.Instruction.Text])
            );
    }

    private string[] ShellWords(StageStep step)
    {
        var shell = final.Steps.TakeWhile(one => one != step).LastOrDefault(one => one.Instruction.Keyword == "SHELL");
        return shell is null ? ["/bin/sh", "-c"] : DockerfileText.Exec(shell.Instruction.Text) ?? ["/bin/sh", "-c"];
    }

    private bool StartsApp(string[] words, out IReadOnlyList<string> arguments)
    {
        (var starts, arguments) = words switch
        {
            ["dotnet", "exec", var dll, .. var rest] when IsApp(dll) => (true, rest),
            ["dotnet", var dll, .. var rest] when IsApp(dll) => (true, rest),
            [var program, .. var rest] when IsApp(program) => (true, rest),
            _ => (false, Array.Empty<string>()),
        };
        return starts;
    }

    private bool IsApp(string word) =>
        ImagePaths.Name(word).Equals(AssemblyFile, StringComparison.OrdinalIgnoreCase) || ImagePaths.Name(word) == project.App.AssemblyName;

    private bool IsOtherAssembly(string word) => word.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) && !IsApp(word);

    // Docker starts at the working directory; what is in the app's folder is named in full.
    private string InApp(string word, string[] words)
    {
        if (IsApp(word))
            return ImagePaths.Join(Folder, ImagePaths.Name(word));
        var isProgram = word == words[0] && word.StartsWith("./", StringComparison.Ordinal);
        return isProgram ? ImagePaths.Join(final.WorkingDirectory, word) : word;
    }

    private string Folder => (AppFolder ?? "/app").TrimEnd('/') is { Length: > 0 } folder ? folder : "/";

    private string? FindAppFolder()
    {
        foreach (var step in final.Steps.Reverse().Where(step => step.Instruction.Keyword is "ENTRYPOINT" or "CMD"))
        {
            var words = Exec(step) ?? [.. ShellLine.Commands(step.Instruction.Text).SelectMany(command => command.Words)];
            if (words.FirstOrDefault(IsApp) is { } app)
                return known.Kind == "sdk" ? null : ImagePaths.Folder(ImagePaths.Join(final.WorkingDirectory, app));
        }

        return null;
    }

    private static string[]? Exec(StageStep step) => DockerfileText.Exec(step.Instruction.Text);

    [GeneratedRegex(
        @"\b(?:curl|wget)\b[^|;&]*?\bhttp://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(?<port>\d{1,5}))?"
            + @"(?<path>/[!-~-[""'|;&\],]]*)?(?=[\s""'|;&\],]|$)"
    )]
    private static partial Regex HttpRequest();
}

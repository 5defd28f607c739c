using ImagePublish.Diagnostics;
using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>Translates a Dockerfile into properties and items: instruction by instruction, each with what becomes of it.</summary>
/// <remarks>
/// The last stage is the image, with the stages that it is made from. What the others do is the work of <c>dotnet publish</c>; their
/// options of it are settings of the project.
/// </remarks>
internal sealed class DockerfileMigration
{
    private static readonly string[] SaidOnce = ["USER", "WORKDIR", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD", "SHELL"];

    private readonly Dockerfile file;
    private readonly MigrationFindings findings = new();
    private readonly FinalStage final;
    private readonly MigrationApp project;
    private readonly KnownBase known;
    private readonly Dictionary<string, Action<StageStep>> translations;

    private DockerfileMigration(Dockerfile file, MigrationApp given)
    {
        this.file = file;
        final = new FinalStage(file, name => KnownBase.Read(name).Variables);
        // The base will be that of the project's .NET.
        known = KnownBase.Read(final.Base) with { Version = given.App.FrameworkVersion };
        var stages = new BuildStages(file, final, given, findings);
        project = given with { App = stages.Translate() };
        var start = new StartInstructions(final, project, known, findings);
        var config = new ConfigInstructions(final, project, known, findings);
        var accounts = new AddedAccounts(final);
        var copies = new CopyInstructions(file, final, project, accounts, findings)
        {
            Outputs = stages.Outputs,
            AppFolder = start.AppFolder,
        };
        var runs = new RunInstructions(final, known, accounts, findings) { AppFolder = start.AppFolder };
        translations = new Dictionary<string, Action<StageStep>>
        {
            ["ENV"] = config.Env,
            ["LABEL"] = config.Label,
            ["EXPOSE"] = config.Expose,
            ["VOLUME"] = config.Volume,
            ["USER"] = step => config.User(step, accounts),
            ["WORKDIR"] = step => config.WorkDir(step, start.AppFolder ?? copies.AppTarget),
            ["STOPSIGNAL"] = config.StopSignal,
            ["MAINTAINER"] = config.Maintainer,
            ["ARG"] = config.Arg,
            ["COPY"] = copies.Copy,
            ["ADD"] = copies.Copy,
            ["RUN"] = runs.Run,
            ["ENTRYPOINT"] = start.Entrypoint,
            ["CMD"] = start.Command,
            ["HEALTHCHECK"] = start.Healthcheck,
            ["SHELL"] = step => findings.NotNeeded(step, "no shell command runs"),
            ["ONBUILD"] = step => findings.ByHand(step, "nothing is built on this image; say it in the project that would be"),
        };
    }

    /// <summary>Translates it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1153</c>: it is not for an app of .NET.</exception>
    public static IReadOnlyList<MigrationFinding> Translate(Dockerfile file, string name, MigrationApp app) =>
        IsForDotNet(file, app)
            ? new DockerfileMigration(file, app).Run()
            : throw new ImagePublishException(
                DiagnosticCodes.DockerfileForeign,
                $"{name} is not for an app of .NET: no stage has .NET, and nothing starts {Common.Text.Sanitize(app.App.AssemblyName)}. "
                    + "Name the app's own with ImageDockerfile."
            );

    private IReadOnlyList<MigrationFinding> Run()
    {
        TranslateBase();
        foreach (var argument in file.Arguments)
            findings.Add(argument, MigrationState.NotNeeded, "its value is included where it is used", []);
        foreach (var step in final.Steps)
        {
            if (known.IsWebServer)
                findings.ByHand(step, "the web server's");
            else
                Translate(step);
        }

        if (final.Last("USER") is null && known.HasApp && !known.HasNoShell && !known.IsWindows)
            findings.Add(
                "no USER",
                0,
                MigrationState.Check,
                "Docker runs it as root, this package as the base's app (1654); an app that needs root: <ImageUser>root</ImageUser>",
                []
            );
        if (final.Last("ENTRYPOINT") is null && final.Last("CMD") is null && !known.IsWebServer)
            findings.Add("no ENTRYPOINT", 0, MigrationState.Default, "the app is started", []);
        return findings.All;
    }

    private void Translate(StageStep step)
    {
        var keyword = step.Instruction.Keyword;
        if (SaidOnce.Contains(keyword) && final.Steps.Last(one => one.Instruction.Keyword == keyword) is var last && last != step)
            findings.NotNeeded(step, FormattableString.Invariant($"line {last.Instruction.Line} replaces it"));
        else if (translations.TryGetValue(keyword, out var translate))
            translate(step);
        else
            findings.ByHand(step, "not known to this package");
    }

    private void TranslateBase()
    {
        var (state, note, entry) = Base();
        var from = final.Stages[0].From;
        IReadOnlyList<MigrationEntry> entries = entry is null ? [] : [entry];
        findings.Add(from, state, note, entries);
        foreach (var stage in final.Stages.Skip(1))
            findings.Add(stage.From, MigrationState.NotNeeded, "the same image", []);
        if (from.Flag("platform") is { Length: > 0 } platform && !platform.Contains('$', StringComparison.Ordinal))
            findings.Add($"--platform={platform}", from.Line, MigrationState.Set, "", [Platform(platform)]);
        else if (known.IsWindows)
            findings.Add("Windows", from.Line, MigrationState.Set, "", [MigrationEntry.Property("ImageRuntimeIdentifiers", "win-x64")]);
    }

    private MigrationEntry Platform(string platform)
    {
        var architecture = platform.Split('/') switch
        {
            [_, "amd64", ..] => "x64",
            [_, "arm", ..] => "arm",
            [_, var other, ..] => other,
            _ => "x64",
        };
        var system = known.IsAlpine ? "linux-musl" : "linux";
        return MigrationEntry.Property("ImageRuntimeIdentifiers", $"{system}-{architecture}");
    }

    private (MigrationState State, string Note, MigrationEntry? Entry) Base()
    {
        var usual = project.App.DefaultBase(null).ToString();
        var own = MigrationEntry.Property("ImageBase", final.Base);
        var version = project.App.FrameworkVersion;
        if (!DockerfileText.IsKnown(final.Base))
            return (MigrationState.Check, "only a build knows this base: set the property, or leave ImageBase out", own);
        if (known.IsWebServer)
            return (
                MigrationState.ByHand,
                "this package makes images that start the app; files for a web server stay with the Dockerfile",
                null
            );
        if (final.Base == usual)
            return (MigrationState.Default, "the base for this app", null);
        if (known.Kind is null)
            return (MigrationState.Set, $"in place of {usual}", own);
        if (known.Kind == "sdk")
            return (MigrationState.Default, $"the app is published, and needs no SDK: its base is {usual}", null);
        if (KnownBase.Read(final.Base).Version != version)
            return (MigrationState.Check, $"the project is for .NET {version}: its base is {usual}", null);
        var family = project.App.DefaultBase(known.Family).ToString();
        return known.IsPinned || family != final.Base
            ? (MigrationState.Set, $"in place of {usual}", own)
            : (MigrationState.Set, "follows the project's .NET", MigrationEntry.Property("ImageBaseFamily", known.Family));
    }

    private static bool IsForDotNet(Dockerfile file, MigrationApp app)
    {
        var words = file.Stages.SelectMany(stage => stage.Instructions.Append(stage.From)).Select(instruction => instruction.Text);
        return words.Any(text =>
            text.Contains("dotnet", StringComparison.OrdinalIgnoreCase) || text.Contains(app.App.AssemblyName, StringComparison.Ordinal)
        );
    }
}

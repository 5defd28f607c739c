using System.Globalization;
using ImagePublish.Dockerfiles;
using ImagePublish.Images;

namespace ImagePublish.Migration;

/// <summary>Translates what is in an image's config but how it starts.</summary>
internal sealed class ConfigInstructions(FinalStage final, MigrationApp project, KnownBase known, MigrationFindings findings)
{
    private const string Generated = "org.opencontainers.image.";

    private static readonly string[] FromSources =
    [
        "created",
        "revision",
        "version",
        "source",
        "base.name",
        "base.digest",
        "title",
        "description",
        "authors",
        "vendor",
        "licenses",
        "url",
        "documentation",
    ];

    // What only the SDK reads.
    private static readonly string[] SdkVariables =
    [
        "DOTNET_CLI_TELEMETRY_OPTOUT",
        "DOTNET_CLI_HOME",
        "DOTNET_NOLOGO",
        "DOTNET_SKIP_FIRST_TIME_EXPERIENCE",
        "DOTNET_GENERATE_ASPNET_CERTIFICATE",
        "NUGET_XMLDOC_MODE",
        "NUGET_PACKAGES",
        "BUILD_CONFIGURATION",
    ];

    public void Env(StageStep step)
    {
        foreach (var (name, value) in step.Pairs())
            Env(step, name, value);
    }

    public void Label(StageStep step)
    {
        var pairs = step.Pairs();
        var generated = pairs.Where(pair => IsGenerated(pair.Key) && !DockerfileText.IsKnown(pair.Value)).Select(pair => pair.Key).ToList();
        var own = pairs.Where(pair => !generated.Contains(pair.Key)).ToList();
        if (generated.Count > 0)
            findings.Add(
                $"LABEL {string.Join(' ', generated)}",
                step.Instruction.Line,
                MigrationState.Default,
                "comes from the project and source control",
                []
            );
        if (own.Count > 0)
            findings.Add(
                $"LABEL {string.Join(' ', own.Select(pair => $"{pair.Key}={DockerfileText.Replace(pair.Value, name => $"${name}")}"))}",
                step.Instruction.Line,
                MigrationState.Set,
                Unknown(own),
                [.. own.Select(pair => MigrationEntry.Item("ImageLabel", pair.Key, ("Value", pair.Value)))]
            );
    }

    public void Expose(StageStep step)
    {
        string[] variables = [.. Variables.Select(variable => $"{variable.Key}={variable.Value}")];
        var found = project.App.UsesAspNet ? EnvironmentVariables.Ports(variables).ToList() : [];
        List<MigrationEntry> entries = [];
        foreach (var word in step.Words())
        {
            if (!DockerfileText.IsKnown(word) || !ExposedPort.TryParseRange(word, null, out var ports))
                entries.Add(MigrationEntry.Item("ImagePort", word));
            else if (!ports.All(found.Contains))
                entries.Add(
                    word.Split('/') switch
                    {
                        [var number, var protocol] => MigrationEntry.Item("ImagePort", number, ("Protocol", protocol)),
                        _ => MigrationEntry.Item("ImagePort", word),
                    }
                );
        }

        if (entries.Count == 0)
            findings.Default(step, "found in the variables that say where the app listens");
        else if (found.Count > 0 && known.HasApp && entries.Any(entry => entry.Value is "80" or "443"))
            findings.Check(step, FormattableString.Invariant($"the app listens on {found[0].Number} where nothing else is said"), entries);
        else
            findings.Set(step, "", entries);
    }

    public void Volume(StageStep step)
    {
        var volumes = DockerfileText.Exec(step.Instruction.Text) ?? step.Words();
        findings.Set(step, "", [.. volumes.Select(volume => MigrationEntry.Item("ImageVolume", volume))]);
    }

    public void User(StageStep step, AddedAccounts accounts)
    {
        var user = step.Expand(step.Instruction.Text.Trim());
        var name = user.Split(':')[0];
        if (known.HasApp && name is "app" or "1654" && user is not "app:root" and not "app:0")
            findings.Default(step, "the base's app (1654) runs it");
        else if (name is "root" or "0")
            findings.Check(step, "without it the app runs as the base's app (1654)", MigrationEntry.Property("ImageUser", user));
        else if (!accounts.TryFind(name, out var number))
            findings.Set(step, DockerfileText.IsKnown(user) ? "" : "a property, or a number", MigrationEntry.Property("ImageUser", user));
        else if (number is not null)
            findings.Set(step, "by number, as no account is added", MigrationEntry.Property("ImageUser", number));
        else if (known.HasApp)
            findings.Default(step, $"the base's app (1654) runs it in place of {name}");
        else
            findings.Check(step, "no account is added; any number will do", MigrationEntry.Property("ImageUser", "1654"));
    }

    public void WorkDir(StageStep step, string? appFolder)
    {
        var folder = step.Absolute(step.Expand(step.Instruction.Text.Trim()));
        var app = (appFolder ?? folder).TrimEnd('/');
        if (folder.TrimEnd('/') != app)
            findings.Check(step, "here the app's folder is the working directory", AppFolder(app));
        else if (app is "/app" or "C:/app")
            findings.Default(step, "the app's folder");
        else if (known.Kind == "sdk")
            findings.Default(step, "the app's folder is /app");
        else
            findings.Set(step, "", AppFolder(app));
    }

    public void StopSignal(StageStep step)
    {
        var signal = step.Expand(step.Instruction.Text.Trim());
        if (signal is "SIGTERM" or "15")
            findings.Default(step, "containers are stopped with it");
        else
            findings.Set(step, "", MigrationEntry.Property("ImageStopSignal", signal));
    }

    public void Maintainer(StageStep step) => findings.Default(step, "Authors of the project becomes a label");

    public void Arg(StageStep step) =>
        findings.NotNeeded(step, "its value is included where it is used; what a build passes is a property");

    private void Env(StageStep step, string name, string value)
    {
        var source = $"ENV {name}={(MigrationFindings.IsSecret(name, value) ? "…" : DockerfileText.Replace(value, one => $"${one}"))}";
        var entry = MigrationEntry.Item("ImageEnvironmentVariable", name, ("Value", value));
        var (state, note) = (MigrationState.Set, Unknown([KeyValuePair.Create(name, value)]));
        if (MigrationFindings.IsSecret(name, value))
            (state, note) = (MigrationState.ByHand, "anyone who has the image can read it: pass it when the container starts");
        else if (known.Variables.TryGetValue(name, out var inherited) && inherited == value)
            (state, note) = (MigrationState.Default, "the base's");
        else if (SdkVariables.Contains(name))
            (state, note) = (MigrationState.NotNeeded, "only the SDK reads it");
        else if (DockerfileText.HasInherited(value))
            (state, note) = (MigrationState.ByHand, "the base's value is not known here: write it in full as an ImageEnvironmentVariable");
        findings.Add(source, step.Instruction.Line, state, note, state == MigrationState.Set ? [entry] : []);
    }

    // What the base has, by the project's .NET.
    private IEnumerable<KeyValuePair<string, string>> Variables => known.Variables.Concat(final.Environment);

    private static bool IsGenerated(string label) =>
        label.StartsWith(Generated, StringComparison.Ordinal) && FromSources.Contains(label[Generated.Length..]);

    private static string Unknown(IReadOnlyList<KeyValuePair<string, string>> pairs) =>
        pairs.Any(pair => DockerfileText.HasArgument(pair.Value))
            ? string.Create(CultureInfo.InvariantCulture, $"set the property, as with -p:{Names(pairs).First()}=…")
            : "";

    private static List<string> Names(IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        var names = new List<string>();
        foreach (var pair in pairs)
            DockerfileText.Replace(pair.Value, name =>
            {
                names.Add(name);
                return "";
            });
        return names;
    }

    private static MigrationEntry[] AppFolder(string folder) =>
        folder is "/app" ? [] : [MigrationEntry.Property("ImageWorkingDirectory", folder.Length == 0 ? "/" : folder)];
}

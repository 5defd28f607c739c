using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting.Page;

/// <summary>The Dockerfile that would make the same image: to read and compare, not to build from.</summary>
internal static class EquivalentDockerfile
{
    /// <summary>Writes it.</summary>
    /// <returns>The Dockerfile; null where the base's config, which it builds on, is not known.</returns>
    public static string? Write(ImageReport report)
    {
        var baseImage = report.Base;
        if (baseImage is not { Name: { } name, Config: { } baseConfig })
            return null;
        var config = report.Result.Image.Config.Config ?? new ExecutionConfig();
        var inherited = baseConfig.Config ?? new ExecutionConfig();
        var text = new StringBuilder();
        Line($"FROM {name}{(baseImage.Digest is { } digest && !name.Contains('@', StringComparison.Ordinal) ? $"@{digest}" : "")}");
        var taken = report
            .Layers.Where(layer => layer.IsTaken)
            .Select(layer => layer.Name)
            .Distinct()
            .Select(image => $"COPY --from={image} / /");
        var copied = report.Layers.Where(layer => !layer.IsOfBase && !layer.IsTaken).SelectMany(CopyOf);
        foreach (var line in taken.Concat(copied).Concat(Additions(config, inherited)))
            Line(line);
        Add("USER", config.User, inherited.User);
        Add("WORKDIR", config.WorkingDir, inherited.WorkingDir);
        Add("STOPSIGNAL", config.StopSignal, inherited.StopSignal);
        if (config.Healthcheck is { Test: [var kind, ..] test } check && check != inherited.Healthcheck)
            Line(
                kind == "NONE"
                    ? "HEALTHCHECK NONE"
                    : $"HEALTHCHECK {Options(check)}CMD {(kind == "CMD" ? Words([.. test.Skip(1)]) : test[^1])}"
            );
        Add("ENTRYPOINT", Words(config.Entrypoint), Words(inherited.Entrypoint));
        Add("CMD", Words(config.Cmd), Words(inherited.Cmd));
        return text.ToString();

        void Add(string instruction, string? value, string? before)
        {
            if (!string.IsNullOrEmpty(value) && value != before)
                Line($"{instruction} {value}");
        }

        // A Dockerfile has no escape for the end of a line, and what follows one would be an instruction.
        void Line(string line) => text.Append(line.ReplaceLineEndings("\\n")).Append('\n');
    }

    private static string[] CopyOf(ReportLayer layer) =>
        [$"# {layer.Name}: {layer.Files.Count} files", $"COPY {layer.Name.Replace(' ', '-')}/ /"];

    private static IEnumerable<string> Additions(ExecutionConfig config, ExecutionConfig inherited)
    {
        foreach (var variable in (config.Env ?? []).Except(inherited.Env ?? []))
            yield return $"ENV {Name(variable)}={Quoted(variable[(Name(variable).Length + 1)..])}";
        foreach (var (key, value) in config.Labels ?? new Dictionary<string, string>())
        {
            if (inherited.Labels?.GetValueOrDefault(key) != value)
                yield return $"LABEL {Quoted(key)}={Quoted(value)}";
        }

        foreach (var port in ExposedPort.Read(config.ExposedPorts).Except(ExposedPort.Read(inherited.ExposedPorts)))
            yield return $"EXPOSE {port}";
        foreach (var volume in (config.Volumes ?? []).Except(inherited.Volumes ?? []))
            yield return $"VOLUME {Words([volume])}";
    }

    private static string Name(string variable) => variable.Split('=')[0];

    private static string Words(IReadOnlyList<string>? words) =>
        words is null or [] ? "" : $"[{string.Join(',', words.Select(JsonString))}]";

    private static string JsonString(string word) => $"\"{JsonEncodedText.Encode(word, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private static string Quoted(string value)
    {
        var escaped = value
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("$", "\\$", StringComparison.Ordinal);
        return $"\"{escaped}\"";
    }

    private static string Options(Healthcheck check)
    {
        var options = new StringBuilder();
        Add("interval", check.Interval);
        Add("timeout", check.Timeout);
        Add("start-period", check.StartPeriod);
        Add("start-interval", check.StartInterval);
        if (check.Retries is > 0)
            options.Append($"--retries={check.Retries} ");
        return options.ToString();

        void Add(string name, long? nanoseconds)
        {
            if (nanoseconds is > 0)
                options.Append($"--{name}={nanoseconds / 1_000_000}ms ");
        }
    }
}

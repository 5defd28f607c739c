using System.Text;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Explain;

/// <summary>Compares how two configs run an image. Layers and history are compared elsewhere.</summary>
internal static class ConfigComparer
{
    public static IReadOnlyList<ConfigChange> Compare(ImageConfig before, ImageConfig after)
    {
        var (old, now) = (Values(before), Values(after));
        return
        [
            .. old
                .Keys.Union(now.Keys)
                .Order(StringComparer.Ordinal)
                .Select(name => new ConfigChange(name, old.GetValueOrDefault(name), now.GetValueOrDefault(name)))
                .Where(change => change.Before != change.After),
        ];
    }

    /// <summary>The settings of a config, each with its name.</summary>
    public static IReadOnlyDictionary<string, string> Values(ImageConfig config)
    {
        var execution = config.Config ?? new ExecutionConfig();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("platform", config.Platform.ToString());
        Add("created", config.Created);
        Add("author", config.Author);
        Add("user", execution.User);
        Add("folder", execution.WorkingDir);
        Add("entrypoint", Joined(execution.Entrypoint));
        Add("command", Joined(execution.Cmd));
        Add("stop signal", execution.StopSignal);
        if (execution.Healthcheck is { } check)
            Add("health check", Encoding.UTF8.GetString(OciJson.Write(check)));
        foreach (var port in ExposedPort.Read(execution.ExposedPorts))
            Add($"port {port}", "exposed");
        foreach (var volume in execution.Volumes ?? [])
            Add($"volume {volume}", "declared");
        foreach (var variable in execution.Env ?? [])
            Add($"env {variable.Split('=')[0]}", variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        foreach (var (name, value) in execution.Labels ?? new Dictionary<string, string>())
            Add($"label {name}", value);
        return values;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                values[name] = value;
        }
    }

    private static string? Joined(IReadOnlyList<string>? words) => words is null ? null : string.Join(' ', words);
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ImagePublish.Engines;

/// <summary>Where Docker's API is to be had: as its own client finds it.</summary>
/// <remarks>
/// <see href="https://docs.docker.com/engine/manage-resources/contexts/">Docker contexts</see>, and the variables <c>DOCKER_HOST</c>,
/// <c>DOCKER_CONTEXT</c>.
/// </remarks>
internal sealed record DockerAddress(string Scheme, string Target)
{
    private const string DefaultContext = "default";
    private const int InsecurePort = 2375;

    public static DockerAddress Default =>
        OperatingSystem.IsWindows() ? new("npipe", "docker_engine") : new("unix", "/var/run/docker.sock");

    /// <summary>Finds Docker's address.</summary>
    /// <returns>The address; null for one that only Docker's own client can reach: by ssh, or with certificates.</returns>
    public static DockerAddress? Find(EngineSettings settings)
    {
        if (settings.Variable("DOCKER_HOST") is { Length: > 0 } host)
            return settings.Variable("DOCKER_TLS_VERIFY") is { Length: > 0 } && host.StartsWith("tcp:", StringComparison.Ordinal)
                ? null
                : TryParse(host);
        var context = settings.Variable("DOCKER_CONTEXT") is { Length: > 0 } named ? named : CurrentContext(settings);
        return context is null or DefaultContext ? Default : OfContext(settings, context);
    }

    public static DockerAddress? TryParse(string text)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal))
            return new("unix", text["unix://".Length..]);
        if (text.StartsWith("npipe://", StringComparison.Ordinal))
            return new("npipe", text[(text.LastIndexOf('/') + 1)..]);
        return
            text.StartsWith("tcp://", StringComparison.Ordinal)
            && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.AbsolutePath == "/"
            ? new("tcp", $"{uri.IdnHost}:{(uri.Port > 0 ? uri.Port : InsecurePort)}")
            : null;
    }

    public override string ToString() => Scheme == "npipe" ? $"npipe:////./pipe/{Target}" : $"{Scheme}://{Target}";

    private static string? CurrentContext(EngineSettings settings) =>
        Read(Path.Combine(settings.DockerFolder, "config.json"), root => Field(root, "currentContext")?.GetString());

    // A context's folder is named after the digest of its name.
    private static DockerAddress? OfContext(EngineSettings settings, string context)
    {
        var folder = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(context)));
        if (Directory.Exists(Path.Combine(settings.DockerFolder, "contexts", "tls", folder)))
            return null;
        var host = Read(Path.Combine(settings.DockerFolder, "contexts", "meta", folder, "meta.json"), root =>
            Field(root, "Endpoints") is { } endpoints && Field(endpoints, "docker") is { } docker
                ? Field(docker, "Host")?.GetString()
                : null
        );
        return host is null ? null : TryParse(host);
    }

    private static JsonElement? Field(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    private static string? Read(string path, Func<JsonElement, string?> read)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

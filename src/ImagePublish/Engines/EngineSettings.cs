namespace ImagePublish.Engines;

/// <summary>What the search for a container engine knows of the machine. Everything is handed in: nothing is read from the environment.</summary>
internal sealed record EngineSettings
{
    /// <summary>An environment variable's value; null if it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>The user's home folder.</summary>
    public required string HomeFolder { get; init; }

    /// <summary>Docker's folder of settings.</summary>
    internal string DockerFolder => Variable("DOCKER_CONFIG") is { Length: > 0 } folder ? folder : Path.Combine(HomeFolder, ".docker");
}

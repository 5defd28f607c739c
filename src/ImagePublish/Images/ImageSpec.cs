using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>The user's settings of an image, parsed. What is null or empty is inherited from the base.</summary>
internal sealed record ImageSpec
{
    public required Platform Platform { get; init; }

    /// <summary>The one instant for everything in the image that has a time.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The family of media types; null takes the base's.</summary>
    public ImageFormat? Format { get; init; }

    public string? WorkingDirectory { get; init; }

    public string? User { get; init; }

    public string? StopSignal { get; init; }

    public Healthcheck? Healthcheck { get; init; }

    /// <summary>What the health check asks by http in place of a test of its own; null where it is a command.</summary>
    public HttpProbe? Probe { get; init; }

    /// <summary>The command that always runs; setting it drops the base's <see cref="Command"/>, as <c>docker build</c> does.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Its arguments, which a user may replace; empty for none.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>
    /// Whether <see cref="Command"/> starts the app by itself: then a base's entry point of nothing but <c>dotnet</c> is dropped.
    /// </summary>
    public bool CommandStartsApp { get; init; }

    /// <summary>
    /// Whether the app is a server of ASP.NET, which listens on the ports of the base's variables. Others only have the ports that they
    /// name.
    /// </summary>
    public bool ListensWhereBaseSays { get; init; } = true;

    /// <summary>Environment variables, in order; a later one of the same name wins.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> EnvironmentVariables { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Annotations { get; init; } = [];

    /// <summary>Ports that the app listens on besides those of its environment variables.</summary>
    public IReadOnlyList<ExposedPort> Ports { get; init; } = [];

    public IReadOnlyList<string> Volumes { get; init; } = [];
}

using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>How a container of an image is run: the property <c>config</c> of the image's config.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties">image-spec, Image Configuration,
/// Properties</see>; the health check is <see href="https://github.com/moby/docker-image-spec/blob/main/spec.md">Docker's</see>.
/// </remarks>
internal sealed record ExecutionConfig : IJsonObject
{
    public string? User { get; init; }

    public IReadOnlyList<string>? ExposedPorts { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    public IReadOnlyList<string>? Volumes { get; init; }

    public string? WorkingDir { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public string? StopSignal { get; init; }

    public Healthcheck? Healthcheck { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public static ExecutionConfig Read(JsonObjectReader json) =>
        new()
        {
            User = json.OptionalString("User"),
            ExposedPorts = json.OptionalSet("ExposedPorts"),
            Env = json.OptionalStrings("Env"),
            Entrypoint = json.OptionalStrings("Entrypoint"),
            Cmd = json.OptionalStrings("Cmd"),
            Volumes = json.OptionalSet("Volumes"),
            WorkingDir = json.OptionalString("WorkingDir"),
            Labels = json.OptionalMap("Labels"),
            StopSignal = json.OptionalString("StopSignal"),
            Healthcheck = json.OptionalObject("Healthcheck", Healthcheck.Read),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteOptional("User", User);
        json.WriteSet("ExposedPorts", ExposedPorts);
        json.WriteStrings("Env", Env);
        json.WriteStrings("Entrypoint", Entrypoint);
        json.WriteStrings("Cmd", Cmd);
        json.WriteSet("Volumes", Volumes);
        json.WriteOptional("WorkingDir", WorkingDir);
        json.WriteMap("Labels", Labels);
        json.WriteOptional("StopSignal", StopSignal);
        json.WriteObject("Healthcheck", Healthcheck);
        json.WriteFields(Unknown);
    }
}

/// <summary>How to see that the app is well. Times are in nanoseconds, zero and null inherit.</summary>
internal sealed record Healthcheck : IJsonObject
{
    /// <summary>The test: <c>NONE</c>, <c>CMD</c> and arguments, or <c>CMD-SHELL</c> and a command line.</summary>
    public IReadOnlyList<string>? Test { get; init; }

    public long? Interval { get; init; }

    public long? Timeout { get; init; }

    public long? StartPeriod { get; init; }

    public long? StartInterval { get; init; }

    public int? Retries { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public static Healthcheck Read(JsonObjectReader json) =>
        new()
        {
            Test = json.OptionalStrings("Test"),
            Interval = json.OptionalInt64("Interval"),
            Timeout = json.OptionalInt64("Timeout"),
            StartPeriod = json.OptionalInt64("StartPeriod"),
            StartInterval = json.OptionalInt64("StartInterval"),
            Retries = json.OptionalInt32("Retries"),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteStrings("Test", Test);
        json.WriteOptional("Interval", Interval);
        json.WriteOptional("Timeout", Timeout);
        json.WriteOptional("StartPeriod", StartPeriod);
        json.WriteOptional("StartInterval", StartInterval);
        json.WriteOptional("Retries", Retries);
        json.WriteFields(Unknown);
    }
}

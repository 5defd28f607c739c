namespace ImagePublish.Tasks.Traces;

/// <summary>Whether a publish is traced. It is asked by every publish, and needs nothing of what sends spans.</summary>
/// <remarks>See OpenTelemetry's <see href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/">environment
/// variables</see>. Unlike in an SDK, there is no default endpoint: a build on a machine without a collector sends nothing.</remarks>
internal static class TraceSwitch
{
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    public const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    public static bool IsOn(Func<string, string?> variable) =>
        (!string.IsNullOrWhiteSpace(variable(TracesEndpoint)) || !string.IsNullOrWhiteSpace(variable(Endpoint)))
        && !Is(variable("OTEL_SDK_DISABLED"), "true")
        && !Is(variable("OTEL_TRACES_SAMPLER"), "always_off")
        && IsExporterOtlp(variable("OTEL_TRACES_EXPORTER"));

    private static bool IsExporterOtlp(string? names) =>
        string.IsNullOrWhiteSpace(names) || Array.Exists(names.Split(','), name => Is(name, "otlp"));

    private static bool Is(string? value, string expected) => expected.Equals(value?.Trim(), StringComparison.OrdinalIgnoreCase);
}

using System.Diagnostics;
using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;

namespace ImagePublish.Tasks.Traces;

/// <summary>Where spans go, and what they belong to, as OpenTelemetry's environment variables say it.</summary>
/// <remarks>See <see href="https://opentelemetry.io/docs/specs/otel/protocol/exporter/">OTLP exporter</see>, and <see
/// href="https://opentelemetry.io/docs/specs/otel/context/env-carriers/">environment variables as carriers</see>.</remarks>
internal sealed record TraceSettings(RequestUrl Endpoint)
{
    // An SDK has ten seconds: longer than a build should wait for something that it does not need.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(3);

    private const string Protobuf = "http/protobuf";
    private const string Json = "http/json";
    private const string ServiceNameAttribute = "service.name";
    private const string DefaultServiceName = "ImagePublish.Tasks";
    private const int LongestTimeout = 60_000;

    /// <summary>Whether documents are JSON rather than protobuf.</summary>
    public bool IsJson { get; private init; }

    public bool IsCompressed { get; private init; }

    /// <summary>Often secret.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; private init; } = [];

    public TimeSpan Timeout { get; private init; } = DefaultTimeout;

    public string? CertificateFile { get; private init; }

    /// <summary>What describes whoever has the spans.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Resource { get; private init; } = [];

    /// <summary>The span that the publish belongs to; without one, the trace that all of this process are in.</summary>
    public ActivityContext Parent { get; private init; }

    /// <summary>Whether whoever started the build does not record this trace.</summary>
    public bool IsUnsampled { get; private init; }

    /// <exception cref="ImagePublishException"><c>IMG1160</c>: a variable can't be used.</exception>
    public static TraceSettings Read(Func<string, string?> variable)
    {
        var (protocol, protocolName) = Exporter(variable, "PROTOCOL");
        if (protocol is not (null or Protobuf or Json))
            throw Unusable(
                protocolName,
                protocol,
                $"spans are sent as {Protobuf} or {Json}. Set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL={Protobuf}, and "
                    + $"{TraceSwitch.TracesEndpoint} to where the collector takes it: port 4318, where gRPC has 4317"
            );
        var (timeout, timeoutName) = Exporter(variable, "TIMEOUT");
        var (headers, headersName) = Exporter(variable, "HEADERS");
        var parent = ReadParent(variable);
        return new TraceSettings(ReadEndpoint(variable))
        {
            IsJson = protocol == Json,
            IsCompressed = Exporter(variable, "COMPRESSION").Value == "gzip",
            Headers = headers is null ? [] : ReadHeaders(headersName, headers),
            Timeout = timeout is null ? DefaultTimeout : ReadTimeout(timeoutName, timeout),
            CertificateFile = Exporter(variable, "CERTIFICATE").Value ?? Optional(variable("SSL_CERT_FILE")),
            Resource = ReadResource(variable),
            Parent = parent ?? new ActivityContext(ActivityTraceId.CreateRandom(), default, ActivityTraceFlags.Recorded),
            IsUnsampled = parent?.TraceFlags == ActivityTraceFlags.None && variable("OTEL_TRACES_SAMPLER")?.Trim() != "always_on",
        };
    }

    /// <summary>The same with another attribute of the resource, where it is known and was not given.</summary>
    public TraceSettings With(string attribute, string? value) =>
        value is null || Resource.Any(given => given.Key == attribute)
            ? this
            : this with
            {
                Resource = [.. Resource, KeyValuePair.Create(attribute, value)],
            };

    private static RequestUrl ReadEndpoint(Func<string, string?> variable)
    {
        var own = Optional(variable(TraceSwitch.TracesEndpoint));
        var (name, text) = own is null
            ? (TraceSwitch.Endpoint, Optional(variable(TraceSwitch.Endpoint)) ?? "")
            : (TraceSwitch.TracesEndpoint, own);
        // What it is may be a mistake with a password in it.
        if (!RequestUrl.TryParse(text, out var url))
            throw Unusable(name, value: null, "expected an address such as http://localhost:4318, without a user name");
        return own is null ? url.Append("/v1/traces") : url;
    }

    // What is only for traces wins over what is for all signals.
    private static (string? Value, string Name) Exporter(Func<string, string?> variable, string setting)
    {
        var own = $"OTEL_EXPORTER_OTLP_TRACES_{setting}";
        var all = $"OTEL_EXPORTER_OTLP_{setting}";
        return Optional(variable(own)) is { } value ? (value, own) : (Optional(variable(all)), all);
    }

    private static TimeSpan ReadTimeout(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, LongestTimeout))
            : throw Unusable(name, text, "expected milliseconds, such as 3000");

    private static List<KeyValuePair<string, string>> ReadHeaders(string name, string text)
    {
        var headers = ReadPairs(text);
        return headers is not null && headers.All(header => IsToken(header.Key) && !header.Value.Any(char.IsControl))
            ? headers
            : throw Unusable(name, value: null, "expected name=value,name=value, with %2C for a comma in a value");
    }

    private static List<KeyValuePair<string, string>> ReadResource(Func<string, string?> variable)
    {
        const string Name = "OTEL_RESOURCE_ATTRIBUTES";
        var given = Optional(variable(Name)) is { } text
            ? ReadPairs(text) ?? throw Unusable(Name, value: null, "expected name=value,name=value, with %2C for a comma in a value")
            : [];
        var service = Optional(variable("OTEL_SERVICE_NAME"));
        var isNamed = service is null && given.Exists(attribute => attribute.Key == ServiceNameAttribute);
        return isNamed
            ? given
            :
            [
                KeyValuePair.Create(ServiceNameAttribute, service ?? DefaultServiceName),
                .. given.Where(attribute => attribute.Key != ServiceNameAttribute),
            ];
    }

    private static ActivityContext? ReadParent(Func<string, string?> variable) =>
        ActivityContext.TryParse(Optional(variable("TRACEPARENT")), Optional(variable("TRACESTATE")), isRemote: true, out var parent)
            ? parent
            : null;

    private static List<KeyValuePair<string, string>>? ReadPairs(string text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var pair in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (pair.Split('=', 2, StringSplitOptions.TrimEntries) is not [{ Length: > 0 } key, var value])
                return null;
            pairs.Add(KeyValuePair.Create(Uri.UnescapeDataString(key), Uri.UnescapeDataString(value)));
        }

        return pairs;
    }

    private static bool IsToken(string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    private static string? Optional(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static ImagePublishException Unusable(string name, string? value, string reason) =>
        new(
            DiagnosticCodes.SpansNotSent,
            $"The environment variable {name}{(value is null ? "" : $" has the value '{Text.Sanitize(value)}', which")} can't be used: "
                + $"{reason}. No spans are sent; the image is not affected."
        );
}

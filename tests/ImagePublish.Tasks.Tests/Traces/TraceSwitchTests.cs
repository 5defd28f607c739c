using ImagePublish.Tasks.Traces;

namespace ImagePublish.Tasks.Tests.Traces;

/// <summary>What turns traces on and off.</summary>
public sealed class TraceSwitchTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://localhost:4318/v1/traces")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_TRACES_EXPORTER=console,otlp")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_SDK_DISABLED=false")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT= ")]
    [InlineData(false, "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "OTEL_SERVICE_NAME=shop")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:4318")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_SDK_DISABLED=True")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_TRACES_EXPORTER=none")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_TRACES_SAMPLER=always_off")]
    public void AnEndpointTurnsThemOn(bool isOn, params string[] variables)
    {
        var environment = variables.Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);
        Assert.Equal(isOn, TraceSwitch.IsOn(environment.GetValueOrDefault));
    }
}

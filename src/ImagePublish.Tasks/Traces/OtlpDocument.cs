using System.Diagnostics;
using System.Globalization;

namespace ImagePublish.Tasks.Traces;

/// <summary>Spans as the message <c>ExportTraceServiceRequest</c> of OTLP 1.</summary>
/// <param name="clean">Makes text fit to leave this machine.</param>
internal sealed class OtlpDocument(IOtlpWriter writer, Func<string, string> clean)
{
    private const int HasRemoteness = 0x100;
    private const int IsRemote = 0x200;

    /// <param name="resource">What describes whoever has the spans.</param>
    public byte[] Write(IReadOnlyList<KeyValuePair<string, string>> resource, IReadOnlyCollection<Activity> spans)
    {
        writer.WriteMessages(new(1, "resourceSpans"), [spans], all =>
        {
            writer.WriteMessage(new(1, "resource"), () =>
                WriteAttributes(new(1, "attributes"), resource.Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)))
            );
            writer.WriteMessages(new(2, "scopeSpans"), all.GroupBy(span => span.Source), group =>
            {
                writer.WriteMessage(new(1, "scope"), () => WriteScope(group.Key));
                writer.WriteMessages(new(2, "spans"), group, WriteSpan);
            });
        });
        return writer.ToArray();
    }

    private void WriteScope(ActivitySource source)
    {
        writer.WriteText(new(1, "name"), source.Name);
        writer.WriteText(new(2, "version"), source.Version ?? "");
    }

    private void WriteSpan(Activity span)
    {
        writer.WriteId(new(1, "traceId"), span.TraceId.ToHexString());
        writer.WriteId(new(2, "spanId"), span.SpanId.ToHexString());
        if (!string.IsNullOrEmpty(span.TraceStateString))
            writer.WriteText(new(3, "traceState"), span.TraceStateString);
        if (span.ParentSpanId != default)
            writer.WriteId(new(4, "parentSpanId"), span.ParentSpanId.ToHexString());
        writer.WriteText(new(5, "name"), clean(span.DisplayName));
        writer.WriteEnum(new(6, "kind"), span.Kind == ActivityKind.Client ? 3 : 1);
        writer.WriteTime(new(7, "startTimeUnixNano"), Nanoseconds(span.StartTimeUtc));
        writer.WriteTime(new(8, "endTimeUnixNano"), Nanoseconds(span.StartTimeUtc + span.Duration));
        WriteAttributes(new(9, "attributes"), span.TagObjects);
        writer.WriteMessages(new(11, "events"), span.Events, WriteEvent);
        if (span.Status == ActivityStatusCode.Error)
            writer.WriteMessage(new(15, "status"), () => WriteError(span.StatusDescription));
        writer.WriteFlags(new(16, "flags"), (uint)((int)span.ActivityTraceFlags | HasRemoteness | (span.HasRemoteParent ? IsRemote : 0)));
    }

    private void WriteEvent(ActivityEvent happened)
    {
        writer.WriteTime(new(1, "timeUnixNano"), Nanoseconds(happened.Timestamp.UtcDateTime));
        writer.WriteText(new(2, "name"), happened.Name);
        WriteAttributes(new(3, "attributes"), happened.Tags);
    }

    private void WriteError(string? description)
    {
        if (description is not null)
            writer.WriteText(new(2, "message"), clean(description));
        writer.WriteEnum(new(3, "code"), 2);
    }

    private void WriteAttributes(OtlpField field, IEnumerable<KeyValuePair<string, object?>> attributes) =>
        writer.WriteMessages(field, attributes.Where(attribute => attribute.Value is not null), attribute =>
        {
            writer.WriteText(new(1, "key"), clean(attribute.Key));
            writer.WriteMessage(new(2, "value"), () => WriteValue(attribute.Value!));
        });

    private void WriteValue(object value)
    {
        switch (value)
        {
            case bool flag:
                writer.WriteBool(new(2, "boolValue"), flag);
                break;
            case int or long:
                writer.WriteInteger(new(3, "intValue"), Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case string[] texts:
                writer.WriteMessage(new(5, "arrayValue"), () => writer.WriteMessages(new(1, "values"), texts, WriteValue));
                break;
            default:
                writer.WriteText(new(1, "stringValue"), clean(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
                break;
        }
    }

    private static ulong Nanoseconds(DateTime instant) => (ulong)(instant - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Traces;

/// <summary>A span as a collector reads it, by the definitions of OTLP and with nothing of what wrote it.</summary>
public sealed record ReceivedSpan
{
    public required string TraceId { get; init; }

    public required string SpanId { get; init; }

    public string ParentId { get; init; } = "";

    public string State { get; init; } = "";

    public required string Name { get; init; }

    public required long Kind { get; init; }

    public required ulong Start { get; init; }

    public required ulong End { get; init; }

    public required IReadOnlyDictionary<string, object> Attributes { get; init; }

    public IReadOnlyList<(string Name, IReadOnlyDictionary<string, object> Attributes)> Events { get; init; } = [];

    /// <summary>2 for a failure.</summary>
    public long Status { get; init; }

    public string StatusMessage { get; init; } = "";

    public long Flags { get; init; }

    /// <summary>Of whoever sent it.</summary>
    public required IReadOnlyDictionary<string, object> Resource { get; init; }

    public required string Scope { get; init; }

    public static IEnumerable<ReceivedSpan> ReadProtobuf(byte[] body) =>
        from resource in new Message(body).All(1)
        from scope in resource.All(2)
        from span in scope.All(2)
        select new ReceivedSpan
        {
            TraceId = Convert.ToHexStringLower(span.Bytes(1)),
            SpanId = Convert.ToHexStringLower(span.Bytes(2)),
            State = span.Text(3),
            ParentId = Convert.ToHexStringLower(span.Bytes(4)),
            Name = span.Text(5),
            Kind = (long)span.Number(6),
            Start = span.Number(7),
            End = span.Number(8),
            Attributes = AttributesOf(span, 9),
            Events = [.. span.All(11).Select(one => (one.Text(2), AttributesOf(one, 3)))],
            Status = (long)span.All(15).Sum(status => (decimal)status.Number(3)),
            StatusMessage = string.Concat(span.All(15).Select(status => status.Text(2))),
            Flags = (long)span.Number(16),
            Resource = AttributesOf(resource.All(1).Single(), 1),
            Scope = scope.All(1).Single().Text(1),
        };

    public static IEnumerable<ReceivedSpan> ReadJson(byte[] body) =>
        from resource in JsonDocument.Parse(body).RootElement.GetProperty("resourceSpans").EnumerateArray()
        from scope in resource.GetProperty("scopeSpans").EnumerateArray()
        from span in scope.GetProperty("spans").EnumerateArray()
        select new ReceivedSpan
        {
            TraceId = TextOf(span, "traceId"),
            SpanId = TextOf(span, "spanId"),
            State = TextOf(span, "traceState"),
            ParentId = TextOf(span, "parentSpanId"),
            Name = TextOf(span, "name"),
            Kind = span.GetProperty("kind").GetInt64(),
            Start = ulong.Parse(TextOf(span, "startTimeUnixNano"), CultureInfo.InvariantCulture),
            End = ulong.Parse(TextOf(span, "endTimeUnixNano"), CultureInfo.InvariantCulture),
            Attributes = AttributesOf(span),
            Events = [.. span.GetProperty("events").EnumerateArray().Select(one => (TextOf(one, "name"), AttributesOf(one)))],
            Status = span.TryGetProperty("status", out var status) ? status.GetProperty("code").GetInt64() : 0,
            StatusMessage = span.TryGetProperty("status", out var failed) ? TextOf(failed, "message") : "",
            Flags = span.GetProperty("flags").GetInt64(),
            Resource = AttributesOf(resource.GetProperty("resource")),
            Scope = TextOf(scope.GetProperty("scope"), "name"),
        };

    private static string TextOf(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static Dictionary<string, object> AttributesOf(JsonElement element) =>
        element
            .GetProperty("attributes")
            .EnumerateArray()
            .ToDictionary(one => TextOf(one, "key"), one => ValueOf(one.GetProperty("value")));

    private static object ValueOf(JsonElement value)
    {
        var (name, content) = value.EnumerateObject().Select(property => (property.Name, property.Value)).Single();
        return name switch
        {
            "stringValue" => content.GetString()!,
            "boolValue" => content.GetBoolean(),
            "intValue" => long.Parse(content.GetString()!, CultureInfo.InvariantCulture),
            "arrayValue" => string.Join(' ', content.GetProperty("values").EnumerateArray().Select(ValueOf)),
            _ => throw new FormatException(name),
        };
    }

    private static Dictionary<string, object> AttributesOf(Message message, int field) =>
        message.All(field).ToDictionary(one => one.Text(1), one => ValueOf(one.All(2).Single()));

    private static object ValueOf(Message value) =>
        value.Field switch
        {
            1 => value.Text(1),
            2 => value.Number(2) == 1,
            3 => (long)value.Number(3),
            5 => string.Join(' ', value.All(5).Single().All(1).Select(ValueOf)),
            var field => throw new FormatException($"{field}"),
        };

    /// <summary>Fields of a message of protobuf: numbers, and the bytes of everything else.</summary>
    private sealed class Message
    {
        private readonly List<(int Field, ulong Number, byte[] Bytes)> fields = [];

        public Message(byte[] content)
        {
            for (var rest = content.AsSpan(); rest.Length > 0; )
            {
                var key = Varint(ref rest);
                var field = (int)(key >> 3);
                switch (key & 7)
                {
                    case 0:
                        fields.Add((field, Varint(ref rest), []));
                        break;
                    case 1:
                        fields.Add((field, BitConverter.ToUInt64(rest), []));
                        rest = rest[8..];
                        break;
                    case 2:
                        var length = (int)Varint(ref rest);
                        fields.Add((field, 0, rest[..length].ToArray()));
                        rest = rest[length..];
                        break;
                    case 5:
                        fields.Add((field, BitConverter.ToUInt32(rest), []));
                        rest = rest[4..];
                        break;
                    default:
                        throw new FormatException($"wire type {key & 7}");
                }
            }
        }

        /// <summary>The only one that is set.</summary>
        public int Field => fields.Single().Field;

        public IEnumerable<Message> All(int field) => fields.Where(one => one.Field == field).Select(one => new Message(one.Bytes));

        public byte[] Bytes(int field) => fields.LastOrDefault(one => one.Field == field).Bytes ?? [];

        public string Text(int field) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(field));

        public ulong Number(int field) => fields.LastOrDefault(one => one.Field == field).Number;

        private static ulong Varint(ref Span<byte> rest)
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                var next = rest[0];
                rest = rest[1..];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    return value;
            }
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ImagePublish.Images;

/// <summary>A port that an app listens on, <c>8080/tcp</c>.</summary>
internal sealed record ExposedPort(int Number, string Protocol = "tcp")
{
    public static bool TryParse(string text, string? protocol, [NotNullWhen(true)] out ExposedPort? port)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var number = slash < 0 ? text : text[..slash];
        var kind = (slash < 0 ? (string.IsNullOrEmpty(protocol) ? "tcp" : protocol) : text[(slash + 1)..]).ToLowerInvariant();
        var valid =
            ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value > 0
            && kind is "tcp" or "udp" or "sctp";
        port = valid && value > 0 ? new ExposedPort(value, kind) : null;
        return port is not null;
    }

    /// <summary>Reads <c>8080</c>, <c>7000-7002</c> or either with a protocol, <c>7000-7002/udp</c>.</summary>
    public static bool TryParseRange(string text, string? protocol, out IReadOnlyList<ExposedPort> ports)
    {
        ports = [];
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var kind = slash < 0 ? "" : text[slash..];
        var ends = (slash < 0 ? text : text[..slash]).Split('-');
        if (
            ends.Length > 2
            || !TryParse(ends[0] + kind, protocol, out var first)
            || !TryParse(ends[^1] + kind, protocol, out var last)
            || last.Number < first.Number
        )
            return false;
        ports = [.. Enumerable.Range(first.Number, last.Number - first.Number + 1).Select(number => first with { Number = number })];
        return true;
    }

    /// <summary>
    /// The ports among a config's ExposedPorts. Some tools leave variables unresolved there (<c>$PORT/tcp</c>): such images run, so what is
    /// no port stays in the config and is not shown.
    /// </summary>
    public static IReadOnlyList<ExposedPort> Read(IReadOnlyList<string>? texts)
    {
        var ports = new List<ExposedPort>();
        foreach (var text in texts ?? [])
        {
            if (TryParse(text, null, out var port))
                ports.Add(port);
        }

        return ports;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Protocol}");
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ImagePublish.Images;

/// <summary>A port that an app listens on, <c>8080/tcp</c>.</summary>
/// <param name="Number">From 1 to 65535.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
public sealed record ExposedPort(int Number, string Protocol = "tcp")
{
    /// <summary>Reads <c>8080</c> or <c>8080/udp</c> if it is a port.</summary>
    /// <param name="text">The text to read.</param>
    /// <param name="protocol">The protocol where the text names none.</param>
    /// <param name="port">The port.</param>
    /// <returns>Whether it was one.</returns>
    public static bool TryParse(string text, string? protocol, [NotNullWhen(true)] out ExposedPort? port)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var number = slash < 0 ? text : text[..slash];
        var kind = (slash < 0 ? (string.IsNullOrEmpty(protocol) ? "tcp" : protocol) : text[(slash + 1)..]).ToLowerInvariant();
        var valid = ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 && kind is "tcp" or "udp" or "sctp";
        port = valid && value > 0 ? new ExposedPort(value, kind) : null;
        return port is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Protocol}");
}

using System.Globalization;
using System.Text;

namespace ImagePublish.Oci;

/// <summary>Small rules for text that goes into messages and JSON.</summary>
public static class Text
{
    private const int ShownLength = 200;

    /// <summary>Foreign text made fit for one line of a message: shortened, with control characters escaped.</summary>
    /// <param name="text">Text from a user or from another machine.</param>
    /// <returns>At most about 200 characters on one line.</returns>
    public static string Shown(string text)
    {
        var shown = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, ShownLength)))
        {
            if (char.IsControl(character) || character is '\u2028' or '\u2029')
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                shown.Append(character);
        }

        return text.Length > ShownLength ? shown.Append('…').ToString() : shown.ToString();
    }

    /// <summary>An instant as the OCI specifications write it (RFC 3339, UTC, whole seconds).</summary>
    /// <param name="instant">The instant.</param>
    /// <returns>Such as <c>2026-11-23T13:46:00Z</c>.</returns>
    public static string Rfc3339(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

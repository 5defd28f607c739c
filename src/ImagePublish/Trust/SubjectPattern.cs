using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImagePublish.Trust;

/// <summary>What the subject of a signer's certificate must have, such as <c>C=US, ST=WA, O=acme</c>.</summary>
internal sealed class SubjectPattern
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CN"] = "2.5.4.3",
        ["SERIALNUMBER"] = "2.5.4.5",
        ["C"] = "2.5.4.6",
        ["L"] = "2.5.4.7",
        ["ST"] = "2.5.4.8",
        ["S"] = "2.5.4.8",
        ["STREET"] = "2.5.4.9",
        ["O"] = "2.5.4.10",
        ["OU"] = "2.5.4.11",
        ["POSTALCODE"] = "2.5.4.17",
        ["DC"] = "0.9.2342.19200300.100.1.25",
        ["UID"] = "0.9.2342.19200300.100.1.1",
    };

    private static readonly string[] Needed = ["2.5.4.6", "2.5.4.8", "2.5.4.10"];

    private readonly Dictionary<string, string> values;

    private SubjectPattern(Dictionary<string, string> values) => this.values = values;

    /// <summary>Reads a pattern; the reason is a clause with the subject "it".</summary>
    public static SubjectPattern? TryParse(string text, out string reason)
    {
        var values = new Dictionary<string, string>();
        foreach (var part in Split(text))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? part.Trim() : part[..equals].Trim();
            if (equals < 0 || !Types.TryGetValue(name, out var type))
            {
                reason = $"names '{name}', which is not an attribute of a subject";
                return null;
            }

            if (!values.TryAdd(type, Unescape(part[(equals + 1)..].Trim())))
            {
                reason = $"names '{name}' twice";
                return null;
            }
        }

        reason = "must name at least C, ST and O";
        return Needed.All(values.ContainsKey) ? new SubjectPattern(values) : null;
    }

    public bool Matches(X509Certificate2 certificate)
    {
        var subject = new Dictionary<string, string?>();
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
                return false;
            var type = part.GetSingleElementType().Value ?? "";
            // One that is there twice could mean either.
            if (!subject.TryAdd(type, part.GetSingleElementValue()))
                subject[type] = null;
        }

        return values.All(value => subject.GetValueOrDefault(value.Key) == value.Value);
    }

    public override string ToString() =>
        string.Join(", ", values.Select(value => $"{Types.First(type => type.Value == value.Key).Key}={value.Value}"));

    // Commas and plus signs that are not escaped divide; plus signs are refused with the name that they are part of.
    private static IEnumerable<string> Split(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == ',')
            {
                yield return text[start..at];
                start = at + 1;
            }
        }

        yield return text[start..];
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            plain.Append(text[at]);
        }

        return plain.ToString();
    }
}

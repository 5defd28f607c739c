using System.Text;

namespace ImagePublish.Packages.Model;

/// <summary>A paragraph of a Debian control file.</summary>
/// <remarks><see href="https://www.debian.org/doc/debian-policy/ch-controlfields.html">Debian policy, chapter 5</see>.</remarks>
internal sealed record ControlParagraph
{
    private readonly Dictionary<string, string> fields = new(StringComparer.OrdinalIgnoreCase);

    private ControlParagraph(string text) => Text = text;

    public string Text { get; }

    public IReadOnlyCollection<string> Names => fields.Keys;

    /// <summary>A field's value, or null; lines that follow the first keep their line breaks.</summary>
    public string? this[string name] => fields.GetValueOrDefault(name);

    public static IReadOnlyList<ControlParagraph> ReadAll(string text)
    {
        var paragraphs = new List<ControlParagraph>();
        var lines = new List<string>();
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n').Append(""))
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                lines.Add(line);
            }
            else if (lines.Count > 0)
            {
                paragraphs.Add(Read(lines));
                lines.Clear();
            }
        }

        return paragraphs;
    }

    private static ControlParagraph Read(List<string> lines)
    {
        var paragraph = new ControlParagraph(string.Concat(lines.Select(line => line + "\n")));
        string? name = null;
        var value = new StringBuilder();
        foreach (var line in lines.Where(line => line[0] != '#'))
        {
            if (line[0] is ' ' or '\t')
            {
                value.Append('\n').Append(line.AsSpan().Trim());
            }
            else if (line.IndexOf(':', StringComparison.Ordinal) is var colon and > 0)
            {
                Finish();
                name = line[..colon].Trim();
                value.Append(line.AsSpan(colon + 1).Trim());
            }
        }

        Finish();
        return paragraph;

        void Finish()
        {
            if (name is not null)
                paragraph.fields[name] = value.ToString();
            value.Clear();
        }
    }
}

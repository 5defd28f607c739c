using System.Text;

namespace ImagePublish.Reporting;

/// <summary>A table that people read: columns as wide as their content, two blanks between them.</summary>
internal sealed class TextTable(params IReadOnlyList<string> columns)
{
    private readonly List<string[]> rows =
    [
        [.. columns.Select(column => column.TrimStart('>'))],
    ];

    public void Add(params string[] cells) => rows.Add([.. cells.Select(Common.Text.OneLine)]);

    public IEnumerable<string> Lines()
    {
        int[] widths = [.. columns.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (var row in rows)
        {
            var line = new StringBuilder();
            for (var column = 0; column < widths.Length; column++)
                line.Append(columns[column].StartsWith('>') ? row[column].PadLeft(widths[column]) : row[column].PadRight(widths[column]))
                    .Append("  ");
            yield return line.ToString().TrimEnd();
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using ImagePublish.Reporting.Progress;

namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>A terminal's screen, as far as MSBuild's terminal logger and the rows of progress use one.</summary>
internal sealed partial class Screen(int width, int height) : ITerminal
{
    private readonly List<char[]> rows = [.. Enumerable.Range(0, height).Select(_ => Blank(width))];
    private (int Row, int Column) saved;

    public int Width => width;

    public int Height { get; set; } = height;

    public bool IsUnicode => true;

    /// <summary>Where the cursor is, from 0.</summary>
    public (int Row, int Column) Cursor { get; private set; }

    /// <summary>How often something was written.</summary>
    public int Writes { get; private set; }

    /// <summary>What stands there, without blank rows at the end.</summary>
    public string Text => string.Join('\n', rows.Select(row => new string(row).TrimEnd())).TrimEnd();

    public void Write(string text)
    {
        Writes++;
        foreach (Match part in Parts().Matches(text))
        {
            if (part.Value[0] == '\e')
                Obey(
                    part.Groups["command"].Value,
                    part.Groups["number"].Value is { Length: > 0 } n ? int.Parse(n, CultureInfo.InvariantCulture) : 1
                );
            else if (part.Value is "\n")
                NewLine();
            else if (part.Value is "\r")
                Cursor = (Cursor.Row, 0);
            else
                Put(part.Value[0]);
        }
    }

    private static char[] Blank(int width) => [.. Enumerable.Repeat(' ', width)];

    // As a terminal's line discipline has it: to the start of the next row.
    private void NewLine()
    {
        if (Cursor.Row == rows.Count - 1)
        {
            rows.RemoveAt(0);
            rows.Add(Blank(width));
        }

        Cursor = (Math.Min(rows.Count - 1, Cursor.Row + 1), 0);
    }

    private void Put(char c)
    {
        Assert.InRange(Cursor.Column, 0, width - 2);
        rows[Cursor.Row][Cursor.Column] = c;
        Cursor = (Cursor.Row, Cursor.Column + 1);
    }

    private void Obey(string command, int number)
    {
        switch (command)
        {
            case "A":
                Cursor = (Math.Max(0, Cursor.Row - number), Cursor.Column);
                break;
            case "B":
                Cursor = (Math.Min(rows.Count - 1, Cursor.Row + number), Cursor.Column);
                break;
            case "F":
                Cursor = (Math.Max(0, Cursor.Row - number), 0);
                break;
            case "K":
                Array.Fill(rows[Cursor.Row], ' ', Cursor.Column, width - Cursor.Column);
                break;
            case "J":
                Array.Fill(rows[Cursor.Row], ' ', Cursor.Column, width - Cursor.Column);
                rows.Skip(Cursor.Row + 1).ToList().ForEach(row => Array.Fill(row, ' '));
                break;
            case "7":
                saved = Cursor;
                break;
            case "8":
                Cursor = saved;
                break;
            default:
                Assert.Contains(command, new[] { "l", "h" });
                break;
        }
    }

    [GeneratedRegex(@"\e(\[\??(?<number>\d*))?(?<command>[A-Za-z78])|.|\n", RegexOptions.CultureInvariant)]
    private static partial Regex Parts();
}

using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>
/// Something on a page that a reader copies: a block between fences, or a command or a piece of a project file within a line.
/// </summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Language">The fence's: <c>shell</c>, <c>xml</c>, <c>yaml</c>, <c>groovy</c>; empty for output that no command stands
/// before.</param>
/// <param name="Text">What is copied.</param>
/// <param name="Shown">The output that the page shows right below; empty if it shows none.</param>
/// <param name="IsInline">Whether it stands within a line.</param>
public sealed record Passage(int Line, string Language, string Text, string Shown, bool IsInline = false)
{
    /// <summary>Its first line, by which it is known.</summary>
    public string Name => Text.Split('\n')[0].Trim();

    public override string ToString() => $"line {Line}: {Name}";
}

/// <summary>A page of the documentation.</summary>
public sealed partial record Page(string Name, IReadOnlyList<Passage> Passages)
{
    private static readonly string Root = RepositoryRoot.Path;

    /// <summary>All of them but those of the samples, relative to the repository.</summary>
    public static IEnumerable<string> Names =>
        Directory
            .EnumerateFiles(Path.Combine(Root, "docs"), "*.md")
            .Select(file => Path.GetRelativePath(Root, file))
            .Order(StringComparer.Ordinal)
            .Prepend("README.md");

    /// <summary>Those of the samples.</summary>
    public static IEnumerable<string> SampleNames =>
        Directory
            .EnumerateDirectories(Path.Combine(Root, "samples"))
            .Select(folder => Path.GetRelativePath(Root, Path.Combine(folder, "README.md")))
            .Order(StringComparer.Ordinal);

    /// <summary>
    /// The passages from the top to the end, the pieces of a project file that stand within lines all at once where the first is.
    /// </summary>
    public IEnumerable<IReadOnlyList<Passage>> Steps
    {
        get
        {
            var pieces = Passages.Where(passage => passage is { IsInline: true, Language: "xml" }).ToList();
            return Passages
                .Where(passage => !pieces.Contains(passage) || passage == pieces[0])
                .Select(passage => passage == pieces.FirstOrDefault() ? pieces : (IReadOnlyList<Passage>)[passage]);
        }
    }

    public static Page Read(string name)
    {
        var text = File.ReadAllText(Path.Combine(Root, name)).ReplaceLineEndings("\n");
        var blocks = Block().Matches(text);
        // Within a line: whole commands of dotnet, and elements of a project file.
        var inline = Inline()
            .Matches(Block().Replace(text, block => Visible().Replace(block.Value, " ")))
            .Select(span => new Passage(
                LineOf(text, span.Index),
                span.ValueSpan[1] == '<' ? "xml" : "shell",
                span.Groups["text"].Value,
                "",
                IsInline: true
            ));
        var passages = blocks
            .Select(block => new Passage(
                LineOf(text, block.Index),
                block.Groups["language"].Value,
                block.Groups["text"].Value,
                block.Groups["shown"].Value
            ))
            .Concat(inline);
        return new Page(name, [.. passages.OrderBy(passage => passage.Line)]);
    }

    private static int LineOf(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;

    [GeneratedRegex(
        @"^```(?<language>\w*)\n(?<text>.*?)^```$(?:\n\n^```\n(?<shown>.*?)^```$)?",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Block();

    [GeneratedRegex(@"`(?<text>dotnet [a-z]+ [^`]*-[a-z]+:[^`]*|<[A-Z]\w+( [^`]*)?>[^`]*)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"[^\n]")]
    private static partial Regex Visible();
}

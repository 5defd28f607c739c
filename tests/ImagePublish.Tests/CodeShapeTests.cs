using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ImagePublish.Tests;

/// <summary>Keeps the code readable: lengths, parameters, comments, words and repetition, read from the syntax of <c>src</c>.</summary>
public sealed partial class CodeShapeTests
{
    private const int MaxLine = 140;
    private const int MaxMethod = 40;
    private const int MaxParameters = 5;
    private const int RepeatedLines = 6;

    private static readonly IReadOnlyList<(string Path, SyntaxTree Tree)> Sources =
    [
        .. SourceTree.Files("src", "*.cs").Select(file => (SourceTree.Relative(file), CSharpSyntaxTree.ParseText(File.ReadAllText(file)))),
    ];

    /// <summary>Longer methods and longer parameter lists, each with its reason.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["ImagePublisher.RunStepsAsync"] = "The algorithm of a publish, to be read top to bottom.",
        ["Deflater.Parse"] = "The inner loop of the compressor: its state is in locals for speed.",
    };

    [Theory]
    [InlineData("src", "*.cs")]
    [InlineData("tests", "*.cs")]
    [InlineData("samples", "*.cs")]
    [InlineData("build", "*.props")]
    [InlineData("build", "*.targets")]
    public void NoLineIsLongerThanTheEditorSettingsSay(string folder, string pattern)
    {
        var setting = MaxLineLength().Match(File.ReadAllText(Path.Combine(RepositoryRoot.Path, ".editorconfig")));
        Assert.Equal(MaxLine, int.Parse(setting.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));

        var tooLong =
            from file in SourceTree.Files(folder, pattern)
            let data = folder == "tests" ? LinesOfStrings(File.ReadAllText(file)) : []
            from line in File.ReadLines(file).Select((text, index) => (text, index))
            where line.text.Length > MaxLine && !data.Contains(line.index)
            select $"{SourceTree.Relative(file)}:{line.index + 1} has {line.text.Length} characters";
        AssertNone(tooLong);
    }

    [Fact]
    public void NoMethodIsLongerThanAScreen()
    {
        var tooLong =
            from method in Methods()
            let lines = method.Tree.GetLineSpan(method.Body.Span)
            let length = lines.EndLinePosition.Line - lines.StartLinePosition.Line + 1
            where length > MaxMethod && !Exceptions.ContainsKey(method.Name)
            select $"{method.Path}: {method.Name} has {length} lines";
        AssertNone(tooLong);
    }

    [Fact]
    public void NoMethodTakesMoreThanFiveParameters()
    {
        var tooMany =
            from method in Methods()
            where method.Parameters > MaxParameters && !Exceptions.ContainsKey(method.Name)
            select $"{method.Path}: {method.Name} takes {method.Parameters}";
        AssertNone(tooMany);
    }

    [Fact]
    public void EveryExceptionIsStillNeeded()
    {
        var names = Methods().Select(method => method.Name).ToHashSet();
        Assert.All(Exceptions.Keys, name => Assert.Contains(name, names));
    }

    [Fact]
    public void DocumentationCommentsAreFew()
    {
        var lines = SourceTree.Files("src", "*.cs").SelectMany(File.ReadLines).ToList();
        var documentation = lines.Count(line => line.TrimStart().StartsWith("///", StringComparison.Ordinal));
        Assert.InRange(documentation / (double)lines.Count, 0, 0.08);
    }

    [Fact]
    public void NoLogicStandsTwice()
    {
        var seen = new Dictionary<string, string>();
        var twice = new List<string>();
        foreach (var (path, tree) in Sources)
        {
            var lines = LogicOf(tree);
            for (var start = 0; start + RepeatedLines <= lines.Count; start++)
            {
                var window = lines.GetRange(start, RepeatedLines);
                var key = string.Join('\n', window.Select(line => line.Text));
                var place = $"{path}:{window[0].Number}";
                if (!seen.TryAdd(key, place))
                    twice.Add($"{place} repeats {seen[key]}");
            }
        }

        AssertNone(twice);
    }

    private static void AssertNone(IEnumerable<string> findings) => Assert.True(!findings.Any(), string.Join('\n', findings));

    // What a test sends or expects stands as it is.
    private static HashSet<int> LinesOfStrings(string text)
    {
        var tree = CSharpSyntaxTree.ParseText(text);
        return
        [
            .. tree.GetRoot()
                .DescendantNodesAndTokens()
                .Where(part =>
                    part.Kind()
                        is SyntaxKind.InterpolatedStringExpression
                            or SyntaxKind.StringLiteralExpression
                            or SyntaxKind.Utf8StringLiteralExpression
                )
                .Select(part => tree.GetLineSpan(part.Span))
                .SelectMany(span =>
                    Enumerable.Range(span.StartLinePosition.Line, span.EndLinePosition.Line - span.StartLinePosition.Line + 1)
                ),
        ];
    }

    private static IEnumerable<(string Path, string Name, SyntaxTree Tree, SyntaxNode Body, int Parameters)> Methods() =>
        from source in Sources
        from node in source.Tree.GetRoot().DescendantNodes()
        where node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax
        let parameters = (node as BaseMethodDeclarationSyntax)?.ParameterList ?? ((LocalFunctionStatementSyntax)node).ParameterList
        let name = node switch
        {
            MethodDeclarationSyntax method => method.Identifier.Text,
            LocalFunctionStatementSyntax local => local.Identifier.Text,
            _ => "constructor",
        }
        let type = node.Ancestors().OfType<BaseTypeDeclarationSyntax>().First().Identifier.Text
        select (source.Path, $"{type}.{name}", source.Tree, (SyntaxNode)node, parameters.Parameters.Count);

    // What is no logic: using directives, attributes, braces, comments, and declarations that only list members or parameters.
    private static List<(int Number, string Text)> LogicOf(SyntaxTree tree)
    {
        var root = tree.GetRoot();
        var inBodies = root.DescendantNodes()
            .Where(node => node is BlockSyntax or ArrowExpressionClauseSyntax && node.Parent is not LambdaExpressionSyntax)
            .Select(node => tree.GetLineSpan(node.Span))
            .SelectMany(span => Enumerable.Range(span.StartLinePosition.Line, span.EndLinePosition.Line - span.StartLinePosition.Line + 1))
            .ToHashSet();
        return
        [
            .. tree.GetText()
                .Lines.Where(line => inBodies.Contains(line.LineNumber))
                .Select(line => (line.LineNumber + 1, line.ToString().Trim()))
                .Where(line => line.Item2.Length > 3 && !line.Item2.StartsWith("//", StringComparison.Ordinal)),
        ];
    }

    /// <summary>What the field has a better word for; style-guide: the left column.</summary>
    [Theory]
    [InlineData(@"\bhead ?start", "early layer build")]
    [InlineData(@"\bwork ?turns?\b|\btake[sn]? (their |a )?turns?\b|TakeTurn", "lock")]
    [InlineData(@"\b(this|that|the|one|a) room\b|\brooms\b", "module")]
    [InlineData(@"\blies? (in|on|at) (a|an|the|it|there|no)\b", "is in, is based on")]
    [InlineData(@"\bBlobFate\b|\bfates\b", "transfer")]
    [InlineData(@"\bgives? up\b", "cancels, stops")]
    [InlineData(@"\b(the|whose) line (broke|breaks)\b|\bLine(Exception|Fault)", "connection")]
    [InlineData(@"\bvouch", "trusted")]
    [InlineData(@"\bmend(s|ed)?\b", "fix")]
    [InlineData(@"code of the engine|the engine (tells|says|knows nothing)|EngineLog", "core")]
    [InlineData(@"\b(the|a|every) verbs?\b|\bTasks\.Verbs\b", "command")]
    [InlineData(@"\bbegun anew\b|\banew\b", "restarted, again")]
    public void TheFieldsWordsAreUsed(string pattern, string better)
    {
        var word = new Regex(pattern, RegexOptions.IgnoreCase);
        string[] folders = ["src", "build", "tests", "samples", "docs"];
        string[] patterns = ["*.cs", "*.md", "*.props", "*.targets", "*.sh"];
        var found =
            from file in folders
                .SelectMany(folder => patterns.SelectMany(name => SourceTree.Files(folder, name)))
                .Append(Path.Combine(RepositoryRoot.Path, "README.md"))
            where Path.GetFileName(file) != nameof(CodeShapeTests) + ".cs"
            from line in File.ReadLines(file).Select((text, index) => (text, index))
            where word.IsMatch(line.text)
            select $"{SourceTree.Relative(file)}:{line.index + 1}: {line.text.Trim()}";
        Assert.True(!found.Any(), $"Say {better}:\n{string.Join('\n', found)}");
    }

    [GeneratedRegex(@"(?m)^max_line_length = (\d+)$")]
    private static partial Regex MaxLineLength();
}

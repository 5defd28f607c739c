using System.Reflection;
using System.Text;

namespace ImagePublish.Testing;

/// <summary>
/// <c>docs/reliability.md</c>: one part for each test assembly, generated from its <see cref="ReliabilityCaseAttribute"/>s.
/// </summary>
public static class ReliabilityDocument
{
    private const string UpdateVariable = "IMAGEPUBLISH_UPDATE_DOCS";

    private static readonly string File = Path.Combine(RepositoryRoot.Path, "docs", "reliability.md");

    /// <summary>Compares an assembly's part of the document with its tests; rewrites it where <c>IMAGEPUBLISH_UPDATE_DOCS=1</c>.</summary>
    /// <returns>What is wrong with the document, or null.</returns>
    public static async Task<string?> CheckAsync(Assembly assembly, CancellationToken cancellationToken)
    {
        var name = assembly.GetName().Name!;
        var (begin, end) = ($"<!-- begin {name} -->\n", $"<!-- end {name} -->\n");
        var document = (await System.IO.File.ReadAllTextAsync(File, cancellationToken)).ReplaceLineEndings("\n");
        var start = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var stop = document.IndexOf(end, StringComparison.Ordinal);
        if (start < begin.Length || stop < start)
            return $"docs/reliability.md has no part for {name}.";

        var expected = Tables(assembly);
        if (document[start..stop] == expected)
            return null;
        if (Environment.GetEnvironmentVariable(UpdateVariable) != "1")
            return $"docs/reliability.md is out of date: run this test with {UpdateVariable}=1, and commit the file.";
        await System.IO.File.WriteAllTextAsync(File, document[..start] + expected + document[stop..], cancellationToken);
        return null;
    }

    private static string Tables(Assembly assembly)
    {
        var text = new StringBuilder();
        var areas =
            from type in assembly.GetTypes()
            from method in type.GetMethods()
            from mark in method.GetCustomAttributes<ReliabilityCaseAttribute>()
            orderby mark.Area, mark.Name, method.Name
            group (Case: mark, Method: method) by mark.Area;
        foreach (var area in areas)
        {
            text.Append($"\n## {area.Key}\n\n| Case | Outcome | Test |\n|---|---|---|\n");
            foreach (var (mark, method) in area)
                text.Append($"| {Cell(mark.Name)} | {Cell(mark.Outcome)} | `{method.DeclaringType!.Name}.{method.Name}` |\n");
        }

        return text.Append('\n').ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}

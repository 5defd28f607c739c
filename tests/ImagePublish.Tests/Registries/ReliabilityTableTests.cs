using System.Reflection;
using System.Text;

namespace ImagePublish.Tests.Registries;

/// <summary>Keeps <c>docs/reliability.md</c> what the tests say.</summary>
public sealed class ReliabilityTableTests
{
    private const string Update = "IMAGEPUBLISH_UPDATE_DOCS";

    [Fact]
    public async Task TheTableOfCasesIsWhatTheTestsSay()
    {
        var path = Path.Combine(FindRoot(), "docs", "reliability.md");
        var expected = Table();
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, expected, TestContext.Current.CancellationToken);
        }

        var actual = File.Exists(path) ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : "";
        Assert.True(expected == actual.ReplaceLineEndings("\n"), $"docs/reliability.md is out of date: run this test with {Update}=1, and commit the file.");
    }

    private static string Table()
    {
        var text = new StringBuilder(
            """
            # Cases that are survived

            Generated from the tests: each row is a test that fails when the outcome is another. `ReliabilityCase` marks them.


            """.ReplaceLineEndings("\n"));
        var cases = from type in typeof(ReliabilityTableTests).Assembly.GetTypes()
                    from method in type.GetMethods()
                    let mark = method.GetCustomAttribute<ReliabilityCaseAttribute>()
                    where mark is not null
                    orderby mark.Area, mark.Name, method.Name
                    group (Case: mark, Method: method) by mark.Area;
        foreach (var area in cases)
        {
            text.Append($"## {area.Key}\n\n| Case | Outcome | Test |\n|---|---|---|\n");
            foreach (var (mark, method) in area)
                text.Append($"| {Cell(mark.Name)} | {Cell(mark.Outcome)} | `{method.DeclaringType!.Name}.{method.Name}` |\n");
            text.Append('\n');
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ImagePublish.Tasks.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tests must run from within the repository.");
    }
}

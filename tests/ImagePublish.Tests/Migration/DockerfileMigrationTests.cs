using ImagePublish.Dockerfiles;
using ImagePublish.Migration;
using ImagePublish.Reporting;

namespace ImagePublish.Tests.Migration;

/// <summary>What is reported of the Dockerfiles of .NET apps as they are met in the field.</summary>
public sealed class DockerfileMigrationTests
{
    private const string Update = "IMAGEPUBLISH_UPDATE_DOCS";

    public static TheoryData<string> Shapes => [.. MigrationCase.Names];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EachShapeIsUnderstood(string name)
    {
        var report = Report(name);
        var expected = Path.Combine(MigrationCase.Folder, name, "expected.txt");
        if (Environment.GetEnvironmentVariable(Update) == "1")
            File.WriteAllText(expected, report);

        Assert.Equal(File.ReadAllText(expected), report);
    }

    [Fact]
    public void ThereAreThirtyShapes() => Assert.True(MigrationCase.Names.Count() >= 30);

    [Fact]
    public void ThePageListsThemAndShowsAReport()
    {
        var path = Path.Combine(RepositoryRoot.Path, "docs", "migrating.md");
        var page = File.ReadAllText(path);
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            page = With(With(page, "Shop: Dockerfile\n", "```", Report("visual-studio")), "<!-- shapes -->\n", "<!-- /shapes -->", Table());
            File.WriteAllText(path, page);
        }

        Assert.Equal(Report("visual-studio"), Between(page, "Shop: Dockerfile\n", "```"));
        Assert.Equal(Table(), Between(page, "<!-- shapes -->\n", "<!-- /shapes -->"));
    }

    private static string Report(string name) => string.Join('\n', MigrationTables.Of(Findings(name), "Shop.csproj")).TrimEnd() + "\n";

    private static IReadOnlyList<MigrationFinding> Findings(string name)
    {
        var file = DockerfileReader.ReadFile(Path.Combine(MigrationCase.Folder, name, "Dockerfile"));
        return DockerfileMigration.Translate(file, "Dockerfile", MigrationCase.App(name));
    }

    private static string Table() =>
        "| Shape | set | default | not needed | to check, or to do by hand |\n|---|---:|---:|---:|---|\n"
        + string.Concat(MigrationCase.Names.Select(name => Row(name, Findings(name)) + "\n"));

    private static string Row(string name, IReadOnlyList<MigrationFinding> findings)
    {
        MigrationState[] counted = [MigrationState.Set, MigrationState.Default, MigrationState.NotNeeded];
        var counts = counted.Select(state => findings.Count(finding => finding.State == state));
        var left = findings.Where(finding => !counted.Contains(finding.State)).Select(finding => Cell(finding.Source)).Distinct();
        return $"| {name.Replace('-', ' ')} | {string.Join(" | ", counts)} | {string.Join(", ", left)} |";
    }

    private static string Cell(string source) => $"`{source.Replace("|", "\\|", StringComparison.Ordinal)}`";

    private static string Between(string page, string start, string end)
    {
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[from..page.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static string With(string page, string start, string end, string content)
    {
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[..from] + content + page[page.IndexOf(end, from, StringComparison.Ordinal)..];
    }
}

using ImagePublish.Policies;

namespace ImagePublish.Tests.Policies;

/// <summary>What NuGet's audit wrote into <c>project.assets.json</c>.</summary>
public sealed class RestoreAuditTests : IDisposable
{
    private const string Logs = """
        "logs": [
          {
            "code": "NU1903",
            "level": "Warning",
            "message": "Package 'Old.Json' 9.0.1 has a known high severity vulnerability, https://github.com/advisories/GHSA-5crp-9r3c-p9vr.",
            "libraryId": "Old.Json",
            "targetGraphs": ["net10.0"]
          },
          {
            "code": "NU1902",
            "level": "Warning",
            "message": "Package 'Only.Tests' 1.0.0 has a known moderate severity vulnerability, https://github.com/advisories/GHSA-1111-2222-3333.",
            "libraryId": "Only.Tests",
            "targetGraphs": ["net10.0", "net10.0/linux-x64"]
          },
          {
            "code": "NU1904",
            "level": "Warning",
            "message": "Package 'Old.Net8' 1.0.0 has a known critical severity vulnerability, https://github.com/advisories/GHSA-4444-5555-6666.",
            "libraryId": "Old.Net8",
            "targetGraphs": ["net8.0"]
          },
          { "code": "NU1603", "level": "Warning", "message": "Something else.", "libraryId": "Old.Json", "targetGraphs": ["net10.0"] }
        ]
        """;

    private readonly string file = Path.Combine(Directory.CreateTempSubdirectory("imagepublish-audit-").FullName, "project.assets.json");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);

    [Fact]
    public void OnlyPackagesInTheImageCount()
    {
        File.WriteAllText(file, $$"""{ "version": 3, {{Logs}} }""");

        var finding = Assert.Single(Find("old.json"));

        Assert.StartsWith(
            "Package 'Old.Json' 9.0.1 has a known high severity vulnerability, https://github.com/advisories/GHSA-5crp-9r3c-p9vr.",
            finding.Message,
            StringComparison.Ordinal
        );
        Assert.Contains("Update Old.Json", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhereFilesAreMergedAllPackagesOfTheFrameworkCount()
    {
        File.WriteAllText(file, $$"""{ "version": 3, {{Logs}} }""");

        Assert.Equal(2, new RestoreAudit(file, "net10.0", ArePackagesKnown: false).Find(new HashSet<string>()).Count);
    }

    [Theory]
    [InlineData("""{ "version": 3, "logs": [] }""")]
    [InlineData("""{ "version": 3 }""")]
    [InlineData("""{ "version": 3, "logs": [ { "code": "NU1903" """)]
    [InlineData("""{ "logs": "NU1903", "x": "NU1903" }""")]
    [InlineData("""{ "logs": [ { "code": "NU1903", "targetGraphs": 3 } ] }""")]
    [InlineData("""[ "NU1903" ]""")]
    [InlineData("")]
    public void AFileWithoutFindingsOrOfAnotherFormHasNone(string content)
    {
        File.WriteAllText(file, content);

        Assert.Empty(Find("Old.Json"));
    }

    [Fact]
    public void AFileThatIsNotThereHasNone() => Assert.Empty(Find("Old.Json"));

    private IReadOnlyList<Finding> Find(params string[] packages) =>
        new RestoreAudit(file, "net10.0", ArePackagesKnown: true).Find(packages.ToHashSet(StringComparer.OrdinalIgnoreCase));
}

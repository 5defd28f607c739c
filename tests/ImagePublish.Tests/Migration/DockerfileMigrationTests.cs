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
        var folder = Path.Combine(MigrationCase.Folder, name);
        var file = DockerfileReader.ReadFile(Path.Combine(folder, "Dockerfile"));
        var findings = DockerfileMigration.Translate(file, "Dockerfile", MigrationCase.App(name));
        var report = string.Join('\n', MigrationTables.Of(findings, "Shop.csproj")).TrimEnd() + "\n";
        var expected = Path.Combine(folder, "expected.txt");
        if (Environment.GetEnvironmentVariable(Update) == "1")
            File.WriteAllText(expected, report);

        Assert.Equal(File.ReadAllText(expected), report);
    }

    [Fact]
    public void ThereAreThirtyShapes() => Assert.True(MigrationCase.Names.Count() >= 30);
}

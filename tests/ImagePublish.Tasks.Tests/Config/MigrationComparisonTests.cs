using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>What <c>CheckImageMigration</c> says to paste makes the image that Docker builds of the Dockerfile.</summary>
public sealed partial class MigrationComparisonTests(MigratedImages images) : IClassFixture<MigratedImages>
{
    private static readonly string[] Facts = ["WorkingDir", "Labels", "Volumes", "StopSignal", "Healthcheck", "Entrypoint", "Cmd"];

    // What the report leaves to its reader, or calls needless.
    private static readonly string[] LeftOut = ["DB_PASSWORD=", "ConnectionStrings__Shop=", "PATH=", "NUGET_XMLDOC_MODE="];

    public static TheoryData<string> Shapes => [.. MigratedImages.Shapes];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheImageSaysTheSame(string shape)
    {
        foreach (var fact in Facts)
            Assert.Equal($"{fact}: {InFull(images.Docker(shape)[fact])}", $"{fact}: {InFull(images.Ours(shape)[fact])}");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ItHasTheSameVariables(string shape) => Assert.Equal(Variables(images.Docker(shape)), Variables(images.Ours(shape)));

    // 8080 is found in the base's variables; a Dockerfile may leave it out.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void ItHasTheSamePorts(string shape)
    {
        var ours = images.Ours(shape)["ExposedPorts"].Split('\n');
        Assert.Equal(
            images.Docker(shape)["ExposedPorts"].Split('\n').Append("8080/tcp: ").Where(port => port.Length > 0).Distinct().Order(),
            ours.Order()
        );
    }

    // The base's account app has the number 1654.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheSameUserRunsIt(string shape)
    {
        Assert.Matches("^(app|1654)$", images.Docker(shape)["User"]);
        Assert.Equal("1654", images.Ours(shape)["User"]);
    }

    private static IEnumerable<string> Variables(ImageFacts facts) =>
        facts["Env"].Split('\n').Where(variable => !LeftOut.Any(name => variable.StartsWith(name, StringComparison.Ordinal))).Order();

    // Docker starts Shop.dll in the working directory, this package names it in full.
    private static string InFull(string words) => AppFile().Replace(words, "Shop.dll");

    [GeneratedRegex("/[Aa]pp/Shop\\.dll")]
    private static partial Regex AppFile();
}

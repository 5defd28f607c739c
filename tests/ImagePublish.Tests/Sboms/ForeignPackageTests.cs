using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Sboms;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Sboms;

/// <summary>Packages and graphs that are damaged, or made to harm whoever reads them.</summary>
public sealed class ForeignPackageTests
{
    private const string Bomb =
        "!<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]><package>&b;</package>";

    [Theory]
    [InlineData(Bomb)]
    [InlineData("!<package><metadata><license type=\"expression\">MIT</license>")]
    [InlineData("!no xml")]
    [InlineData("!")]
    [ReliabilityCase(
        "Files",
        "a damaged package manifest, or one with endlessly expanding entities, for an SBOM",
        "one warning, IMG1070; the package is listed without licence"
    )]
    public async Task ADamagedManifestIsOneWarning(string manifest)
    {
        await using var bench = await SbomBench.StartAsync();
        var log = new TestLog();
        bench.AddPackage("Odd", "1.0.0", manifest);

        var component = Describe(bench, log, new NuGetPackage("Odd", "1.0.0"));

        Assert.Equal((License.Unknown, "pkg:nuget/Odd@1.0.0"), (component.License, component.Purl));
        var warning = Assert.Single(log.Warnings);
        Assert.Contains("'Odd' 1.0.0", warning, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', warning);
    }

    [Fact]
    public async Task AManifestOrLicenceThatIsTooLargeIsNotRead()
    {
        await using var bench = await SbomBench.StartAsync();
        var log = new TestLog();
        bench.AddPackage("Huge", "1.0.0", $"!<package><metadata><copyright>{new string('c', 2 << 20)}</copyright></metadata></package>");
        bench.AddPackage("Long", "1.0.0", "<license type=\"file\">LICENSE</license>", ("LICENSE", new string('l', 1 << 20)));

        Assert.Null(Describe(bench, log, new NuGetPackage("Huge", "1.0.0")).Copyright);
        Assert.Equal(License.Unknown, Describe(bench, log, new NuGetPackage("Long", "1.0.0")).License);
        Assert.Equal(2, log.Warnings.Count);
    }

    [Theory]
    [InlineData("../../other/1.0.0/secret")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\..\\other\\1.0.0\\secret")]
    [InlineData("missing")]
    public async Task ALicenceFileOutsideThePackageIsNotRead(string name)
    {
        await using var bench = await SbomBench.StartAsync();
        bench.AddPackage("Other", "1.0.0", "<authors>a</authors>", ("secret", "secret"));
        bench.AddPackage("Odd", "1.0.0", $"<license type=\"file\">{name}</license>");

        Assert.Equal(License.Unknown, Describe(bench, new TestLog(), new NuGetPackage("Odd", "1.0.0")).License);
    }

    [Fact]
    public async Task ALinkInAPackageIsNotFollowed()
    {
        await using var bench = await SbomBench.StartAsync();
        bench.AddPackage("Odd", "1.0.0", "<license type=\"file\">LICENSE</license>");
        File.CreateSymbolicLink(Path.Combine(bench.Packages, "odd", "1.0.0", "LICENSE"), "/etc/passwd");

        Assert.Equal(License.Unknown, Describe(bench, new TestLog(), new NuGetPackage("Odd", "1.0.0")).License);
    }

    [Theory]
    [InlineData("../Package", "1.0.0")]
    [InlineData("Package", "../1.0.0")]
    [InlineData("Package", "1.0.0/..")]
    [InlineData("Package", "")]
    [InlineData("Missing", "1.0.0")]
    public async Task ANameThatLeavesTheFolderFindsNothing(string id, string version)
    {
        await using var bench = await SbomBench.StartAsync();
        var log = new TestLog();

        Assert.Equal(License.Unknown, Describe(bench, log, new NuGetPackage(id, version)).License);
        Assert.Empty(log.Warnings);
    }

    [Fact]
    public async Task ATextOfALicenceIsKeptAndTheGallerysAddressIsItsExpression()
    {
        await using var bench = await SbomBench.StartAsync();
        bench.AddPackage("Own", "1.0.0", "<license type=\"file\">LICENSE.txt</license>", ("LICENSE.txt", "Do\r\nwhat you want.\u0007\n"));
        bench.AddPackage("Old", "1.0.0", "<licenseUrl>https://licenses.example.test/Apache-2.0%20OR%20MIT</licenseUrl>");
        bench.AddPackage("Url", "1.0.0", "<licenseUrl>https://example.test/MIT</licenseUrl>");

        Assert.Equal(
            new License(null, "Do\nwhat you want.\\u0007"),
            Describe(bench, new TestLog(), new NuGetPackage("Own", "1.0.0")).License
        );
        Assert.Equal("Apache-2.0 OR MIT", Describe(bench, new TestLog(), new NuGetPackage("Old", "1.0.0")).License.Expression);
        Assert.Equal(License.Unknown, Describe(bench, new TestLog(), new NuGetPackage("Url", "1.0.0")).License);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"targets\": 1}")]
    [InlineData("{\"targets\": {\"net10.0\": {\"A/1\": {\"dependencies\": []}}}}")]
    [InlineData("{\"targets\": {\"net10.0\": {\"A/1\": 1}}}")]
    [InlineData("{\"projectFileDependencyGroups\": [], \"targets\": {\"net10.0\": {}}}")]
    [ReliabilityCase("Files", "a damaged project.assets.json, for an SBOM", "one warning, IMG1070; dependencies are omitted")]
    public async Task ADamagedGraphIsOneWarning(string text)
    {
        await using var bench = await SbomBench.StartAsync();
        var log = new TestLog();
        await File.WriteAllTextAsync(bench["assets.json"], text, TestContext.Current.CancellationToken);

        var graph = PackageGraph.Read(new PackageGraphFile(bench["assets.json"], "net10.0", null), log);

        Assert.Empty(graph.Nodes);
        Assert.DoesNotContain('\n', Assert.Single(log.Warnings));
    }

    [Fact]
    public async Task TheTargetOfThePlatformIsChosen()
    {
        await using var bench = await SbomBench.StartAsync();
        var target = (string version) =>
            new Dictionary<string, object> { [$"A/{version}"] = new { type = "package", dependencies = new { B = "1" } } };
        var document = new Dictionary<string, object>
        {
            ["targets"] = new Dictionary<string, object>
            {
                ["net9.0"] = target("9"),
                ["net10.0"] = target("10"),
                ["net10.0/linux-arm64"] = target("11"),
                ["net10.0/linux-x64"] = target("12"),
            },
            ["projectFileDependencyGroups"] = new Dictionary<string, object> { ["net10.0"] = new[] { "A >= 1", "Lib" } },
        };
        await File.WriteAllTextAsync(bench["assets.json"], JsonSerializer.Serialize(document), TestContext.Current.CancellationToken);

        PackageGraph Read(string? platform) =>
            PackageGraph.Read(new PackageGraphFile(bench["assets.json"], "net10.0", platform), new TestLog());

        Assert.Equal("12", Read("linux-x64").Nodes["a"].Version);
        Assert.Equal("10", Read("linux-musl-x64").Nodes["A"].Version);
        Assert.Equal(["B"], Read(null).Nodes["A"].Needs);
        Assert.Equal(["A", "Lib"], Read(null).Roots.Order());
    }

    private static Component Describe(SbomBench bench, TestLog log, NuGetPackage package) =>
        new NuGetPackages([bench.Packages], log).Describe(package);
}

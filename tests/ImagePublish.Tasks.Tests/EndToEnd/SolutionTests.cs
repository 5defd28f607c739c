using System.Text.RegularExpressions;
using System.Xml.Linq;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A whole solution: apps become images, everything else is passed by.</summary>
public sealed partial class SolutionTests(Peers peers)
{
    private const string Marker = "IMAGEPUBLISH_TEST_BUILD";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Projects",
        "tests of xunit.v3 and a mobile app, in a published solution",
        "skipped, the second with a line that says so"
    )]
    public async Task ItsAppsArePublishedAtOnceAndNothingElse()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var solution = await CreateAsync(workspace);
        var build = workspace.PublishImages(
            solution,
            "-m:4",
            "-nodeReuse:true",
            "-p:UseSharedCompilation=false",
            $"-p:ImageRegistry={registry.Host}",
            $"-p:ImageBase={registry.Host}/dotnet/aspnet:10.0",
            "-p:ImageFileOwner=0:0"
        );
        var id = Guid.NewGuid().ToString();
        build = build with
        {
            Environment = new Dictionary<string, string?>(build.Environment) { ["MSBUILDDISABLENODEREUSE"] = null, [Marker] = id },
        };

        try
        {
            // The second build meets the processes of the first, with the tasks loaded.
            var first = await build.SucceedAsync(Cancelled);
            var second = await build.SucceedAsync(Cancelled);

            Assert.Equal(["solution.one", "solution.three", "solution.two"], Published(first.Output, unchanged: false, registry));
            Assert.Equal(["solution.one", "solution.three", "solution.two"], Published(second.Output, unchanged: true, registry));
            Assert.DoesNotMatch("warning|error|   at ", first.All + second.All);
            Assert.Contains(
                "Solution.Client runs in android, not in a container: no image is made of it.",
                first.Output,
                StringComparison.Ordinal
            );
            Assert.Empty(await registry.TagsAsync("solution.client", Cancelled));
            Assert.Empty(await registry.TagsAsync("solution.library", Cancelled));
            Assert.Empty(await registry.TagsAsync("solution.old-checks", Cancelled));
            Assert.Empty(await registry.TagsAsync("solution.checks", Cancelled));
        }
        finally
        {
            MarkedProcesses.End($"{Marker}={id}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [ReliabilityCase(
        "Projects",
        "two apps of a solution are published under one repository and tag",
        "the second is an error before its tag moves; ImageRepositoryPrefix gives each its own name"
    )]
    public async Task TwoAppsUnderOneNameAreAnError(int processes)
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var prefix = $"one-{processes}";
        foreach (var name in new[] { "Bbb", "Ccc" })
            workspace.ScratchApp(name);
        var solution = workspace.Solution("S.slnx", "Bbb", "Ccc");
        CommandLine Publish(params string[] switches) =>
            workspace.PublishImages(solution, [$"-m:{processes}", $"-p:ImageRegistry={registry.Host}", .. switches]);

        var apart = await Publish($"-p:ImageRepositoryPrefix={prefix}").SucceedAsync(Cancelled);
        var clash = await Publish("--no-build", $"-p:ImageRepository={prefix}/shop").RunAsync(Cancelled);

        Assert.Equal([$"{prefix}/bbb", $"{prefix}/ccc"], Published(apart.Output, unchanged: false, registry));
        Assert.NotEqual(0, clash.ExitCode);
        Assert.Equal([$"{prefix}/shop"], Published(clash.Output, unchanged: false, registry));
        Assert.Matches(
            $"error IMG1041: (Bbb and Ccc|Ccc and Bbb) both publish '{registry.Host}/{prefix}/shop:1.0.0' in this build",
            clash.All
        );
    }

    // One has the package from the library that references it; the rest would be publishable, were they not what they are.
    private static async Task<string> CreateAsync(TestWorkspace workspace)
    {
        var library = (await workspace.NewAsync("classlib", "Solution.Library", Cancelled)).WithImagePublish();
        var one = await workspace.NewAsync("web", "Solution.One", Cancelled);
        one.ProjectReference(library);
        workspace.Empty("Solution.Two").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        workspace.Empty("Solution.Three").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        workspace
            .Empty("Solution.Old-Checks")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("IsTestProject", "true")
            .Content("Program.cs", "return;");
        workspace
            .Empty("Solution.Checks")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .PackageReference("xunit.v3", XunitVersion)
            .ProjectReference(library);
        workspace
            .Empty("Solution.Client")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            // Real ones need a workload: this one says only when it is asked where it runs.
            .Element(
                """<Target Name="BeForPhones" BeforeTargets="_FindImageApp"><PropertyGroup><TargetPlatformIdentifier>android</TargetPlatformIdentifier></PropertyGroup></Target>"""
            );
        return workspace.Solution(
            "All.slnx",
            "Solution.Library",
            "Solution.One",
            "Solution.Two",
            "Solution.Three",
            "Solution.Old-Checks",
            "Solution.Checks",
            "Solution.Client"
        );
    }

    private static string XunitVersion =>
        XDocument
            .Load(Path.Combine(RepositoryRoot.Path, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Single(package => package.Attribute("Include")!.Value == "xunit.v3")
            .Attribute("Version")!
            .Value;

    private static IEnumerable<string> Published(string output, bool unchanged, DockerRegistry registry) =>
        PublishedLine()
            .Matches(output)
            .Where(line => line.Groups["what"].Value == "unchanged" == unchanged && line.Groups["host"].Value == registry.Host)
            .Select(line => line.Groups["repository"].Value)
            .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^\s*\S+ -> (?<host>localhost:\d+)/(?<repository>[^\s:]+):.* \((?<what>[^)]*)\)\r?$", RegexOptions.Multiline)]
    private static partial Regex PublishedLine();
}

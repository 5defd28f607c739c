using System.Text.Json;
using ImagePublish.Tasks.Tests.Documentation;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// All samples, published from what a fresh clone has: one alone, as the README says, which builds the tasks, then all at once to a
/// registry.
/// </summary>
public sealed class PublishedSamples(Peers peers) : IAsyncLifetime
{
    private static readonly string[] Parts = ["build", "docs", "samples", "src"];

    private TestWorkspace? workspace;

    public DockerRegistry Registry { get; private set; } = null!;

    /// <summary>The root of the clone, where the READMEs' commands are typed.</summary>
    public Sandbox Clone { get; private set; } = null!;

    /// <summary>What the README's first command printed there.</summary>
    public string First { get; private set; } = "";

    /// <summary>A detailed log of the publish of all at once.</summary>
    public string Log => workspace!["publish.log"];

    /// <summary>Where the README has the package packed to.</summary>
    public string Feed => workspace!["feed"];

    /// <summary>What the report of one of those that have one says.</summary>
    public async Task<JsonElement> ReportAsync(string sample, CancellationToken cancellationToken)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(workspace!["clone/samples"], sample, "report.html"), cancellationToken);
        using var json = JsonDocument.Parse(DataOf(page));
        return json.RootElement.Clone();
    }

    /// <summary>The JSON in a report's page.</summary>
    public static string DataOf(string page)
    {
        const string Begin = "<script type=\"application/json\" id=\"data\">";
        var data = page[(page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..];
        return data[..data.IndexOf("</script>", StringComparison.Ordinal)];
    }

    public async ValueTask InitializeAsync()
    {
        Registry = await peers.RegistryAsync();
        workspace = await peers.WorkspaceAsync();
        CopySources(workspace["clone"]);
        Clone = new Sandbox(workspace, workspace["clone"], await peers.DockerAsync())
            .Call("localhost:8080", "localhost:$PORT")
            .Call("/home/me", workspace["clone"])
            .Call("~/feed", Feed)
            // The user's own list of sources stays as it is.
            .Call("dotnet nuget add source", $"dotnet nuget add source --configfile {workspace.Write("user.config", "<configuration />")}")
            // Neither Aspire's dashboard nor its orchestrator is needed to publish: 300 MB.
            .With("SkipAddAspireDefaultReferences", "true")
            // The sources are those that were analysed when these tests were built.
            .With("RunAnalyzers", "false")
            .With("CustomAfterMicrosoftCommonTargets", workspace.Write("bases.targets", Bases()));
        First = await Clone.TypeAsync(Page.Read("README.md").Passages.First(passage => !passage.IsInline).Text, CancellationToken.None);
        workspace.Write("clone/samples/All.slnx", All(workspace["clone/samples"]));
        await Clone.TypeAsync(
            $"dotnet publish samples/All.slnx -tl:off -m:2 "
                + $"'-flp:LogFile={Log};Verbosity=detailed' -p:PublishImage=true -p:ImageRegistry={Registry.Host}",
            CancellationToken.None
        );
    }

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }

    // Microsoft's bases are out of reach: each kind of app gets the one of the tests' own that stands for its default.
    private string Bases() =>
        $"""
            <Project>
              <PropertyGroup Condition="'$(ImageRegistry)' != '' and ('$(MSBuildProjectName)' == 'Platforms' or '$(MSBuildProjectName)' == 'Scratch')">
                <ImageReport>report.html</ImageReport>
              </PropertyGroup>
              <PropertyGroup Condition="'$(ImageBase)' == ''">
                <ImageBase>{Registry.Host}/dotnet/runtime:10.0</ImageBase>
                <ImageBase Condition="'$(UsingMicrosoftNETSdkWeb)' == 'true'">{Registry.Host}/dotnet/aspnet:10.0</ImageBase>
                <ImageBase Condition="'$(PublishAot)' == 'true'">{Registry.Host}/dotnet/runtime-deps:10.0</ImageBase>
              </PropertyGroup>
            </Project>
            """;

    private static string All(string samples) =>
        $"<Solution>{string.Concat(Directory.GetFiles(samples, "*.csproj", SearchOption.AllDirectories).Select(project => $"""<Project Path="{Path.GetRelativePath(samples, project)}" />"""))}</Solution>";

    // What a clone has, and nothing that was built here.
    private static void CopySources(string target)
    {
        var root = RepositoryRoot.Path;
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(root))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        foreach (var part in Parts)
            SourceTree.Copy(part, Path.Combine(target, part));
    }
}

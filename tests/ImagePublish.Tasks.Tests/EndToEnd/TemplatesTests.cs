using System.Xml.Linq;
using ImagePublish.Tasks.Tests.Documentation;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Apps that <c>dotnet new</c> makes of the package's templates.</summary>
public sealed class TemplatesTests(Peers peers, InstalledTemplates templates) : IClassFixture<InstalledTemplates>
{
    private const string Name = "My.App-1";

    private static readonly Dictionary<string, string> CiFiles = new()
    {
        ["github"] = ".github/workflows/image.yml",
        ["gitlab"] = ".gitlab-ci.yml",
        ["azure"] = "azure-pipelines.yml",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<string, string> Choices => new(["imagepublish-web", "imagepublish-worker"], ["none", .. CiFiles.Keys]);

    [Theory]
    [MemberData(nameof(Choices))]
    public async Task EachHasTheFileOfItsCiSystemAndThePackageOfItsVersion(string template, string ci)
    {
        var folder = await templates.CreateAsync(template, Name, $"{template}-{ci}", "--ci", ci);

        var files = Files(folder);
        Assert.Equal(ci == "none" ? [] : [CiFiles[ci]], files.Keys.Intersect(CiFiles.Values));
        Assert.Equal(3, files.Keys.Except(CiFiles.Values).Count());
        Assert.All(files.Values, text => Assert.DoesNotMatch(@"#(if|else|endif)|\{[a-z-]+\}(?!\})|(WebApp|Worker)[._]1", text));
        if (ci != "none")
        {
            var recipe = CiRecipe.ParseYaml(files[CiFiles[ci]]);
            Assert.Equal(ci, recipe.System.Name, ignoreCase: true);
            Assert.StartsWith("dotnet publish -p:PublishImage=true ", recipe.Steps[0].Script, StringComparison.Ordinal);
        }

        var project = XDocument.Parse(files[$"{Name}.csproj"]);
        var reference = project.Descendants("PackageReference").Single(item => (string?)item.Attribute("Include") == PackedPackage.Id);
        Assert.Equal(templates.Workspace.PackageVersion, (string?)reference.Attribute("Version"));
        Assert.Equal("My.App_1", project.Descendants("RootNamespace").Single().Value);
        Assert.Empty(project.Descendants("ImageRegistry").Concat(project.Descendants("ImageRepository")));
    }

    [Fact]
    public async Task OptionsAreInTheProjectAndNotAgainInTheCiFile()
    {
        string[] options = ["--registry", "acme.azurecr.io", "--repository", "acme/shop", "--health-check", "false"];
        var folder = await templates.CreateAsync("imagepublish-web", "Shop", "options", [.. options, "--ci", "github"]);

        var files = Files(folder);
        var project = XDocument.Parse(files["Shop.csproj"]);
        Assert.Equal("acme.azurecr.io", project.Descendants("ImageRegistry").Single().Value);
        Assert.Equal("acme/shop", project.Descendants("ImageRepository").Single().Value);
        Assert.Empty(project.Descendants("ImageHealthcheck").Concat(project.Descendants("RootNamespace")));
        Assert.DoesNotContain("ealth", files["Program.cs"], StringComparison.Ordinal);
        var step = CiRecipe.ParseYaml(files[CiFiles["github"]]).Steps[0];
        Assert.DoesNotMatch("-p:Image(Registry|Repository)", step.Script);
        Assert.Equal(["IMAGE_REGISTRY_PASSWORD", "IMAGE_REGISTRY_USERNAME"], step.Environment.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("refs/tags/v2.1.0-rc.1", "2.1.0-rc.1")]
    [InlineData("refs/heads/main", "1.0.0")]
    [InlineData(null, "1.0.0")]
    public async Task TheWorkflowPublishesTheVersionOfItsTag(string? reference, string version)
    {
        var folder = await templates.CreateAsync("imagepublish-worker", Name, $"version-{version}-{reference is null}", "--ci", "github");

        var command = templates.Workspace.DotNet("msbuild", "-getProperty:Version") with { WorkingDirectory = folder };
        var environment = new Dictionary<string, string?>(command.Environment) { ["GITHUB_REF"] = reference };
        var evaluated = await (command with { Environment = environment }).SucceedAsync(Cancelled);

        Assert.Equal(version, evaluated.Output.Trim());
    }

    [Fact]
    public async Task AFolderWithAProjectIsNotOverwritten()
    {
        var folder = await templates.CreateAsync("imagepublish-worker", Name, "twice");
        var before = Files(folder);

        var again = await templates.New("imagepublish-worker", "--name", Name, "--output", "twice", "--no-restore").RunAsync(Cancelled);

        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains($"Overwrite   twice/{Name}.csproj", again.All, StringComparison.Ordinal);
        Assert.Equal(before, Files(folder));
    }

    [Fact]
    public async Task TheWebAppIsPublishedByItsWorkflowAndIsHealthy()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await (await peers.BaseImageAsync()).PushToAsync(registry, Cancelled);
        var docker = await peers.DockerAsync();
        var folder = await templates.CreateAsync("imagepublish-web", Name, "web", "--ci", "github");
        var workflow = await File.ReadAllTextAsync(Path.Combine(folder, CiFiles["github"]), Cancelled);

        var sandbox = new Sandbox(templates.Workspace, folder, docker)
            .Call("ghcr.io", registry.Host)
            .Call("mcr.microsoft.com", registry.Host)
            .With("ImageBase", "mcr.microsoft.com/dotnet/aspnet:10.0");
        await new PageRun(new Page("image.yml", [new Passage(1, "yaml", workflow, "")]), sandbox).ReadAsync(_ => false, Cancelled);

        Assert.Equal(["1.0.0", "latest"], await registry.TagsAsync("acme/shop", Cancelled));
        await using var container = await docker.StartAsync($"{registry.Host}/acme/shop:1.0.0", Cancelled);
        using var answer = await container.GetAsync("/health", Cancelled);
        Assert.Equal("Healthy", await answer.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task TheWorkerIsPublishedToTheLocalStore()
    {
        var registry = await peers.RegistryAsync();
        var folder = await templates.CreateAsync("imagepublish-worker", Name, "worker");

        var command = templates.Workspace.DotNet("publish", "-tl:off", "-p:PublishImage=true") with { WorkingDirectory = folder };
        // Microsoft's registry is out of reach.
        var environment = new Dictionary<string, string?>(command.Environment) { ["ImageBaseRegistry"] = registry.Host };
        var published = await (command with { Environment = environment }).SucceedAsync(Cancelled);

        Assert.Matches(@"(?m)^  My\.App-1 -> my\.app-1:1\.0\.0, latest \([\d.]+ .B written\)$", published.Output);
        Assert.DoesNotContain("warning", published.Output, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Files(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllText);
}

using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>
/// Whatever a reader can copy from the README and from <c>docs/</c> is typed as it stands, from the top to the end, and does what the page
/// shows. <see cref="Stages"/> says what is not.
/// </summary>
/// <param name="peers">What all tests share.</param>
/// <param name="names">The pages, in the order of reading.</param>
/// <remarks>Pages that need nothing of each other are read by classes of their own, side by side.</remarks>
public abstract class PagesTests(Peers peers, IReadOnlyList<string> names)
{
    private static readonly Lazy<IReadOnlyList<Page>> Pages = new(() => [.. Page.Names.Select(Page.Read)]);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryCommandDoesWhatThePageShows()
    {
        var stage = Stages.Of(names[0]);
        await using var secured = await DockerRegistry.StartAsync(
            new() { UserName = CiSystem.UserName, Password = CiSystem.Password },
            Cancelled
        );
        // A registry of its own: what a page shows depends on what its repositories had before.
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await (await peers.BaseImageAsync()).PushToAsync(registry, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var sandbox = await SandboxAsync(workspace, stage, registry, secured);
        foreach (var page in Pages.Value.Where(page => names.Contains(page.Name)))
            await new PageRun(page, sandbox).ReadAsync(passage => IsTypedElsewhere(page, passage), Cancelled);
    }

    [Fact]
    public void TheStagesSpeakOfPassagesThatThereAre() =>
        Assert.All(Pages.Value.Where(page => names.Contains(page.Name)), page =>
            Assert.All(Stages.Of(page.Name).Before.Keys.Concat(Stages.Of(page.Name).NotTyped.Keys), key =>
                Assert.Contains(key, page.Passages.Select(passage => passage.Name))
            )
        );

    // A command within a line is typed where it is first mentioned, unless it begins a line of a block.
    private static bool IsTypedElsewhere(Page page, Passage passage)
    {
        if (!passage.IsInline || passage.Language != "shell")
            return false;
        var all = Pages.Value.SelectMany(other => other.Passages.Select(one => (Page: other.Name, Passage: one))).ToList();
        return all.Exists(one =>
                !one.Passage.IsInline && one.Passage.Text.Split('\n').Any(line => line.StartsWith(passage.Text, StringComparison.Ordinal))
            )
            || all.First(one => one.Passage.Text == passage.Text) != (page.Name, passage);
    }

    private async Task<Sandbox> SandboxAsync(TestWorkspace workspace, Stage stage, DockerRegistry registry, DockerRegistry secured)
    {
        var package = await peers.PackageAsync();
        if (stage.Project.Length > 0)
            WriteProject(workspace, stage.Project, package.Version);
        return new Sandbox(workspace, Path.Combine(workspace.Path, stage.Folder), await peers.DockerAsync())
            .Call("ghcr.io", registry.Host)
            .Call("mcr.microsoft.com", registry.Host)
            .Call("acme.azurecr.io", secured.Host)
            .Call("prod.azurecr.io", secured.Host)
            .Call("registry.gitlab.com", secured.Host)
            .Call("registry.example.com", secured.Host)
            .Call("dotnet add package ImagePublish.Tasks", $"dotnet add package ImagePublish.Tasks --version {package.Version}")
            .Call("Include=\"ImagePublish.Tasks\" Version=\"1.0.0\"", $"Include=\"ImagePublish.Tasks\" Version=\"{package.Version}\"")
            .Call("localhost:8080", "localhost:$PORT")
            .Call("$HOME/.local/share", workspace.UserData)
            .Call("/home/me", workspace.Path)
            // Microsoft's base is out of reach.
            .With("ImageBase", "mcr.microsoft.com/dotnet/aspnet:10.0");
    }

    private static void WriteProject(TestWorkspace workspace, string folder, string version)
    {
        workspace.Write(
            $"{folder}/{Path.GetFileName(folder)}.csproj",
            $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="ImagePublish.Tasks" Version="{version}" PrivateAssets="all" />
              </ItemGroup>
            </Project>
            """
        );
        workspace.Write(
            $"{folder}/Program.cs",
            """
            var app = WebApplication.Create(args);
            app.MapGet("/", () => "v1");
            app.Run();
            """
        );
    }
}

public sealed class ReadmePageTests(Peers peers) : PagesTests(peers, ["README.md"]);

public sealed class TourPageTests(Peers peers) : PagesTests(peers, ["docs/tour.md"]);

public sealed class RecipesPageTests(Peers peers) : PagesTests(peers, ["docs/recipes.md"]);

public sealed class OtherPagesTests(Peers peers)
    : PagesTests(peers, [.. Page.Names.Except(["README.md", "docs/tour.md", "docs/recipes.md"])]);

using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.AppHosts;

/// <summary>
/// The sample of Aspire as a user has it, with both packages from a feed: its AppHost is built once, and then run as by
/// <c>aspire publish</c>, without a container engine.
/// </summary>
public sealed partial class PublishedAppHost(Peers peers) : IAsyncLifetime
{
    private TestWorkspace? workspace;
    private PackedPackage? package;

    public DockerRegistry Registry { get; private set; } = null!;

    /// <summary>What the first run wrote and said.</summary>
    public CommandOutput First { get; private set; } = null!;

    public string ComposeFile => this["first/docker-compose.yaml"];

    public string this[string path] => workspace![path];

    public async ValueTask InitializeAsync()
    {
        package = await peers.PackageAsync();
        await package.AddAspireAsync(CancellationToken.None);
        Registry = await DockerRegistry.StartAsync(CancellationToken.None);
        await (await peers.BaseImageAsync()).PushToAsync(Registry, CancellationToken.None);
        workspace = await peers.WorkspaceAsync();
        Directory.CreateDirectory(this["home"]);
        CopySample();
        await Command("build", "app/AppHost", "-c", "Release", "--nologo", "-p:BuildProjectReferences=false")
            .SucceedAsync(CancellationToken.None);
        First = await RunAsync("", "--operation", "publish", "--step", "publish", "--output-path", this["first"]);
    }

    public async ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        if (Registry is not null)
            await Registry.DisposeAsync();
    }

    /// <summary>Runs the AppHost with the arguments that the Aspire CLI gives it.</summary>
    /// <param name="variant">Which case of <see cref="Variants"/> it is; empty for the sample as it is.</param>
    /// <param name="arguments">The arguments.</param>
    public async Task<CommandOutput> RunAsync(string variant, params string[] arguments)
    {
        var host = this["app/AppHost/bin/Release/net10.0/AppHost.dll"];
        var command = Command([host, .. arguments, "--variant", variant]);
        return await (command with { WorkingDirectory = this["app/AppHost"] }).RunAsync(CancellationToken.None);
    }

    /// <summary>Takes the reference to the package out of a project, or puts it back.</summary>
    public void ReferencePackage(string project, bool isReferenced)
    {
        var reference = $"""<PackageReference Include="{PackedPackage.Id}" Version="{package!.Version}" />""";
        var items = isReferenced ? $"<ItemGroup>{reference}</ItemGroup>" : "";
        workspace!.Write($"app/{project}/Directory.Build.targets", $"<Project>{items}</Project>");
    }

    private CommandLine Command(params IReadOnlyList<string> arguments)
    {
        var command = workspace!.DotNet(arguments);
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["Registry"] = Registry.Host,
            ["ContainerBaseImage"] = $"{Registry.Host}/dotnet/aspnet:10.0",
            ["DOCKER_HOST"] = $"unix://{this["no-docker.sock"]}",
            // Aspire keeps what it knows of deployments there.
            ["HOME"] = this["home"],
            ["NUGET_PACKAGES"] = PackedPackage.GlobalPackages,
            // Neither its dashboard nor its orchestrator is needed to publish: 300 MB.
            ["SkipAddAspireDefaultReferences"] = "true",
            ["PATH"] = $"{Path.GetDirectoryName(command.Program)}:{Environment.GetEnvironmentVariable("PATH")}",
        };
        return command with { Environment = environment };
    }

    private void CopySample()
    {
        var sample = Path.Combine(RepositoryRoot.Path, "samples", "Aspire");
        foreach (var file in SourceTree.Files(sample))
            workspace!.Write(Path.Combine("app", Path.GetRelativePath(sample, file)), AsUsersHaveIt(File.ReadAllText(file)));
        workspace!.Write("Directory.Build.props", "<Project />");
        workspace.Write("app/AppHost/Variants.cs", Variants.Source);
        foreach (var project in new[] { "Inventory", "Storefront" })
            ReferencePackage(project, isReferenced: true);
    }

    // The sample takes the packages from the source tree.
    private string AsUsersHaveIt(string text) =>
        OwnReference()
            .Replace(text, $"""<PackageReference Include="{PackedPackage.AspireId}" Version="{package!.Version}" />""")
            .Replace("builder.Build().Run()", "Variants.Apply(builder, inventory);\nbuilder.Build().Run()", StringComparison.Ordinal);

    [GeneratedRegex(@"<ProjectReference\s+Include=""[./]+src/ImagePublish\.Aspire\.Hosting/[^>]*/>")]
    private static partial Regex OwnReference();
}

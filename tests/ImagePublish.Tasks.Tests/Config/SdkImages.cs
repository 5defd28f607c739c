using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>One project with every setting of the SDK's: each kind of image published by the SDK and by us, all in one build.</summary>
public sealed class SdkImages(Peers peers) : IAsyncLifetime
{
    private readonly Dictionary<(string Kind, string By), ImageFacts> images = [];

    public ImageFacts Sdk(string kind) => images[(kind, "sdk")];

    public ImageFacts Ours(string kind) => images[(kind, "ours")];

    public async ValueTask InitializeAsync()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var kinds = SdkSettings.All.Select(setting => setting.Kind).Distinct().ToList();
        var project = (await workspace.NewAsync("web", "Compared", CancellationToken.None))
            .WithImagePublish()
            .Property("ContainerRegistry", registry.Host)
            .Property("ContainerRepository", "compared/$(By)/$(Kind)")
            .Property("ContainerBaseImage", await SmallBase.PushToAsync(registry, "compared/base:1", CancellationToken.None))
            .Property("Title", "Plain")
            .Property("Description", "Plain")
            .Property("ContainerVendor", "Plain")
            .Property("PackageLicenseExpression", "0BSD")
            .Property("PackageProjectUrl", "https://example.com/plain");
        foreach (var setting in SdkSettings.All.Where(setting => setting.Xml.Length > 0))
            project.Element(Escaped.When(setting.Kind, setting.Xml));
        (await project.PublishAsync(CancellationToken.None)).EnsureSuccess();

        var all = new TestProject(workspace, await peers.PackageAsync(), workspace.Write("All.proj", "<Project />")).Element(
            $"""<Target Name="All">{string.Concat(kinds.Select(kind => Builds(project, kind)))}</Target>"""
        );
        (await all.TargetAsync("All", CancellationToken.None, "--no-restore")).EnsureSuccess();
        foreach (var kind in kinds)
        {
            foreach (var by in new[] { "ours", "sdk" })
                images.Add((kind, by), await ReadAsync(registry, project, kind, by));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<ImageFacts> ReadAsync(DockerRegistry registry, TestProject project, string kind, string by) =>
        kind == "archive"
            ? ImageFacts.ReadAsync(Path.Combine(project.Folder, $"archive-{by}", "archived.tar.gz"), CancellationToken.None)
            : ImageFacts.ReadAsync(registry, $"compared/{by}/{kind}", CancellationToken.None);

    private static string Builds(TestProject project, string kind) =>
        $"""
            <MSBuild Projects="{project.File}" Targets="PublishImage" Properties="NoBuild=true;Configuration=Release;Kind={kind};By=ours" />
            <MSBuild Projects="{project.File}" Targets="PublishContainer" Properties="ImageTakeOver=false;NoBuild=true;Configuration=Release;Kind={kind};By=sdk" />
            """;
}

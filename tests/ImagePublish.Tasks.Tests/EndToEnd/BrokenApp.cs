using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// A small app, built once, whose publish folder can be spoilt: <c>Spoil=empty</c> empties it, <c>Spoil=link</c> puts a link to elsewhere
/// into it; <c>Mistake=3</c> takes an item of <see cref="BadItem"/>.
/// </summary>
public sealed class BrokenApp(Peers peers) : IAsyncLifetime
{
    private TestWorkspace? workspace;

    public TestWorkspace Workspace => workspace!;

    public TestProject Project { get; private set; } = null!;

    public DockerRegistry Registry { get; private set; } = null!;

    /// <summary>A file with targets, for many builds of the app in one.</summary>
    public TestProject All { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await peers.RegistryAsync();
        workspace = await peers.WorkspaceAsync();
        Project = workspace
            .Empty("Bad")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            .Element(
                """
                <Target Name="Spoil" AfterTargets="CopyFilesToPublishDirectory">
                  <RemoveDir Directories="$(PublishDir)" Condition="'$(Spoil)' != ''" />
                  <MakeDir Directories="$(PublishDir)" />
                  <Exec Command="ln -s /etc/passwd '$(PublishDir)passwd'" Condition="'$(Spoil)' == 'link'" />
                </Target>
                """
            );
        foreach (var (number, mistake) in BadItem.All.Index())
            Project.Element(
                $"""<ItemGroup Condition="'$(Mistake)' == '{number}'">{mistake.Xml.Replace("Culprit=\"\"", $"Culprit=\"{number}\"", StringComparison.Ordinal)}</ItemGroup>"""
            );
        All = new TestProject(workspace, await peers.PackageAsync(), workspace.Write("All.proj", "<Project />"));
        (await Project.BuildAsync(CancellationToken.None, "-c", "Release")).EnsureSuccess();
    }

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }
}

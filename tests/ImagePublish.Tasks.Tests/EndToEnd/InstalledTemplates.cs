using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>The packed templates, installed for these tests alone.</summary>
public sealed class InstalledTemplates(Peers peers) : IAsyncLifetime
{
    private TestWorkspace? workspace;

    public TestWorkspace Workspace => workspace!;

    public async ValueTask InitializeAsync()
    {
        workspace = await peers.WorkspaceAsync();
        var file = await (await peers.PackageAsync()).AddTemplatesAsync(CancellationToken.None);
        await New("install", file).SucceedAsync(CancellationToken.None);
    }

    /// <summary>A <c>dotnet new</c> command that knows these templates.</summary>
    public CommandLine New(params IReadOnlyList<string> arguments) =>
        Workspace.DotNet(["new", .. arguments, "--debug:custom-hive", Workspace["hive"]]);

    /// <summary>Creates a project, without a restore, and returns its folder.</summary>
    public async Task<string> CreateAsync(string template, string name, string folder, params string[] options)
    {
        await New([template, "--name", name, "--output", folder, "--no-restore", .. options]).SucceedAsync(CancellationToken.None);
        return Workspace[folder];
    }

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }
}

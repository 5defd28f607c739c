using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// An app with a layer that takes seconds to upload, built once; each publish of it goes to a new repository from a new store.
/// </summary>
public sealed class SlowApp(Peers peers) : IAsyncLifetime
{
    // Several megabytes of it are under way in the machine as soon as it is sent.
    private const int Size = 16_000_000;

    private TestWorkspace workspace = null!;
    private TestProject project = null!;
    private int publishes;

    public TestRegistry Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await TestRegistry.StartAsync();
        workspace = await peers.WorkspaceAsync();
        project = workspace
            .ScratchApp("Slow")
            .Property("ImageCompression", "none")
            .Item("ImageFile", "model.bin", ("TargetPath", "/data/model.bin"), ("Layer", "models"));
        var content = new byte[Size];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(Path.Combine(project.Folder, "model.bin"), content);
        (await project.BuildAsync(CancellationToken.None, "-c:Release")).EnsureSuccess();
    }

    /// <summary>A command that publishes it; how fast, and what else goes wrong, is the registry's.</summary>
    public CommandLine Publish(params string[] switches)
    {
        var number = ++publishes;
        return workspace.DotNet([
            "publish",
            project.File,
            TestWorkspace.Release,
            "-nologo",
            "--no-build",
            "-p:PublishImage=true",
            $"-p:ImageName={Registry.Host}/slow/{number}:1",
            $"-p:ImageStore={workspace[$"store-{number}"]}",
            .. switches,
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        workspace.Dispose();
    }
}

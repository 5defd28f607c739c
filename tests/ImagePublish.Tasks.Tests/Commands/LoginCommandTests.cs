using System.Text.Json;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>Signing in by targets, for the tools that come after: and the commands that need no app.</summary>
public sealed class LoginCommandTests(Peers peers) : IDisposable
{
    private const string Repository = "sign-in/small";

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoSignsInIsKnownToDockerPodmanAndSkopeoUntilSigningOut()
    {
        await using var registry = await DockerRegistry.StartAsync(
            new DockerRegistryOptions
            {
                UserName = "me",
                Password = "s3cret of the day",
                AllowsDelete = false,
            },
            Cancelled
        );
        var reference = $"{registry.Host}/{Repository}:1.0";
        var archive = folder["small.tar"];
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(PeerImage.Create("amd64", "signed-in"), "small:1.0")], archive, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = await LibraryAsync(workspace);
        // What podman kept of an older sign-in would win over docker's file.
        workspace.Write("user-data/config/containers/auth.json", $$$"""{"auths":{"{{{registry.Host}}}":{"auth":"bWU6b2xk"} } }""");
        Assert.Contains(
            "error IMG5001",
            (await VerbAsync(project, "CopyImage", $"-p:ImageSource={archive}", $"-p:ImageName={reference}")).All,
            StringComparison.Ordinal
        );

        Assert.Contains("error IMG5001", (await LoginAsync(project, registry, "wrong\n")).All, StringComparison.Ordinal);
        var onServer = await BuildServers.RunAsync(LoginCommand(project, registry, "s3cret of the day\n"), Cancelled);
        Assert.Contains("error IMG1031", onServer.All, StringComparison.Ordinal);
        Assert.Contains("DOTNET_CLI_USE_MSBUILD_SERVER=0", onServer.All, StringComparison.Ordinal);
        (await LoginAsync(project, registry, "s3cret of the day\n")).EnsureSuccess();
        (await VerbAsync(project, "CopyImage", $"-p:ImageSource={archive}", $"-p:ImageName={reference}")).EnsureSuccess();

        Assert.All(await PullAsync(workspace, reference), pull => Assert.True(pull.ExitCode == 0, pull.ToString()));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(workspace["user-data/docker/config.json"]));

        // A registry that keeps what it has says so.
        var kept = await VerbAsync(project, "RemoveImage", $"-p:ImageSource={reference}");
        Assert.Contains("error IMG4015", kept.All, StringComparison.Ordinal);

        (await VerbAsync(project, "LogoutImageRegistry", $"-p:ImageRegistry={registry.Host}")).EnsureSuccess();
        Assert.All(await PullAsync(workspace, reference), pull => Assert.NotEqual(0, pull.ExitCode));
        Assert.Contains(
            "error IMG5001",
            (await VerbAsync(project, "ListImageTags", $"-p:ImageName={registry.Host}/{Repository}")).All,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ALibraryOfSeveralFrameworksListsAndRemovesImagesToo()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = await LibraryAsync(workspace);
        var archive = folder["listed.tar"];
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(PeerImage.Create("amd64", "listed"), "acme/listed:1.0")], archive, Cancelled);
        (await VerbAsync(project, "CopyImage", $"-p:ImageSource={archive}")).EnsureSuccess();
        var digest = await ReadAsync(project, "CopyImage", "digest");

        var listed = (await VerbAsync(project, "ListImages")).EnsureSuccess();
        Assert.Contains("acme/listed:1.0", listed.Output, StringComparison.Ordinal);
        Assert.Equal(digest, await ReadAsync(project, "ListImages", "digest"));
        await Skopeo.CopyAsync($"oci:{workspace["user-data/imagepublish/store"]}:acme/listed:1.0", $"oci:{folder["copied"]}:x", Cancelled);

        var removed = (await VerbAsync(project, "RemoveImage", "-p:ImageSource=acme/listed:1.0")).EnsureSuccess();
        Assert.Contains("1 images", removed.Output, StringComparison.Ordinal);
        Assert.Contains(
            "error IMG3105",
            (await VerbAsync(project, "RemoveImage", "-p:ImageSource=acme/listed:1.0")).All,
            StringComparison.Ordinal
        );
    }

    public void Dispose() => folder.Dispose();

    private static async Task<TestProject> LibraryAsync(TestWorkspace workspace)
    {
        var project = workspace.Empty("Library").WithImagePublish().Property("TargetFrameworks", "net10.0").Property("TargetFramework", "");
        await project.RestoreAsync(Cancelled);
        return project;
    }

    private static Task<CommandOutput> LoginAsync(TestProject project, DockerRegistry registry, string input) =>
        LoginCommand(project, registry, input).RunAsync(Cancelled);

    private static CommandLine LoginCommand(TestProject project, DockerRegistry registry, string input) =>
        project.Command("msbuild", "-t:LoginImageRegistry", $"-p:ImageRegistry={registry.Host}", "-p:ImageRegistryUsername=me") with
        {
            Input = input,
        };

    private static Task<CommandOutput> VerbAsync(TestProject project, string target, params string[] arguments) =>
        BuildServers.RunAsync(project.Command("msbuild", [$"-t:{target}", .. arguments]), Cancelled);

    private static async Task<string?> ReadAsync(TestProject project, string target, string name)
    {
        using var json = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(project.Folder, "obj", "Debug", $"ImagePublish.{target}.json"), Cancelled)
        );
        Assert.Equal(1, json.RootElement.GetProperty("schemaVersion").GetInt32());
        return json.RootElement.GetProperty("items").EnumerateArray().Single().GetProperty(name).GetString();
    }

    /// <summary>With docker, podman and skopeo, which know nothing but what stands in the workspace's files.</summary>
    private async Task<CommandOutput[]> PullAsync(TestWorkspace workspace, string reference)
    {
        var docker = await peers.DockerAsync();
        var environment = new Dictionary<string, string?>
        {
            ["DOCKER_HOST"] = docker.Host,
            ["DOCKER_CONFIG"] = workspace["user-data/docker"],
            ["HOME"] = workspace["user-data"],
            ["XDG_CONFIG_HOME"] = workspace["user-data/config"],
            ["XDG_RUNTIME_DIR"] = null,
            ["REGISTRY_AUTH_FILE"] = null,
        };
        await docker.Command("image", "rm", "--force", reference).RunAsync(Cancelled);
        CommandLine[] pulls =
        [
            docker.Command("pull", reference),
            new(
                "podman",
                "--root",
                folder["root"],
                "--runroot",
                folder["run"],
                "--storage-driver",
                "vfs",
                "pull",
                "--tls-verify=false",
                reference
            ),
            new("skopeo", "inspect", "--tls-verify=false", $"docker://{reference}"),
        ];
        return await Task.WhenAll(pulls.Select(pull => (pull with { Environment = environment }).RunAsync(Cancelled)));
    }
}

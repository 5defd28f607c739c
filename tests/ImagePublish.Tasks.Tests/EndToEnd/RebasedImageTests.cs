using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A base gets fixes; the image is found behind it, put on it without a build, and runs.</summary>
public sealed class RebasedImageTests(Peers peers)
{
    private const string Base = "rebase/aspnet:10.0";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Commands",
        "the base of a published image gets fixes, and `RebaseImage` moves the image to it",
        "the digest is that of a publish on the new base, no layer of the app is transferred, and the container runs"
    )]
    public async Task ARebasedImageIsThatOfAPublishAndRuns()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await SeedBaseAsync(registry);
        var project = await ProjectAsync(registry, workspace);
        var before = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        var shop = $"{registry.Host}/rebase/shop:1.2.3";

        Assert.Equal("Current", (await RunAsync(project, "CheckImages", $"-p:ImageSource={shop}"))["State"]);
        await FixBaseAsync(registry, workspace);
        var drift = await project.MSBuildAsync(Cancelled, "-t:CheckImages", $"-p:ImageSource={shop}", "-p:ImageFailOnDrift=true");
        Assert.Equal(1, drift.ExitCode);
        Assert.Contains("warning IMG4023", drift.All, StringComparison.Ordinal);
        Assert.Contains("error IMG4023", drift.All, StringComparison.Ordinal);
        Assert.Contains("1 of 1 images are behind their bases", drift.All, StringComparison.Ordinal);

        var told = await RunAsync(project, "RebaseImage", $"-p:ImageSource={shop}", "-p:ImageDryRun=true");
        Assert.Equal(before.Digest, (await registry.ManifestAsync("rebase/shop", "1.2.3", Cancelled)).Digest);
        // Of the project's own image, all its tags follow.
        var rebased = await RunAsync(project, "RebaseImage");

        var fresh = (await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ImageRepository=rebase/fresh")).EnsureSuccess();
        Assert.Equal(fresh.Digest, rebased["Digest"]);
        Assert.Equal(told["Digest"], rebased["Digest"]);
        Assert.Equal(before.Digest, rebased["PreviousDigest"]);
        Assert.Equal("1.2.3;latest", rebased["Tags"]);
        Assert.Equal(rebased["Digest"], (await registry.ManifestAsync("rebase/shop", "1.2.3", Cancelled)).Digest);
        Assert.Equal("Current", (await RunAsync(project, "CheckImages"))["State"]);
        await CheckSolutionAsync(workspace, shop);
        await RunInDockerAsync($"{registry.Host}/rebase/shop@{rebased["Digest"]}");
    }

    [Fact]
    public async Task WhatCanNotBeCheckedOrRebasedIsOneLineWithACode()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await ProjectAsync(registry, workspace);
        await project.RestoreAsync(Cancelled);
        workspace.Write(
            "Rebased/images.txt",
            $"# our images\n{registry.Host}/rebase/none:1.0\n{registry.Host}/dotnet/aspnet:10.0   # a base\n"
        );

        var refused = await project.MSBuildAsync(Cancelled, "-t:RebaseImage", $"-p:ImageSource={registry.Host}/dotnet/aspnet:10.0");
        Assert.Single(Errors(refused), line => line.Contains("IMG4020", StringComparison.Ordinal));
        var many = await project.MSBuildAsync(Cancelled, "-t:RebaseImage", "-p:ImageSourceFile=images.txt");
        Assert.Single(Errors(many), line => line.Contains("2 of 2 images are not rebased", StringComparison.Ordinal));
        var drift = await project.MSBuildAsync(Cancelled, "-t:CheckImages", "-p:ImageSourceFile=images.txt");
        Assert.Equal(0, drift.ExitCode);
        Assert.Contains("warning IMG4025", drift.All, StringComparison.Ordinal);
        Assert.Contains("IMG4006", drift.All, StringComparison.Ordinal);
        var local = await project.MSBuildAsync(Cancelled, "-t:CheckImages", "-p:ImageSource=acme/shop:1.0");
        Assert.Single(Errors(local), line => line.Contains("IMG1007", StringComparison.Ordinal));
        var unlisted = await project.MSBuildAsync(Cancelled, "-t:CheckImages", $"-p:ImageSource={registry.Host}/rebase/none:*");
        Assert.Single(Errors(unlisted), line => line.Contains("IMG4006", StringComparison.Ordinal));
        var missing = await project.MSBuildAsync(Cancelled, "-t:CheckImages", "-p:ImageSourceFile=none.txt");
        Assert.Single(Errors(missing), line => line.Contains("ImageSourceFile", StringComparison.Ordinal));
    }

    // A library has no image.
    private static async Task CheckSolutionAsync(TestWorkspace workspace, string shop)
    {
        await workspace.Empty("Library").WithImagePublish().RestoreAsync(Cancelled);
        workspace.Solution("Shop.slnx", "Rebased", "Library");
        var check = workspace.DotNet("msbuild", "Shop.slnx", "-t:CheckImages", "-tl:off");
        var output = await BuildServers.SucceedAsync(check, Cancelled);
        Assert.Contains($"{shop} ", output.Output, StringComparison.Ordinal);
        Assert.Contains("0 of 1 images are behind their bases", output.Output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Errors(CommandOutput output) =>
        output.All.Split('\n').Where(line => line.Contains(": error ", StringComparison.Ordinal)).Select(line => line.Trim()).Distinct();

    private static async Task<TestProject> ProjectAsync(DockerRegistry registry, TestWorkspace workspace) =>
        (await workspace.NewAsync("web", "Rebased", Cancelled))
            .WithImagePublish()
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepository", "rebase/shop")
            .Property("Version", "1.2.3")
            .Property("ImageBase", $"{registry.Host}/{Base}")
            .Content(
                "Program.cs",
                """
                var app = WebApplication.Create(args);
                app.MapGet("/", () => Environment.GetEnvironmentVariable("FIXED") ?? "old");
                app.Run();
                """
            );

    // One platform, as Docker can make the next version of.
    private static Task SeedBaseAsync(DockerRegistry registry) =>
        Skopeo.CopyAsync($"docker://{registry.Host}/dotnet/aspnet:10.0", $"docker://{registry.Host}/{Base}", Cancelled);

    // Docker adds a layer and a variable, in its own format, which is made that of the base again.
    private async Task FixBaseAsync(DockerRegistry registry, TestWorkspace workspace)
    {
        var docker = await peers.DockerAsync();
        var (old, work) = ($"{registry.Host}/{Base}", $"{registry.Host}/rebase/work:1");
        await docker.PullAsync(old, Cancelled);
        var container = (await docker.Command("create", old, "true").SucceedAsync(Cancelled)).Output.Trim();
        await docker.Command("cp", workspace.Write("fixed.txt", "fixed"), $"{container}:/etc/fixed").SucceedAsync(Cancelled);
        await docker.Command("commit", "--change", "ENV FIXED=yes", container, work).SucceedAsync(Cancelled);
        await docker.Command("push", "--quiet", work).SucceedAsync(Cancelled);
        await Skopeo.CopyAsync($"docker://{work}", $"docker://{old}", Cancelled, "--format=oci");
    }

    private static async Task<Dictionary<string, string>> RunAsync(TestProject project, string target, params string[] arguments)
    {
        var output = (await project.MSBuildAsync(Cancelled, [$"-t:{target}", $"-getTargetResult:{target}", .. arguments])).EnsureSuccess();
        using var json = JsonDocument.Parse(output.Output[output.Output.IndexOf('{', StringComparison.Ordinal)..]);
        var item = json.RootElement.GetProperty("TargetResults").GetProperty(target).GetProperty("Items")[0];
        return item.EnumerateObject().ToDictionary(value => value.Name, value => value.Value.GetString()!);
    }

    private async Task RunInDockerAsync(string reference)
    {
        var docker = await peers.DockerAsync();
        await docker.PullAsync(reference, Cancelled);
        await using var container = await docker.StartAsync(reference, Cancelled);
        Assert.Equal("yes", await (await container.GetAsync("/", Cancelled)).Content.ReadAsStringAsync(Cancelled));
    }
}

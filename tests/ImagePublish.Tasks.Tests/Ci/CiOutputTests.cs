using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Ci;

/// <summary>What the steps that follow a publish in CI get of it, all systems at once.</summary>
public sealed class CiOutputTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EachSystemGetsTheImageInItsOwnForm()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = Project(workspace);
        workspace.Write("image.env", "OTHER=1\nIMAGE_DIGEST=old\n");
        var environment = new Dictionary<string, string?>
        {
            ["GITHUB_OUTPUT"] = workspace.Write("output", "before=1\n"),
            ["GITHUB_STEP_SUMMARY"] = workspace["summary.md"],
            ["TF_BUILD"] = "True",
            ["GITLAB_CI"] = "true",
            ["CI_PROJECT_DIR"] = workspace.Path,
            ["IMAGE_REGISTRY_PASSWORD"] = "s3cret",
        };

        var build = (await RunAsync(project, environment)).EnsureSuccess();
        var refused = await RunAsync(project, environment, "-p:ImageTags=bad%25tag");

        var reference = build.Properties["ImageReference"];
        Assert.Equal(
            $"before=1\nimage={reference}\ndigest={build.Digest}\ntags=1.0.0,latest\nchanged=true\n"
                + $"image-Hello-Ci={reference}\nchanged-Hello-Ci=true\n",
            await ReadAsync(workspace["output"])
        );
        Assert.Equal(
            $"OTHER=1\nIMAGE_REFERENCE={reference}\nIMAGE_DIGEST={build.Digest}\nIMAGE_TAGS=1.0.0,latest\nIMAGE_CHANGED=true\n"
                + $"IMAGE_REFERENCE_HELLO_CI={reference}\nIMAGE_CHANGED_HELLO_CI=true\n",
            await ReadAsync(workspace["image.env"])
        );
        Assert.Contains(
            $"### Hello.Ci\n\n| | |\n|---|---|\n| Image | `ci/hello` |\n| Tags | `1.0.0`, `latest` |\n",
            await ReadAsync(workspace["summary.md"]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"##vso[task.setvariable variable=ImageReference;isOutput=true]{reference}",
            build.Command.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("##vso[task.uploadsummary]", build.Command.Output, StringComparison.Ordinal);
        Assert.Matches(@"##vso\[task\.logissue type=error;code=IMG1004\].*bad%AZP25tag", refused.Command.Output);
        Assert.DoesNotContain("s3cret", build.Command.All + refused.Command.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NothingIsWrittenWhereThereIsNoCi()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = Project(workspace);

        var build = (await RunAsync(project, new Dictionary<string, string?> { ["CI_PROJECT_DIR"] = workspace.Path })).EnsureSuccess();

        Assert.False(File.Exists(workspace["image.env"]));
        Assert.DoesNotContain("##vso", build.Command.All, StringComparison.Ordinal);
    }

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(path, Cancelled);

    private static TestProject Project(TestWorkspace workspace) =>
        workspace
            .Empty("Hello.Ci")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageRepository", "ci/hello")
            .Content("Program.cs", "return;");

    private static Task<BuildOutput> RunAsync(TestProject project, Dictionary<string, string?> environment, params string[] switches)
    {
        var command = project.Command("publish", ["-p:PublishImage=true", .. switches]);
        var all = new Dictionary<string, string?>(command.Environment);
        foreach (var (name, value) in environment)
            all[name] = value;
        return project.RunAsync(command with { Environment = all }, Cancelled);
    }
}

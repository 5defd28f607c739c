using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Commands;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;
using TaskItem = Microsoft.Build.Utilities.TaskItem;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Publishes that write their digests into the files that deploy them. What they wrote is read by PyYAML.</summary>
public sealed class ImageManifestTests(Peers peers)
{
    private const string Reader =
        "import json, sys, yaml\nfor name in sys.argv[1:]:\n  print(json.dumps(list(yaml.safe_load_all(open(name, encoding='utf-8-sig')))))";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheProjectsOfASolutionWriteTheirOwnDigests()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        App(workspace, "Shop");
        App(workspace, "Job");
        workspace.Solution("S.slnx", "Shop", "Job");
        workspace.Write(
            "Directory.Build.props",
            """<Project><ItemGroup><ImageManifest Include="$(MSBuildThisFileDirectory)deploy/**/*.yaml" /></ItemGroup></Project>"""
        );
        var before = Manifests(registry.Host);
        foreach (var (name, text) in before)
            workspace.Write($"deploy/{name}", Filled(text, "", ""));

        var publish = workspace.PublishImages("S.slnx", "-m:2", $"-p:ImageRegistry={registry.Host}");
        var first = await publish.SucceedAsync(Cancelled);
        var second = await publish.SucceedAsync(Cancelled);

        var (shop, job) = (registry.Content.Tags("shop")["1.0.0"], registry.Content.Tags("job")["1.0.0"]);
        foreach (var (name, text) in before)
        {
            var expected = Expected(name, Filled(text, $"@{shop}", $"@{job}"), shop);
            Assert.Equal(Encoding.UTF8.GetBytes(expected), await File.ReadAllBytesAsync(workspace[$"deploy/{name}"], Cancelled));
        }

        Assert.Contains($"web.yaml names {registry.Host}/shop@{shop} (2 places)", first.Output, StringComparison.Ordinal);
        Assert.Contains($"web.yaml still names {registry.Host}/job@{job}", second.Output, StringComparison.Ordinal);
        var documents = await ReadAsync(workspace, [.. before.Keys.Select(name => $"deploy/{name}")]);
        Assert.Equal($"{registry.Host}/shop:1.0.0@{shop}", (string?)documents["deploy/compose.yaml"][0]!["services"]!["shop"]!["image"]);
        Assert.Equal($"1.0.0@{shop}", (string?)documents["deploy/chart/values.yaml"][0]!["image"]!["tag"]);
        Assert.Equal(shop, (string?)documents["deploy/kustomization.yaml"][0]!["images"]![0]!["digest"]);
        Assert.Equal(2, documents["deploy/web.yaml"].Count);
    }

    [Fact]
    [ReliabilityCase(
        "Manifests",
        "two projects of a build whose `ImageManifest` has the same `Repository`",
        "`IMG3123` names both before anything is published; with other names, folders or in another build they are not in each other's way"
    )]
    public void TwoImagesAreNotWrittenIntoTheSamePlace()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("web.yaml", "- image: mirror.example.com/acme/app\n- image: mirror.example.com/acme/job\n");
        var engine = new RecordingEngine();

        Assert.True(Check("Shop", "mirror.example.com/acme/app"));
        Assert.True(Check("Shop", "mirror.example.com/acme/app"));
        Assert.True(Check("Job", "mirror.example.com/acme/job"));
        Assert.True(Check("Job", "mirror.example.com/acme/app", folder.Path));
        Assert.False(Check("Job", "mirror.example.com/acme/app"));

        var error = Assert.Single(engine.Errors);
        Assert.Equal("IMG3123", error.Code);
        Assert.Equal(
            "Shop and Job would both write their digest where files of ImageManifest name 'mirror.example.com/acme/app'. Nothing of Job was "
                + "published. Give each project's ImageManifest a Repository of its own.",
            error.Message
        );
        engine = new RecordingEngine();
        Assert.True(Check("Job", "mirror.example.com/acme/app"));

        bool Check(string project, string repository, string target = "")
        {
            using var task = new UpdateImageManifests
            {
                BuildEngine = engine,
                ProjectDirectory = folder.Path,
                ProjectName = project,
                Repository = project.ToLowerInvariant(),
                Folder = target.Length == 0 ? "" : Path.Combine(target, "out"),
                Manifests = [new TaskItem(file, new Dictionary<string, string> { ["Repository"] = repository })],
            };
            return task.Execute();
        }
    }

    [Fact]
    [ReliabilityCase("Manifests", "a file that names the image is not YAML", "`IMG3120` before anything is published, and no file changes")]
    public async Task NothingIsPublishedWhereADigestCanNotBeWritten()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = App(workspace, "Shop")
            .Item("ImageManifest", "deploy/*.yaml")
            .Item("ImageManifest", "chart.yaml", ("Repository", "mirror:5000/shop"));
        var good = $"image: {registry.Host}/shop:1.0\n";
        project
            .Content("deploy/good.yaml", good)
            .Content("deploy/bad.yaml", good + "\tx: 1\n")
            .Content("chart.yaml", "image: mirror:5000/shop\n");
        string[] switches = ["-p:PublishImage=true", $"-p:ImageRegistry={registry.Host}"];

        var failed = await project.PublishAsync(Cancelled, switches);
        var nothing = registry.Content.Tags("shop").Count;
        File.Delete(workspace["Shop/deploy/bad.yaml"]);
        var planned = (await project.PublishAsync(Cancelled, [.. switches, "--no-build", "-p:ImageDryRun=true"])).EnsureSuccess();
        var untouched = await File.ReadAllTextAsync(workspace["Shop/deploy/good.yaml"], Cancelled);
        var folder = (await project.PublishAsync(Cancelled, [.. switches, "--no-build", "-p:ImageManifestFolder=out/"])).EnsureSuccess();

        var error = Assert.Single(failed.Errors);
        Assert.Equal("IMG3120", error.Code);
        Assert.Matches(@"deploy/bad\.yaml can't be read: it is not YAML: line \d+, column \d+: .*\. Fix it, or leave it out", error.Text);
        Assert.Equal(0, nothing);
        Assert.Equal(good, untouched);
        Assert.Contains(
            $"deploy/good.yaml would name {registry.Host}/shop@{planned.Digest}",
            planned.Command.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(good, await File.ReadAllTextAsync(workspace["Shop/deploy/good.yaml"], Cancelled));
        Assert.Equal(
            $"image: {registry.Host}/shop:1.0.0@{folder.Digest}\n",
            await File.ReadAllTextAsync(workspace["Shop/out/good.yaml"], Cancelled)
        );
        Assert.Equal(
            $"image: mirror:5000/shop@{folder.Digest}\n",
            await File.ReadAllTextAsync(workspace["Shop/out/chart.yaml"], Cancelled)
        );
    }

    private static TestProject App(TestWorkspace workspace, string name) => workspace.ScratchApp(name).Property("UseAppHost", "false");

    // SHOP and JOB: where the digests belong.
    private static Dictionary<string, string> Manifests(string host) =>
        new()
        {
            ["web.yaml"] =
                $"# Web\r\nkind: Deployment\r\nspec:\r\n  template:\r\n    spec:\r\n      initContainers:\r\n        - image: '{host}/shop:1.0.0SHOP'   # init\r\n"
                + $"      containers:\r\n        - image:   \"{host}/shop:1.0.0SHOP\"\r\n          name:  é\r\n---\r\n"
                + $"kind: CronJob\r\nspec: {{ jobTemplate: {{ spec: {{ template: {{ spec: {{ containers: [ {{ image: {host}/job:latestJOB }} ] }} }} }} }} }}\r\n",
            ["compose.yaml"] =
                $"x-shop: &shop\n  image: {host}/shop:1.0.0SHOP\nservices:\n  shop: {{ <<: *shop }}\n  db: {{ image: postgres:17 }}\n  job:\n    image: {host}/jobJOB\n",
            ["chart/values.yaml"] = $"image:\n    repository: {host}/shop\n    tag: \"1.0.0SHOP\"  # the app\nreplicas:   2\n",
            ["kustomization.yaml"] = $"images:\n- name: shop\n  newName: {host}/shop\n  newTag: 1.0.0\n- name: redis\n  newTag: \"7\"\n",
        };

    private static string Filled(string text, string shop, string job) =>
        text.Replace("SHOP", shop, StringComparison.Ordinal).Replace("JOB", job, StringComparison.Ordinal);

    private static string Expected(string name, string text, string shop) =>
        name == "kustomization.yaml"
            ? text.Replace("newTag: 1.0.0\n", $"newTag: 1.0.0\n  digest: {shop}\n", StringComparison.Ordinal)
            : text;

    private static async Task<Dictionary<string, JsonArray>> ReadAsync(TestWorkspace workspace, string[] names)
    {
        var output = await new CommandLine("/usr/bin/python3", ["-c", Reader, .. names]) { WorkingDirectory = workspace.Path }.SucceedAsync(
            Cancelled
        );
        var lines = output.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return names.Zip(lines).ToDictionary(pair => pair.First, pair => JsonSerializer.Deserialize<JsonArray>(pair.Second)!);
    }
}

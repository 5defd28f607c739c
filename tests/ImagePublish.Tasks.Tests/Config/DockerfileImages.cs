using System.Text;
using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>Dockerfiles, built by Docker and said in our items.</summary>
public sealed class DockerfileImages(Peers peers) : IAsyncLifetime
{
    private static readonly string[] Paths =
    [
        .. DockerfileInstructions
            .All.Where(instruction => instruction.Fact.StartsWith("file ", StringComparison.Ordinal))
            .Select(instruction => instruction.Fact["file ".Length..]),
    ];

    private readonly Dictionary<string, (ImageFacts Docker, ImageFacts Ours)> images = [];
    private string tools = "";
    private Dictionary<string, string> filesOfDocker = [];
    private Dictionary<string, string> filesOfOurs = [];

    public string Docker(DockerfileInstruction instruction) => Show(instruction, images[instruction.Kind].Docker, filesOfDocker);

    public string Ours(DockerfileInstruction instruction) => Show(instruction, images[instruction.Kind].Ours, filesOfOurs);

    public async ValueTask InitializeAsync()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var from = await SmallBase.PushToAsync(registry, "compared/dockerfile-base:1", CancellationToken.None);
        tools = await ToolsImage.PushToAsync(registry, "compared/tools:1", CancellationToken.None);
        var kinds = DockerfileInstructions.All.Select(instruction => instruction.Kind).Distinct().ToList();
        var project = Project(workspace, registry, from);
        (await project.BuildAsync(CancellationToken.None, "-c", "Release")).EnsureSuccess();
        var all = new TestProject(workspace, await peers.PackageAsync(), workspace.Write("All.proj", "<Project />")).Element(
            $"""<Target Name="All">{string.Concat(kinds.Select(kind => Build(project, kind)))}</Target>"""
        );
        (await all.TargetAsync("All", CancellationToken.None, "--no-restore")).EnsureSuccess();
        foreach (var kind in kinds)
            images.Add(
                kind,
                (
                    await DockerBuildAsync(project, kind, from),
                    await ImageFacts.ReadAsync(registry, $"compared/dockerfile/{kind}", CancellationToken.None)
                )
            );
        filesOfDocker = await ReadFilesAsync($"compared-{DockerfileInstructions.FilesKind}");
        filesOfOurs = await ReadFilesAsync($"{registry.Host}/compared/dockerfile/{DockerfileInstructions.FilesKind}:1");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Show(DockerfileInstruction instruction, ImageFacts facts, Dictionary<string, string> files) =>
        instruction.Fact.StartsWith("file ", StringComparison.Ordinal)
            ? files[instruction.Fact["file ".Length..]]
            : facts[instruction.Fact];

    private TestProject Project(TestWorkspace workspace, DockerRegistry registry, string from)
    {
        var project = workspace
            .Empty("Dockered")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageName", $"{registry.Host}/compared/dockerfile/$(Kind):1")
            .Property("ImageBase", from)
            .Property("ImageGenerateLabels", "false")
            .Content("Program.cs", "return;")
            .Content("one.txt", "one\n")
            .Content("tool.sh", "#!/bin/sh\necho tool\n")
            .Content("tree/a.txt", "a\n")
            .Content("tree/deep/er/two.txt", "two\n");
        File.SetUnixFileMode(Path.Combine(project.Folder, "tool.sh"), (UnixFileMode)0b111_101_101);
        foreach (var instruction in DockerfileInstructions.All.Where(instruction => instruction.Xml.Length > 0))
            project.Element(Escaped.When(instruction.Kind, instruction.Xml.Replace("{tools}", tools, StringComparison.Ordinal)));
        return project;
    }

    private static string Build(TestProject project, string kind) =>
        $"""<MSBuild Projects="{project.File}" Targets="PublishImage" Properties="NoBuild=true;Configuration=Release;Kind={kind}" />""";

    private async Task<ImageFacts> DockerBuildAsync(TestProject project, string kind, string from)
    {
        var docker = await peers.DockerAsync();
        var text = string.Join(
            '\n',
            DockerfileInstructions.All.Where(instruction => instruction.Kind == kind).Select(instruction => instruction.Text)
        );
        var filled = text.Replace("{difficult}", Escaped.ForDockerfile(Escaped.Difficult), StringComparison.Ordinal)
            .Replace("{tools}", tools, StringComparison.Ordinal);
        project.Content($"{kind}.dockerfile", $"FROM {from}\n{filled}\n");
        var build = docker.Command(
            "build",
            "--network=host",
            "--tag",
            $"compared-{kind}",
            "--file",
            Path.Combine(project.Folder, $"{kind}.dockerfile"),
            project.Folder
        );
        // Without its plug-in, Docker's client builds in the classic way.
        await (build with { Environment = new Dictionary<string, string?>(build.Environment) { ["DOCKER_BUILDKIT"] = "0" } }).SucceedAsync(
            CancellationToken.None
        );
        using var config = JsonDocument.Parse(
            $$"""{ "config": {{(await docker.InspectAsync($"compared-{kind}", CancellationToken.None)).GetProperty("Config").GetRawText()}} }"""
        );
        return new ImageFacts(config.RootElement.Clone(), "", []);
    }

    private async Task<Dictionary<string, string>> ReadFilesAsync(string image)
    {
        var script = new StringBuilder();
        foreach (var path in Paths)
            script.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"echo '\u001d{path}'; stat -c '%F %a "
                    + $"%u:%g' {path} 2>&1; if [ -L {path} ]; then readlink {path}; elif [ -f {path} ]; then cat {path}; fi\n"
            );
        var docker = await peers.DockerAsync();
        var run = (
            await docker.RunAsync(CancellationToken.None, "--user=0", "--entrypoint=/bin/sh", image, "-c", script.ToString())
        ).EnsureSuccess();
        return run
            .Output.Split('\u001d', StringSplitOptions.RemoveEmptyEntries)
            .Select(file => file.Split('\n', 2))
            .ToDictionary(file => file[0], file => file[1]);
    }
}

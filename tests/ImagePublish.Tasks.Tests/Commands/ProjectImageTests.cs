using System.Security;
using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>The commands find the image that a publish made, whatever it is named after, and show it as it is. All in one build.</summary>
public sealed class ProjectImageTests(Peers peers)
{
    // Names, metadata and MSBuild's own syntax, none of which may be read twice.
    private static readonly Dictionary<string, string> Labels = new()
    {
        ["quoted"] = "say %22hi%22",
        ["escaped"] = "50%25 a%3Bb%20c",
        ["list"] = "a;b",
        ["wildcard"] = "*.*",
        ["items"] = "@(Compile)",
        ["property"] = "$(Version)",
        ["json"] = """{"a": "b\n"}""",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Commands",
        "the project's own image, named by `Container*` properties, policies, templates, or a target that sets the version",
        "it is the image that a publish produces"
    )]
    public async Task CommandsFindTheImageThatPublishMadeAndShowItAsItIs()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        Variant[] variants =
        [
            new("ContainerRepository=Own/One Shop", "own/one-shop", "3.2.1"),
            new("ImageRepository=own/two;ContainerImageTag=v7", "own/two", "v7"),
            new("ImageRepository=own/three;ImageTagPolicy=Commit", "own/three", "[0-9a-f]{7}"),
            new("ImageRepository=own/four;ImageTags={commit:9}-{configuration}-{branch}", "own/four", "[0-9a-f]{9}-Debug-trunk"),
            new("ImageRepository=own/five;AutoGenerateImageTag=true", "own/five", "20260304050607"),
            new("ImageRepository=own/six;PublishImageTag=beta", "own/six", "beta"),
            new(
                $"ContainerRegistry={registry.Host};ContainerRepository=own/seven;ContainerImageTags=b%3Ba",
                $"{registry.Host}/own/seven",
                "b"
            ),
            // As CI systems hand on the owner's and the repository's names.
            new($"ImageRegistry={registry.Host};ImageRepository=Own/Eight", $"{registry.Host}/own/eight", "3.2.1"),
            new($"ImageName={registry.Host}/Own/Nine:V9", $"{registry.Host}/own/nine", "V9"),
        ];
        var project = workspace
            .Empty("Own")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", $"{registry.Host}/dotnet/aspnet:10.0")
            .Property("GetPackageVersionDependsOn", "$(GetPackageVersionDependsOn);SetVersion")
            .Content("Program.cs", "return 0;")
            .Element(
                """<Target Name="SetVersion" BeforeTargets="BeforeCompile"><PropertyGroup><Version>3.2.1</Version></PropertyGroup></Target>"""
            )
            .Element(
                $"<PropertyGroup Condition=\"'$(NamesRegistry)' == 'true'\"><ImageRegistry>{registry.Host}</ImageRegistry></PropertyGroup>"
            )
            .Element($"<Target Name=\"Compare\">{string.Concat(variants.Select((variant, at) => variant.Calls(at)))}</Target>");
        foreach (var (name, value) in Labels)
            project.Item("ImageLabel", name, ("Value", Escaped(value)));
        await CommitAsync(project.Folder);
        await project.RestoreAsync(Cancelled);

        var output = (await project.MSBuildAsync(Cancelled, "-t:Compare", "-getItem:Published,Inspected")).EnsureSuccess();

        using var json = JsonDocument.Parse(output.Output[output.Output.IndexOf('{', StringComparison.Ordinal)..]);
        var items = json.RootElement.GetProperty("Items");
        var published = Texts(items.GetProperty("Published"), "Digest");
        Assert.Equal(variants.Length, published.Length);
        Assert.Equal(published, Texts(items.GetProperty("Inspected"), "Digest"));
        Assert.All(variants.Zip(Texts(items.GetProperty("Inspected"), "Identity")), pair =>
            Assert.Matches($"^{pair.First.Repository}:{pair.First.Tag}$", pair.Second)
        );
        AssertLabels(items.GetProperty("Inspected")[0].GetProperty("Config").GetString()!);
        await using var file = File.OpenRead(Path.Combine(project.Folder, "obj", "Debug", "net10.0", "ImagePublish.InspectImage.json"));
        using var result = await JsonDocument.ParseAsync(file, cancellationToken: Cancelled);
        AssertLabels(result.RootElement.GetProperty("items")[0].GetProperty("config").GetRawText());

        // What a publish left here is sent on with all its tags.
        (
            await project.MSBuildAsync(Cancelled, "-t:CopyImage", "-p:ImageRepository=own/one-shop", $"-p:ImageRegistry={registry.Host}")
        ).EnsureSuccess();
        Assert.Equal(
            published[0],
            (await Skopeo.InspectAsync($"{registry.Host}/own/one-shop:latest", Cancelled, "--format", "{{.Digest}}")).Trim()
        );

        // A project that names a registry can tidy up the local store, and nothing else is touched.
        string[] prune =
        [
            "-t:PruneImages",
            "-p:NamesRegistry=true",
            "-p:ImageSource=store:own/six",
            "-p:ImageFilter=be*",
            "-p:ImageKeep=0",
        ];
        var pruned = (await project.MSBuildAsync(Cancelled, prune)).EnsureSuccess();
        Assert.Matches(@"(?s)Local store: 1 image to remove\s+own/six:beta\s+Local store: 1 images and \d+ blobs removed", pruned.Output);
    }

    private static void AssertLabels(string config)
    {
        using var json = JsonDocument.Parse(config);
        var labels = json.RootElement.GetProperty("config").GetProperty("Labels");
        Assert.Equal(Labels, Labels.Keys.ToDictionary(name => name, name => labels.GetProperty(name).GetString()!));
    }

    // As a project file says it.
    private static string Escaped(string value) =>
        string.Concat(
            value.Select(character =>
                "%$@();*".Contains(character, StringComparison.Ordinal) ? $"%{(int)character:X2}" : character.ToString()
            )
        );

    private static string[] Texts(JsonElement items, string name) =>
        [.. items.EnumerateArray().Select(item => item.GetProperty(name).GetString()!)];

    private static async Task CommitAsync(string folder)
    {
        await GitAsync("init", "--quiet", "--initial-branch=trunk");
        await GitAsync("add", ".");
        await GitAsync("-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "--quiet", "--message=first");

        async Task GitAsync(params string[] arguments)
        {
            var git = new CommandLine("git", ["-C", folder, .. arguments]);
            await (
                git with
                {
                    Environment = new Dictionary<string, string?>(git.Environment) { ["GIT_COMMITTER_DATE"] = "2026-03-04T05:06:07Z" },
                }
            ).SucceedAsync(Cancelled);
        }
    }

    private sealed record Variant(string Properties, string Repository, string Tag)
    {
        // In two builds, as two commands are.
        public string Calls(int at) => Call("PublishImage", "Published", at, "") + Call("InspectImage", "Inspected", at, ";Command=2");

        private string Call(string target, string item, int at, string more) =>
            $"""
                <MSBuild Projects="$(MSBuildProjectFullPath)" Targets="{target}" Properties="{SecurityElement.Escape(Properties + more)}">
                  <Output TaskParameter="TargetOutputs" ItemName="{item}" />
                </MSBuild>
                """;
    }
}

using System.Text.Json;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>The samples publish from a fresh clone, with tasks that are built on the way.</summary>
public sealed class SamplesTests(Peers peers)
{
    private static readonly string[] Parts = ["build", "docs", "samples", "src"];

    private static readonly string[] Outputs = ["bin", "obj"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheSamplesPublishFromSource()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        CopySources(workspace["clone"]);

        var hello = await PublishAsync(workspace, registry, "HelloWeb", "HelloWeb");
        var shop = await PublishAsync(workspace, registry, "Shop/Shop", "Shop");

        Assert.Equal(["1.0.0", "latest"], await registry.TagsAsync("samples/helloweb", Cancelled));
        Assert.Equal(["1.4.2", "latest"], await registry.TagsAsync("samples/shop", Cancelled));
        // On the four layers of the base: HelloWeb's runtime and its own files; Shop's packages in several, its library, its pages and its own files.
        Assert.Equal(6, hello.GetProperty("layers").GetArrayLength());
        Assert.InRange(shop.GetProperty("layers").GetArrayLength(), 8, 20);
    }

    private static async Task<JsonElement> PublishAsync(TestWorkspace workspace, DockerRegistry registry, string folder, string name)
    {
        var project = workspace[$"clone/samples/{folder}"];
        var publish = workspace.DotNet(["publish", project, "-nologo", "-tl:off", .. Switches.For(registry, $"samples/{name.ToLowerInvariant()}", "aspnet")]);
        await publish.SucceedAsync(Cancelled);
        var file = Directory.GetFiles(Path.Combine(project, "obj"), "ImagePublish.json", SearchOption.AllDirectories).Single();
        using var result = JsonDocument.Parse(await File.ReadAllBytesAsync(file, Cancelled));
        return result.RootElement.Clone();
    }

    // What a clone has, and nothing that was built here.
    private static void CopySources(string target)
    {
        var root = PackedPackage.RepositoryRoot;
        var files = Directory.GetFiles(root)
            .Concat(Parts.SelectMany(part => Directory.GetFiles(Path.Combine(root, part), "*", SearchOption.AllDirectories)))
            .Where(file => !Path.GetRelativePath(root, file).Split('/').Intersect(Outputs).Any());
        foreach (var file in files)
        {
            var copy = Path.Combine(target, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}

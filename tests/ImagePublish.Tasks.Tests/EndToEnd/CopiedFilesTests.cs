using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What is only copied into the publish folder does not travel when a line of code changes, whoever lets it be copied.</summary>
public sealed class CopiedFilesTests(Peers peers)
{
    private const string Repository = "copied/files";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AChangedLineLeavesThemWhereTheyAre()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await ProjectAsync(workspace);
        var switches = Switches.For(registry, Repository, "aspnet");
        (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();
        project.Content("Program.cs", "System.Console.WriteLine(2);");

        (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();

        using var result = JsonDocument.Parse(
            await File.ReadAllBytesAsync(Path.Combine(project.Folder, "obj", "Release", "net10.0", "ImagePublish.json"), Cancelled)
        );
        Assert.Equal(["content reused", "projects reused", "static reused", "app uploaded", "config uploaded"], Moves(result.RootElement));
        Assert.Equal(["app/data/words.txt", "app/from-library/list.txt", "app/large.bin"], await FilesAsync("content"));
        // A prerelease package's, as all of it.
        Assert.Contains("app/from-package/licence", await FilesAsync("projects"));
        Assert.Contains("app/appsettings.json", await FilesAsync("app"));

        async Task<IEnumerable<string>> FilesAsync(string layer) =>
            from entry in await registry.EntriesAsync(
                Repository,
                result.RootElement.GetProperty("layers").EnumerateArray().Single(one => one.GetProperty("name").GetString() == layer),
                Cancelled
            )
            where !entry.EndsWith('/')
            select entry.Split(' ')[^1];
    }

    private static IEnumerable<string> Moves(JsonElement result) =>
        from blob in result.GetProperty("images")[0].GetProperty("blobs").EnumerateArray()
        let name = blob.GetProperty("name").GetString()
        where name != "base"
        select $"{name} {blob.GetProperty("action").GetString()}";

    private async Task<TestProject> ProjectAsync(TestWorkspace workspace)
    {
        var package = await peers.PackageAsync();
        var library = workspace
            .Empty("Library")
            .Item("Content", "from-library/**", ("CopyToOutputDirectory", "PreserveNewest"))
            .Content("from-library/list.txt", "a list");
        return (await workspace.NewAsync("web", "Copying", Cancelled))
            .WithImagePublish()
            .ProjectReference(library)
            .Item("None", "data/**", ("CopyToPublishDirectory", "PreserveNewest"))
            .Item("None", "large.bin", ("CopyToPublishDirectory", "PreserveNewest"))
            // As the targets of many packages let their files be copied.
            .Item(
                "None",
                $"$(NuGetPackageRoot){PackedPackage.Id.ToLowerInvariant()}/{package.Version}/LICENSE",
                ("Link", "from-package/licence"),
                ("CopyToPublishDirectory", "PreserveNewest")
            )
            .Content("data/words.txt", "words")
            .Content("large.bin", new string('x', 1 << 20))
            .Content("wwwroot/site.css", "body {}")
            .Content("Program.cs", "System.Console.WriteLine(1);");
    }
}
